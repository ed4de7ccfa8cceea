"""Applies rendered Terraform with a stand-in for Azure, and translates what it asks for into Azure's own words."""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azurerm_stand_in import MAP
from bicep_functions import RefusedError
from mlops_new.lint.terraform_run import RELEASES, Workspace, schemas, workspace

Body = dict[str, Any]
_BACKEND = 'terraform {\n  backend "local" {}\n}\n'
_FORMS = {
    "not": lambda value: not value,
    "enabled": lambda value: "enabled" if value else "disabled",
    "Enabled": lambda value: "Enabled" if value else "Disabled",
    "standard": lambda value: f"Standard_{value}",
    "joined": ", ".join,
    "values": lambda value: [{"value": item} for item in value],
    "allowed values": lambda value: [{"value": item, "action": "Allow"} for item in value],
    "access": {"private": "None", "blob": "Blob", "container": "Container"}.__getitem__,
    "builtin": lambda value: f"builtin {value}",
    "key": lambda value: dict(
        zip(("keyvaulturi", "keyname", "keyversion"), (value.split("keys/")[0], *value.split("/")[-2:]), strict=True)
    ),
    "zones": lambda value: [
        {"name": item.rpartition("/")[2], "properties": {"privateDnsZoneId": item}} for item in value
    ],
}


