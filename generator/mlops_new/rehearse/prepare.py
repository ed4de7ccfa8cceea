"""Makes the copy of a project that a rehearsal works with: committed on main, with values for its infrastructure."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from mlops_new import git
from mlops_new.errors import TargetError, ToolError

_ENVIRONMENTS: Final = "infra/environments"
_ID: Final = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shared/providers"
# What no commit of a project holds.
_LEFT_OUT: Final = frozenset({".git", ".venv", ".runs", "__pycache__", "mlruns", "mlartifacts", "node_modules"})
# What a team fills in before its first plan.
_VALUES: Final[dict[str, Any]] = {
    "subscription_id": "00000000-0000-0000-0000-000000000001",
    "ci_issuer": "https://issuer.example.com",
    "private_endpoint_subnet_id": f"{_ID}/Microsoft.Network/virtualNetworks/vnet/subnets/endpoints",
    "encryption_key_id": "https://kv-shared.vault.azure.net/keys/ml/1",
    "encryption_key_vault_id": f"{_ID}/Microsoft.KeyVault/vaults/kv-shared",
}


def prepare(project: Path, target: Path) -> None:
    """Copy what git would commit of a project into a repository of its own.

    Raises:
        TargetError: The folder holds no project.
    """
    if not (project / "azureml" / "workspaces.yml").is_file():
        raise TargetError(f"{project} is no project of this kit: it has no azureml/workspaces.yml.", "Give another.")
    target.mkdir(parents=True)
    for path in _files(project):
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(project / path, target / path)
    for file in sorted((target / _ENVIRONMENTS).glob("*.yml")):
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
        settings = values["settings"]
        settings |= {name: value for name, value in _VALUES.items() if name in settings and not settings[name]}
        values["state"] = {name: value or "rehearsal" for name, value in values.get("state", {}).items()}
        file.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
    git.commit_everything(target, "As rehearsed")


def fetch_packages(base: Path, environment: Mapping[str, str]) -> None:
    """Make sure that uv has what the project pins; only what this machine never had is fetched, and that once.

    Raises:
        ToolError: It cannot be fetched, or not be installed.
    """
    try:
        build_environment(base, environment)
    except ToolError:
        build_environment(base, {name: value for name, value in environment.items() if name != "UV_OFFLINE"})


def build_environment(copy: Path, environment: Mapping[str, str]) -> None:
    """Build a working copy's environment, as the workflows do.

    Raises:
        ToolError: uv failed.
    """
    for words in (
        ("venv", "--allow-existing"),
        ("pip", "sync", "--require-hashes", "requirements-dev.txt"),
        ("pip", "install", "--no-deps", "--editable", "."),
    ):
        command = ["uv", *words]
        done = subprocess.run(
            command, cwd=copy, env=dict(environment), check=False, capture_output=True, text=True, encoding="utf-8"
        )
        if done.returncode:
            said = " ".join(done.stderr.split())[-500:]
            raise ToolError(f"{' '.join(command)} failed: {said}", "Run `uv run poe setup` in the project.")


def _files(project: Path) -> list[str]:
    if not git.is_repository(project):
        found = (path.relative_to(project) for path in project.rglob("*") if path.is_file())
        return [path.as_posix() for path in found if not _LEFT_OUT & set(path.parts)]
    listed = git.run("ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=project).decode()
    return [name for name in listed.split("\0") if name and (project / name).is_file()]
