"""Bicep: how it is installed, and how it plans, makes and removes an environment.

An environment is a deployment stack, so that what its values no longer ask for goes, a role above all, and nothing is
left of it when it is removed.
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .azure_cli import az, az_json
from .errors import OpsError
from .files import write_json
from .infra_run import Action, Change, Job, run

NAME: Final = "Bicep"
_SCHEMA: Final = "https://schema.management.azure.com/schemas/2019-04-01/deploymentParameters.json#"
_ACTIONS: Final[Mapping[str, Action]] = {
    "Create": "create",
    "Delete": "delete",
    "Deploy": "update",
    "Modify": "update",
    "Unsupported": "update",  # Azure cannot tell before it does it
}
_UNCHANGED: Final = frozenset(["Ignore", "NoChange", "NoEffect"])
_WORKSPACE: Final = "microsoft.machinelearningservices/workspaces"
_HOLDS_DATA: Final = frozenset(
    [
        _WORKSPACE,
        "microsoft.containerregistry/registries",
        "microsoft.keyvault/vaults",
        "microsoft.operationalinsights/workspaces",
        "microsoft.resources/resourcegroups",
        "microsoft.storage/storageaccounts",
        "microsoft.storage/storageaccounts/blobservices/containers",
    ]
)


def install(root: Path) -> str:  # noqa: ARG001 - the Azure CLI keeps it for every project
    """Install Bicep where there is none; says what there is.

    Raises:
        OpsError: The Azure CLI is missing, or could not install it.
    """
    az(["bicep", "install", "--output", "none"])
    return az(["bicep", "version"])


def check(root: Path) -> None:
    """Compile and lint, without an account.

    Raises:
        OpsError: One of them failed.
    """
    file = str(_main(root))
    run(["az", "bicep", "lint", "--file", file], os.environ)
    run(["az", "bicep", "build", "--file", file, "--stdout"], os.environ, quiet=True)


def plan(job: Job, *, destroying: bool) -> list[Change]:
    """What would change; keeps the inputs for `carry_out`."""
    stack = _stack(job)
    managed = _managed(stack)
    if destroying:
        return [Change("delete", name, _kind(name) in _HOLDS_DATA) for name in managed]
    write_json(_inputs(job), _parameters(job, stack))
    command = ["deployment", "sub", "what-if", *_deployment(job), "--no-pretty-print", "--output", "json"]
    return changes(az_json(command), managed)


def carry_out(job: Job, *, destroying: bool) -> None:
    """Do what was planned."""
    if destroying:
        _remove(job)
        return
    policy = ("--action-on-unmanage", "deleteResources", "--deny-settings-mode", "none", "--yes")
    az(["stack", "sub", "create", *_deployment(job), *policy, "--output", "none"])
    for name, value in _outputs(_stack(job)).items():
        print(f"{name}: {value}")


def changes(outcome: object, managed: list[str]) -> list[Change]:
    """What a deployment would do, from Azure's JSON, and what the stack would drop of what it manages.

    Raises:
        OpsError: Azure tells of a change that this does not know.
    """
    told = outcome.get("changes") if isinstance(outcome, dict) else None
    found, asked = [], set()
    for entry in told if isinstance(told, list) else ():
        name, kind = str(entry["resourceId"]), str(entry["changeType"])
        if kind not in _ACTIONS and kind not in _UNCHANGED:
            raise OpsError(
                f"Azure would {kind} {name}, which is unknown here.", "Look at it with az; update the project."
            )
        if kind in _ACTIONS:
            found.append(Change(_ACTIONS[kind], name, _kind(name) in _HOLDS_DATA))
        if kind != "Ignore":
            asked.add(name.lower())
    dropped = [name for name in managed if name.lower() not in asked]
    return [*found, *(Change("delete", name, _kind(name) in _HOLDS_DATA) for name in dropped)]


def _remove(job: Job) -> None:
    """The group with everything in it, for good, and then what the stack manages elsewhere."""
    group = ("--subscription", _subscription(job))
    name = job.values.resource_group
    if az(["group", "exists", "--name", name, *group, "--output", "tsv"]) != "false":
        # A workspace that is only deleted keeps its name for days.
        query = ("--query", f"[?type=='{_WORKSPACE}' || type=='Microsoft.MachineLearningServices/workspaces'].name")
        found = az_json(["resource", "list", "--resource-group", name, *group, *query, "--output", "json"])
        for workspace in found if isinstance(found, list) else ():
            which = ("--name", str(workspace), "--resource-group", name, *group)
            az(["ml", "workspace", "delete", *which, "--permanently-delete", "--yes", "--output", "none"])
        az(["group", "delete", "--name", name, *group, "--yes", "--output", "none"])
    if _stack(job) is not None:
        policy = ("--action-on-unmanage", "deleteAll", "--yes", "--output", "none")
        az(["stack", "sub", "delete", "--name", name, *group, *policy])


def _stack(job: Job) -> Mapping[str, object] | None:
    """What Azure knows of the environment; None where it was never made."""
    query = ("--query", f"[?name=='{job.values.resource_group}']")
    found = az_json(["stack", "sub", "list", "--subscription", _subscription(job), *query, "--output", "json"])
    return found[0] if isinstance(found, list) and found else None


def _managed(stack: Mapping[str, object] | None) -> list[str]:
    held = stack.get("resources") if stack else None
    return [str(entry["id"]) for entry in held] if isinstance(held, list) else []


def _outputs(stack: Mapping[str, object] | None) -> dict[str, object]:
    """What the files give out, such as the client id of the CI system's identity."""
    held = stack.get("outputs") if stack else None
    return {str(name): entry["value"] for name, entry in held.items()} if isinstance(held, dict) else {}


def _parameters(job: Job, stack: Mapping[str, object] | None) -> dict[str, object]:
    """The inputs as a file of parameters. A budget starts when it was first made: Azure lets nobody change that."""
    held = stack.get("parameters") if stack else None
    given = held.get("budget_start") if isinstance(held, dict) else None
    start = given.get("value") if isinstance(given, dict) else None
    first = datetime.now(UTC).replace(day=1).strftime("%Y-%m-01T00:00:00Z")
    values = {"environment": job.values.environment, "budget_start": start or first}
    parameters = {name: {"value": value} for name, value in values.items()}
    return {"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "parameters": parameters}


def _deployment(job: Job) -> tuple[str, ...]:
    place = ("--name", job.values.resource_group, "--location", job.values.location)
    where = (*place, "--subscription", _subscription(job))
    return (*where, "--template-file", str(_main(job.root)), "--parameters", str(_inputs(job)))


def _kind(name: str) -> str:
    """The type of the resource that an id names."""
    parts = name.lower().rpartition("/providers/")[2].split("/") if "/providers/" in name.lower() else []
    if not parts:
        return "microsoft.resources/resourcegroups"
    return "/".join([parts[0], *parts[1::2]])


def _main(root: Path) -> Path:
    return root / "infra" / "bicep" / "main.bicep"


def _inputs(job: Job) -> Path:
    return job.work / "parameters.json"


def _subscription(job: Job) -> str:
    return str(job.values.settings["subscription_id"])