class Terraform:
    """A configuration that can be applied, from nothing each time."""

    def __init__(self, space: Workspace) -> None:
        self._space = space
        self._run("init", "-input=false", "-no-color")

    def apply(self, environment: str, budget_start: str, settings: Mapping[str, Any]) -> list[Body]:
        """The resources of an environment, as the state holds them.

        Raises:
            RefusedError: Terraform refuses the settings or the configuration.
        """
        given = {"environment": environment, "budget_start": budget_start, **settings}
        for state in self._space.folder.glob("*.tfstate*"):
            state.unlink()
        (self._space.folder / "terraform.tfvars.json").write_text(json.dumps(given), encoding="utf-8")
        self._run("apply", "-auto-approve", "-input=false", "-no-color", "-compact-warnings")
        held = json.loads((self._space.folder / "terraform.tfstate").read_text(encoding="utf-8"))["resources"]
        return [
            {"type": item["type"], "values": instance["attributes"]}
            for item in held
            if item["mode"] == "managed"
            for instance in item["instances"]
        ]

    @contextmanager
    def changed(self, path: str, old: str, new: str) -> Iterator[None]:
        """Change a file for a while."""
        file = self._space.folder / path
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise RefusedError(f"{old!r} stands {text.count(old)} times in {path}")
        file.write_text(text.replace(old, new), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(text, encoding="utf-8")

    def _run(self, *command: str) -> None:
        done = self._space.run(*command)
        if done.code:
            raise RefusedError(" ".join(done.errors.split()))


@contextmanager
def terraform(folder: Path) -> Iterator[Terraform]:
    """The Terraform of a project, with a provider that gives each resource Azure's id."""
    files = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    with workspace(folder, files, RELEASES[-1], "infra/terraform") as space:
        _use_own_provider(next(space.folder.parents[2].glob("mirror/**/terraform-provider-azurerm_v*")))
        (space.folder / "backend_override.tf").write_text(_BACKEND, encoding="utf-8")
        yield Terraform(space)


def _use_own_provider(wrapper: Path) -> None:
    here = Path(__file__).with_name("azurerm_stand_in.py")
    wrapper.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{here}'\n", encoding="utf-8")


def read_terraform(state: list[Body]) -> list[tuple[str, Body]]:
    """The id and the body of each resource that a state holds, in the words of Azure's resource manager."""
    found: list[tuple[str, Body]] = []
    for item in state:
        entry = MAP["resources"].get(item["type"])
        if entry is None:
            raise RefusedError(f"{item['type']} is not in infrastructure_map.yml")
        found += _Translation(item["type"], entry).bodies(item["values"])
    return found


class _Translation:
    def __init__(self, name: str, entry: Body) -> None:
        self.name, self.entry = name, entry
        self.block = schemas()[RELEASES[-1]]["resource_schemas"][name]
        self.made: dict[str, Body] = {}

    def bodies(self, values: Body) -> Iterator[tuple[str, Body]]:
        self.made[""] = {}
        for path, numbers, value in self._leaves(values, self.block, "", ()):
            if not self._is_in_id(path):
                self._translate(path, numbers, value)
        self._put_always(values)
        yield from ((values["id"] + suffix, body) for suffix, body in self.made.items())

    def _is_in_id(self, path: str) -> bool:
        return "{" + path + "}" in self.entry["id"] or (path == "resource_group_name" and "{group}" in self.entry["id"])

    def _translate(self, path: str, numbers: tuple[int, ...], value: Any) -> None:
        target = self.entry["settings"].get(path)
        if target is None:
            raise RefusedError(f"{self.name}.{path} is not in infrastructure_map.yml")
        if isinstance(target, str):
            property_path, _, form = target.partition(" | ")
            self._put(property_path, _FORMS[form](value) if form else value, numbers)
        elif value != target["is"]:
            raise RefusedError(f"{self.name}.{path} is {value!r}, not {target['is']!r}")

    def _leaves(
        self, values: Body, block: Body, prefix: str, numbers: tuple[int, ...]
    ) -> Iterator[tuple[str, tuple[int, ...], Any]]:
        """Each attribute that is set: its path in the map, which block of each list it is in, and its value."""
        for key, value in values.items():
            attribute, path = block.get("attributes", {}).get(key), f"{prefix}{key}"
            is_decided = attribute and attribute.get("computed") and not attribute.get("optional")
            if value in (None, [], {}) or is_decided or key == "id":
                continue
            if not isinstance(value, list) or not isinstance(value[0], dict):
                yield path, numbers, value
                continue
            is_list = any(known.startswith(f"{path}[]") for known in self.entry["settings"])
            if not is_list and len(value) > 1:
                raise RefusedError(f"{self.name}.{path} stands {len(value)} times")
            inner = block.get("block_types", {}).get(key, {}).get("block", {})
            for number, item in enumerate(value):
                place = (f"{path}[].", (*numbers, number)) if is_list else (f"{path}.", numbers)
                yield from self._leaves(item, inner, *place)

    def _put(self, target: str, value: Any, numbers: tuple[int, ...]) -> None:
        suffix, _, path = target.rpartition(" ") if target.startswith("+") else ("", "", target)
        body, pending = self.made.setdefault(suffix.removeprefix("+"), {}), list(numbers)
        *parents, last = path.split("/")
        for part in parents:
            body = body.setdefault(part.removesuffix("[]"), [] if part.endswith("[]") else {})
            if part.endswith("[]"):
                number = pending.pop(0)
                body.extend({} for _ in range(number + 1 - len(body)))
                body = body[number]
        if last in body:
            raise RefusedError(f"{self.name}: {target} twice")
        body[last] = value

    def _put_always(self, values: Body) -> None:
        asked = [self.entry.get("always", {})]
        asked += [more for name, more in self.entry.get("with", {}).items() if _holds(values, name)]
        asked += [more for name, more in self.entry.get("without", {}).items() if not _holds(values, name)]
        for path, value in (pair for more in asked for pair in more.items()):
            before, mark, _ = path.partition("[]")
            for number in range(self._count(before)) if mark else [None]:
                self._put(path, value, () if number is None else (number,))

    def _count(self, path: str) -> int:
        body: Any = self.made[""]
        for part in path.split("/"):
            body = body.get(part, {})
        return len(body)


def _holds(values: Any, name: str) -> bool:
    for part in name.split("."):
        values = values[0] if isinstance(values, list) and values else values
        values = values.get(part) if isinstance(values, dict) else None
    return bool(values)
