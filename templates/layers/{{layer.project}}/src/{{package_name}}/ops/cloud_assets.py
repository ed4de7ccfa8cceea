"""The assets of a workspace, created from their files in the order in which they need each other."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .azure_cli import AzureCliError, Place, az, az_json, create_asset, show_asset
from .errors import OpsError
from .files import read_mapping, sha256_of
from .project import project_root

KINDS: Mapping[str, str] = {
    "environment": "environments",
    "data": "data",
    "component": "components",
    "schedule": "schedules",
}
"""Each kind of asset and its folder under azureml/, in the order of their needs."""
_FINGERPRINT = "content_sha256"


def files_of_kind(kind: str) -> list[Path]:
    """The YAML files of one kind of asset."""
    return sorted((project_root() / "azureml" / KINDS[kind]).glob("*.yml"))


def fingerprint(file: Path) -> str:
    """A hash of what an asset's file defines: the file, and the local folder or file that it names."""
    values = read_mapping(file)
    build = values.get("build")
    path = build.get("path") if isinstance(build, dict) else values.get("path")
    digest = sha256_of(file)
    if isinstance(path, str) and "://" not in path and not path.startswith("azureml:"):
        digest = sha256_of(file.parent / path) + digest
    return digest


def apply(kinds: Sequence[str], place: Place, tags: Mapping[str, str]) -> list[str]:
    """Create what a workspace lacks, and give a sentence for each asset.

    A version of an environment, component or data asset never changes once it exists; a schedule is replaced.

    Raises:
        OpsError: A file differs from the version that exists under its number.
    """
    wanted = [kind for kind in KINDS if kind in kinds]
    return [_apply(kind, file, place, tags) for kind in wanted for file in files_of_kind(kind)]


def _apply(kind: str, file: Path, place: Place, tags: Mapping[str, str]) -> str:
    values = read_mapping(file)
    name = str(values.get("name"))
    if kind == "schedule":
        az(create_asset(kind, file, place))
        return f"schedule {name} is in place"
    version = str(values.get("version", "1"))
    mark = fingerprint(file)
    known = _existing(kind, name, version, place)
    if known is None:
        az(create_asset(kind, file, place, {**tags, _FINGERPRINT: mark}))
        return f"{kind} {name}:{version} was created"
    if known != mark:
        problem = f"{kind} {name}:{version} exists in {place.name} with another content than {file.name}."
        raise OpsError(problem, "A version never changes: raise its number in the file and where it is used.")
    return f"{kind} {name}:{version} is in place"


def _existing(kind: str, name: str, version: str, place: Place) -> str | None:
    try:
        found = az_json(show_asset(kind, name, version, place))
    except AzureCliError as error:
        if error.is_not_found:
            return None
        raise
    tags = found.get("tags") if isinstance(found, dict) else None
    return str(tags.get(_FINGERPRINT, "")) if isinstance(tags, dict) else ""
