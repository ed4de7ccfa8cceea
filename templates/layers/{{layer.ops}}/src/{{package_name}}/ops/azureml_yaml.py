"""Reading Azure ML CLI v2 YAML with closed lists of keys.

Every key falls into one of three groups: this project honours it on the laptop; it only means something
in the cloud, and changes no result; or it is refused. Nothing is ignored silently.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from .errors import OpsError
from .files import read_mapping

Scalar = str | int | float | bool
PathType = Literal["uri_file", "uri_folder", "mlflow_model", "custom_model"]
PATH_TYPES: Final = ("uri_file", "uri_folder", "mlflow_model", "custom_model")
LITERAL_TYPES: Final = ("string", "integer", "number", "boolean")

# Where a job runs, who it runs as and how the studio shows it: no bearing on what a step computes.
CLOUD_ONLY: Final = frozenset(
    {"$schema", "compute", "description", "display_name", "experiment_name", "identity", "queue_settings"}
    | {"resources", "tags", "type", "version"}
)
ASSET: Final = re.compile(r"\Aazureml:(?P<name>[A-Za-z0-9._-]+):(?P<version>[A-Za-z0-9._-]+)\Z")


@dataclass(frozen=True)
class Node:
    """A mapping of a YAML file, with the place that an error names."""

    path: Path
    place: str
    values: Mapping[str, object]

    def fail(self, problem: str, remedy: str) -> OpsError:
        """An error about this mapping."""
        where = f"{self.path}, {self.place}" if self.place else str(self.path)
        return OpsError(f"{where}: {problem}.", remedy)

    def only(self, honoured: Collection[str], cloud_only: Collection[str] = ()) -> None:
        """Refuse every key that is in neither list."""
        for key in self.values:
            if key not in honoured and key not in cloud_only:
                known = ", ".join(sorted(honoured))
                raise self.fail(f"the key {key!r} cannot be honoured here", f"Remove it; known keys are {known}.")

    def text(self, key: str, default: str | None = None) -> str:
        """A text value that must be there unless a default is given."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"{key} must be a text", f"Give {key} as a text.")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """A yes-or-no value."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.fail(f"{key} must be true or false", f"Give {key} as true or false.")
        return value

    def child(self, key: str) -> "Node":
        """The mapping under a key; an absent one is empty."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            raise self.fail(f"{key} must be a mapping", f"Give {key} as a mapping.")
        return Node(self.path, f"{self.place}.{key}" if self.place else key, value)

    def children(self, key: str) -> dict[str, "Node | Scalar"]:
        """The entries of the mapping under a key, each a mapping or a plain value."""
        inner = self.child(key)
        return {name: inner.entry(name) for name in inner.values}

    def entry(self, key: str) -> "Node | Scalar":
        """The value under a key, which must be a mapping or a plain value."""
        value = self.values[key]
        if isinstance(value, str | int | float | bool):
            return value
        return self.child(key)

    def relative(self, key: str) -> Path:
        """The existing file or folder that a relative path leads to, seen from the YAML file."""
        found = (self.path.parent / self.text(key)).resolve()
        if not found.exists():
            raise self.fail(f"{key} leads to {found}, which does not exist", f"Correct {key}.")
        return found


def read_yaml(path: Path) -> Node:
    """Read a YAML file whose top is a mapping."""
    return Node(path, "", read_mapping(path))


def project_yaml(node: Node, folder: str) -> Path:
    """The folder `azureml/<folder>` that holds the assets beside a pipeline or component."""
    for parent in node.path.resolve().parents:
        if parent.name == "azureml":
            return parent / folder
    raise node.fail("the file stands in no folder named azureml", "Move it under azureml/.")


def _asset(node: Node, reference: str, folder: str) -> Node:
    match = ASSET.match(reference)
    if match is None:
        raise node.fail(f"{reference!r} is not azureml:<name>:<version>", "Name an asset and its version.")
    known: list[str] = []
    for path in sorted(project_yaml(node, folder).glob("*.yml")):
        asset = read_yaml(path)
        name = f"azureml:{asset.text('name')}:{asset.text('version')}"
        if name == reference:
            return asset
        known.append(name)
    remedy = f"Name one of {', '.join(known)}." if known else f"Define it in azureml/{folder}/."
    raise node.fail(f"{reference} is defined by no file in azureml/{folder}", remedy)


def check_environment(node: Node, reference: str) -> None:
    """Refuse a reference to an environment that the project does not define, or defines in two ways."""
    asset = _asset(node, reference, "environments")
    asset.only({"name", "build", "image", "conda_file"}, CLOUD_ONLY | {"inference_config", "os_type"})
    if ("image" in asset.values) == ("build" in asset.values):
        raise asset.fail("an environment has either image or build", "Keep one of the two.")


def data_path(node: Node, reference: str) -> Path:
    """The local file or folder behind a data asset that the project defines."""
    asset = _asset(node, reference, "data")
    asset.only({"name", "path"}, CLOUD_ONLY)
    if re.match(r"[a-z]+:", asset.text("path")):
        raise asset.fail("path is in the cloud", "Give a local path, or override the input with --set.")
    return asset.relative("path")
