"""Terraform: how it is installed, and how it plans, makes and removes an environment."""

import hashlib
import json
import os
import platform
import shutil
import urllib.request
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .errors import OpsError
from .files import remove, write_json
from .infra_run import Action, Change, Job, run

NAME: Final = "Terraform"
# One release, by the hash that its maker published for Linux on x86-64.
_RELEASE: Final = "1.11.4"
_HASH: Final = "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc"  # pragma: allowlist secret
_ARCHIVE: Final = f"https://releases.hashicorp.com/terraform/{_RELEASE}/terraform_{_RELEASE}_linux_amd64.zip"
_HOLDS_DATA: Final = frozenset(
    [
        "azurerm_container_registry",
        "azurerm_key_vault",
        "azurerm_log_analytics_workspace",
        "azurerm_machine_learning_workspace",
        "azurerm_resource_group",
        "azurerm_storage_account",
        "azurerm_storage_container",
    ]
)


def install(root: Path) -> str:
    """Install Terraform for this project where there is none; says what there is.

    Raises:
        OpsError: There is no release for this machine, or what came is not what was published.
    """
    if found := shutil.which("terraform", path=_environment(root)["PATH"]):
        return f"Terraform is at {found}."
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise OpsError("Terraform is not on the path.", "Install Terraform 1.9 or newer as its maker says.")
    target = root / "infra" / ".work" / "bin" / "terraform"
    target.parent.mkdir(parents=True, exist_ok=True)
    archive = target.with_suffix(".zip")
    try:
        with urllib.request.urlopen(_ARCHIVE, timeout=300) as answer:
            archive.write_bytes(answer.read())
        if hashlib.sha256(archive.read_bytes()).hexdigest() != _HASH:
            raise OpsError(
                f"{_ARCHIVE} is not what was published: its hash differs.", "Do not use it; tell who runs the network."
            )
        with zipfile.ZipFile(archive) as content:
            content.extract("terraform", target.parent)
        target.chmod(0o755)
    except OSError as error:
        raise OpsError(f"{_ARCHIVE} cannot be fetched: {error}.", "Install Terraform 1.9 or newer by hand.") from None
    finally:
        remove(archive)
    return f"Terraform {_RELEASE} is at {target}."


def check(root: Path) -> None:
    """Check format and meaning, and run the tests of `infra/terraform/tests`, without an account.

    Raises:
        OpsError: One of them failed.
    """
    data = root / "infra" / ".work" / "check"
    data.mkdir(parents=True, exist_ok=True)
    for arguments in (("fmt", "-check", "-diff", "-recursive"), ("init", "-backend=false", "-input=false"), ("test",)):
        _terraform(root, data, *arguments)


def plan(job: Job, *, destroying: bool) -> list[Change]:
    """Show what would change, and keep the plan for `carry_out`."""
    inputs, target = job.work / "inputs.tfvars.json", job.work / "plan"
    write_json(inputs, _inputs(job))
    state = [f"-backend-config={name}={value}" for name, value in sorted(job.values.state.items())]
    _terraform(job.root, job.work, "init", "-input=false", "-reconfigure", *state)
    goal = ["-destroy"] if destroying else []
    _terraform(job.root, job.work, "plan", *goal, "-input=false", f"-var-file={inputs}", f"-out={target}")
    return changes(json.loads(_terraform(job.root, job.work, "show", "-json", str(target), quiet=True)))


def carry_out(job: Job, *, destroying: bool) -> None:  # noqa: ARG001 - the plan says which
    """Do what was planned, and that alone."""
    _terraform(job.root, job.work, "apply", "-input=false", str(job.work / "plan"))


def changes(plan: Mapping[str, object]) -> list[Change]:
    """What a plan would do, from Terraform's JSON."""
    found = []
    resources = plan.get("resource_changes")
    for entry in resources if isinstance(resources, list) else ():
        actions = set(entry["change"]["actions"])
        action: Action | None = (
            "replace"
            if {"delete", "create"} <= actions
            else next((known for known in ("create", "update", "delete") if known in actions), None)
        )
        if action:
            found.append(Change(action, str(entry["address"]), entry["type"] in _HOLDS_DATA))
    return found


def _inputs(job: Job) -> dict[str, object]:
    given = {name: value for name, value in job.values.settings.items() if value is not None}
    start = datetime.now(UTC).replace(day=1).strftime("%Y-%m-01T00:00:00Z")
    return {**given, "environment": job.values.environment, "budget_start": start}


def _terraform(root: Path, work: Path, *arguments: str, quiet: bool = False) -> str:
    command = ["terraform", f"-chdir={root / 'infra' / 'terraform'}", *arguments]
    own = {"TF_IN_AUTOMATION": "1", "TF_DATA_DIR": str(work / "terraform")}
    return run(command, {**_environment(root), **own, **identity(os.environ)}, quiet=quiet)


def _environment(root: Path) -> dict[str, str]:
    path = f"{os.environ.get('PATH', '')}{os.pathsep}{root / 'infra' / '.work' / 'bin'}"
    return {**os.environ, "PATH": path}


def identity(environment: Mapping[str, str]) -> dict[str, str]:
    """How a CI run signs in: by a token that it renews itself, never by a secret. On a laptop `az login` counts."""
    if environment.get("ACTIONS_ID_TOKEN_REQUEST_URL") and environment.get("AZURE_CLIENT_ID"):
        who = (environment["AZURE_CLIENT_ID"], environment.get("AZURE_TENANT_ID", ""))
        own = {}
    elif connection := environment.get("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"):
        who = (environment.get("AZURESUBSCRIPTION_CLIENT_ID", ""), environment.get("AZURESUBSCRIPTION_TENANT_ID", ""))
        own = {"ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID": connection}
    else:
        return {}
    return {"ARM_USE_OIDC": "true", "ARM_CLIENT_ID": who[0], "ARM_TENANT_ID": who[1], **own}
