"""Models, environments, data assets, components and schedules of the stand-in: a version never changes."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mlops_new.rehearse.az_state import Asset, State, now
from mlops_new.rehearse.az_table import AzError
from mlops_new.rehearse.az_validate import check_with_sdk, read_sets, read_yaml, tags_of


class Assets:
    """The assets of a workspace or of the registry."""

    def __init__(self, state: State, place: str) -> None:
        """Know the place."""
        self._state, self._place = state, place

    def create(self, kind: str, file: Path, given: list[str]) -> dict[str, Any]:
        """Create a version from its file; a schedule is replaced.

        Raises:
            AzError: The file is refused, or the version exists.
        """
        values = read_yaml(file)
        check_with_sdk(self._state, kind, file)
        name = str(values.get("name") or "")
        if not name:
            raise AzError(f"{file}: name is required.")
        tags = {str(k): str(v) for k, v in (values.get("tags") or {}).items()} | tags_of(read_sets(given))
        version = "1" if kind == "schedule" else str(values.get("version") or self._next(kind, name))
        content = self._content(kind, name, version, values.get("path"), file.parent) if kind == "model" else ""
        body = {"file": file.name, "values": json.loads(json.dumps(values, default=str))}
        made = Asset(self._place, kind, name, version, tags, body, content, now())
        if kind == "schedule" and self._state.assets(self._place, kind, name):
            return _shown(made)
        if not self._state.add_asset(made):
            problem = f"{name}:{version} already exists in {self._place} and cannot be changed."
            raise AzError(f"(UserError) A {kind} with this name and version exists. {problem}")
        return _shown(made)

    def show(self, kind: str, name: str, version: str) -> dict[str, Any]:
        """A version, as az shows it."""
        return _shown(self._one(kind, name, version))

    def versions(self, kind: str, name: str) -> list[dict[str, Any]]:
        """All versions; those of a name that was never used are none."""
        return [_shown(asset) for asset in self._state.assets(self._place, kind, name)]

    def update(self, kind: str, name: str, version: str, given: list[str]) -> dict[str, Any]:
        """Set tags; nothing else of a version can be set.

        Raises:
            AzError: There is no such version, or something else is set.
        """
        sets = read_sets(given)
        others = [path for path in sets if not path.startswith("tags.")]
        if others:
            raise AzError(f"(UserError) {others[0]} of a {kind} cannot be changed.")
        self._state.set_tags(self._one(kind, name, version), tags_of(sets))
        return self.show(kind, name, version)

    def share(self, name: str, version: str, target: tuple[str, str, str]) -> dict[str, Any]:
        """Copy a model to a registry, under a name and a version."""
        registry, as_name, as_version = target
        asset = self._one("model", name, version)
        copy = Assets(self._state, registry).copied(asset, as_name, as_version)
        if not self._state.add_asset(copy):
            raise AzError(f"(UserError) {as_name}:{as_version} already exists in {registry}.")
        return _shown(copy)

    def download(self, name: str, version: str, target: Path) -> None:
        """Copy a model's files to where az puts them."""
        asset = self._one("model", name, version)
        shutil.copytree(asset.content, target / name / Path(asset.content).name, dirs_exist_ok=True)

    def copied(self, asset: Asset, name: str, version: str) -> Asset:
        """A version of another place, with its bytes in this one's store."""
        content = self._content("model", name, version, asset.content, Path())
        return replace(asset, place=self._place, name=name, version=version, content=content, created=now())

    def _one(self, kind: str, name: str, version: str) -> Asset:
        for asset in self._state.assets(self._place, kind, name):
            if asset.version == version:
                return asset
        raise AzError(f"(NotFound) {kind} {name}:{version} not found in {self._place}.", 3)

    def _next(self, kind: str, name: str) -> int:
        known = [int(asset.version) for asset in self._state.assets(self._place, kind, name) if asset.version.isdigit()]
        return max(known, default=0) + 1

    def _content(self, kind: str, name: str, version: str, path: object, beside: Path) -> str:
        """Copy a model's bytes into the place's own store."""
        text = str(path or "")
        parts = text.removeprefix("azureml://jobs/").split("/outputs/")
        is_output = text.startswith("azureml://jobs/") and len(parts) == 2  # noqa: PLR2004 - the job and its output
        source = self._state.folder / "jobs" / parts[0] / parts[1] if is_output else beside / text
        if not text or not source.is_dir():
            raise AzError(f"(NotFound) The path {text!r} of {kind} {name} does not exist.")
        target = self._state.folder / "content" / self._place / name / version / "model"
        if not target.exists():
            shutil.copytree(source, target)
        return str(target)


def _shown(asset: Asset) -> dict[str, Any]:
    tags: Mapping[str, str] = asset.tags
    return {
        "name": asset.name,
        "version": asset.version,
        "tags": dict(tags),
        "creation_context": {"created_at": asset.created},
    }
