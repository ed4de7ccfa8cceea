"""Resource groups and deployment stacks of the stand-in: what Bicep makes, and what is left when it is removed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops_new.lint import bicep
from mlops_new.lint.bicep_tree import first, inner, parse, text_of
from mlops_new.rehearse.az_project import Places
from mlops_new.rehearse.az_state import State
from mlops_new.rehearse.az_table import AzError, Call
from mlops_new.rehearse.az_validate import once, read_yaml

_WORKSPACE = "Microsoft.MachineLearningServices/workspaces"


class Stacks:
    """The resource groups of a project, and the stacks that made them."""

    def __init__(self, state: State, places: Places) -> None:
        """Know where what stands."""
        self._state, self._places = state, places

    def answer(self, call: Call) -> object:
        """Do what a command asks."""
        group = call.text("--resource-group") or call.text("--name")
        environment = self._places.environment_of_group(group) or ""
        found: object = None
        match call.command:
            case "group exists":
                found = bool(self._state.resources(environment))
            case "group delete":
                self._clear(environment)
            case "resource list":
                found = self._listed(environment)
            case "ml workspace delete":
                self._state.remove_assets(call.text("--name"))
            case "stack sub list":
                found = [self._shown(name) for name in self._places.groups.values() if self._is_there(name)]
            case "stack sub delete":
                self._clear(environment)
                self._state.remember(f"stack:{group}", "")
            case "bicep lint" | "bicep build":
                _require_sound(self._state, Path(call.text("--file")))
                found = {}
            case "deployment sub what-if":
                known = self._state.resources(environment)
                ids = list(self._declared(call))
                found = {
                    "changes": [{"resourceId": i, "changeType": "NoChange" if i in known else "Create"} for i in ids]
                }
            case "stack sub create":
                self._state.set_resources(environment, list(self._declared(call)))
                self._state.remember(f"stack:{group}", "there")
                self._state.event("resources", environment=environment, count=len(self._state.resources(environment)))
            case _:  # bicep install, bicep version
                found = "Bicep CLI version 0.40.2 (rehearsal)"
        return found

    def _clear(self, environment: str) -> None:
        self._state.set_resources(environment, [])
        self._state.remove_assets(self._places.workspaces[environment])
        self._state.event("resources", environment=environment, count=0)

    def _is_there(self, group: str) -> bool:
        return bool(self._state.fact(f"stack:{group}"))

    def _shown(self, group: str) -> dict[str, Any]:
        environment = self._places.environment_of_group(group) or ""
        return {
            "name": group,
            "resources": [{"id": one} for one in self._state.resources(environment)],
            "parameters": {},
        }

    def _listed(self, environment: str) -> list[dict[str, str]]:
        stands = any(_WORKSPACE in one for one in self._state.resources(environment))
        return [{"name": self._places.workspaces[environment], "type": _WORKSPACE}] if stands else []

    def _declared(self, call: Call) -> Iterator[str]:
        """An id for each resource that the files of a deployment declare."""
        main, inputs = Path(call.text("--template-file")), Path(call.text("--parameters"))
        _require_sound(self._state, main)
        read_yaml(inputs)
        group = f"/subscriptions/{call.text('--subscription')}/resourceGroups/{call.text('--name')}"
        for path in sorted(main.parent.rglob("*.bicep")):
            for node in inner(parse(path.read_bytes())):
                if node.type == "resource_declaration" and "existing" not in text_of(node).partition("=")[0]:
                    kind = text_of(first(node, "string") or node).strip("'").partition("@")[0]
                    name = text_of(first(node, "identifier") or node)
                    is_group = kind == "Microsoft.Resources/resourceGroups"
                    yield group if is_group else f"{group}/providers/{kind}/{path.stem}-{name}"


def _require_sound(state: State, main: Path) -> None:
    paths = sorted(main.parent.rglob("*.bicep"))
    if not paths:
        raise AzError(f"{main} does not exist.")
    with once(state, [b"bicep", *(path.read_bytes() for path in paths)]) as is_new:
        names = [path.relative_to(main.parent).as_posix() for path in paths]
        found = [str(item) for item in bicep.faults(main.parent, names)] if is_new else []
        if found:
            raise AzError(f"{found[0]} (and {len(found) - 1} more)")
