"""Reading Azure ML CLI v2 YAML with closed lists of keys.

Every key falls into one of three groups: this project honours it on the laptop; it only means something
in the cloud, and changes no result; or it is refused. Nothing is ignored silently.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .errors import OpsError
from .files import read_mapping

Scalar = str | int | float | bool
PATH_TYPES: Final = ("uri_file", "uri_folder", "mlflow_model", "custom_model")
LITERAL_TYPES: Final = ("string", "integer", "number", "boolean")

# Where a job runs, who it runs as and how the studio shows it: no bearing on what a step computes.
CLOUD_ONLY: Final = frozenset(
    {"$schema", "compute", "description", "display_name", "experiment_name", "identity", "queue_settings"}
    | {"resources", "tags", "type", "version"}
)
_NAME: Final = re.compile(r"\A[A-Za-z][A-Za-z0-9_]*\Z")


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
                known = f"known keys are {', '.join(sorted(honoured))}" if honoured else "no key is known"
                raise self.fail(f"the key {key!r} cannot be honoured here", f"Remove it; {known}.")

    def text(self, key: str, default: str | None = None) -> str:
        """A text value that must be there unless a default is given."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or not value.strip():
            raise self.fail(f"{key} must be a text", f"Give {key} as a text.")
        return value

    def number(self, key: str) -> float | None:
        """A number, or none where the key is absent."""
        value = self.values.get(key)
        if key in self.values and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise self.fail(f"{key} must be a number", f"Give {key} as a number.")
        return None if value is None else float(str(value))

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
        """The entries of the mapping under a key, each a mapping or a plain value, by a name that paths can hold."""
        inner = self.child(key)
        for name in inner.values:
            if not isinstance(name, str) or not _NAME.match(name):
                raise inner.fail(f"{name!r} is no name", "Use letters, digits and underscores.")
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


def check_resources(node: Node) -> None:
    """Refuse resources that would change what a command does: several instances, arguments of docker."""
    resources = node.child("resources")
    resources.only({"instance_count"}, {"instance_type", "shm_size"})
    if resources.values.get("instance_count", 1) != 1:
        raise resources.fail("a step runs on one machine here", "Set instance_count to 1.")
