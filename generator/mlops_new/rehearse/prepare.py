"""Makes the copy of a project that a rehearsal works with: committed on main, with values for its infrastructure."""

import shutil
from pathlib import Path
from typing import Any, Final

import yaml

from mlops_new import git
from mlops_new.errors import TargetError

_ENVIRONMENTS: Final = "infra/environments"
_ID: Final = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-shared/providers"
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


def _files(project: Path) -> list[str]:
    if not git.is_repository(project):
        return [path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()]
    listed = git.run("ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=project).decode()
    return [name for name in listed.split("\0") if name and (project / name).is_file()]
