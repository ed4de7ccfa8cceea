"""The project whose delivery is rehearsed, as the stand-in sees it: its places, and who may do what there."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from mlops_new.errors import ToolError

_READS = frozenset({"watch", "plan"})
SIGNED_IN = ".git/azure-identity"
_PURPOSES = ("rollback", "watch", "plan", "infra")


@dataclass(frozen=True, slots=True)
class Places:
    """The workspaces and the registry that `azureml/workspaces.yml` names; environments in their order."""

    registry: str
    model: str
    workspaces: Mapping[str, str]
    groups: Mapping[str, str]

    def environment_of(self, workspace: str) -> str | None:
        """The environment that a workspace stands for."""
        return next((name for name, known in self.workspaces.items() if known == workspace), None)

    def environment_of_group(self, group: str) -> str | None:
        """The environment that a resource group holds."""
        return next((name for name, known in self.groups.items() if known == group), None)

    def rights(self, identity: str, environment: str | None) -> frozenset[str]:
        """What an identity may do in an environment, or with None in the registry.

        An identity is called after its environment, with what it is for behind a dash; it may do what the project's
        page on setting the cloud up gives it, and no more.
        """
        own, purpose = self._parted(identity)
        if own is None:
            return frozenset()
        if environment is None:
            return (
                frozenset({"read"}) if purpose in _READS else frozenset({"read", "write"} if purpose != "infra" else ())
            )
        if environment == own:
            if purpose == "infra":
                return frozenset({"own"})
            return frozenset({"read"}) if purpose in _READS else frozenset({"read", "write"})
        order = list(self.workspaces)
        before = order[order.index(own) - 1] if order.index(own) else None
        return frozenset({"read"}) if environment == before and purpose in ("", "rollback") else frozenset()

    def _parted(self, identity: str) -> tuple[str | None, str]:
        for purpose in _PURPOSES:
            if identity.endswith(f"-{purpose}") and identity.removesuffix(f"-{purpose}") in self.workspaces:
                return identity.removesuffix(f"-{purpose}"), purpose
        return (identity, "") if identity in self.workspaces else (None, "")


def read_places(root: Path) -> Places:
    """Read where a project lives.

    Raises:
        ToolError: The project lacks the file, or it cannot be read.
    """
    path = root / "azureml" / "workspaces.yml"
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
        workspaces = values["workspaces"]
        return Places(
            str(values["registry"]),
            str(values["model"]),
            {name: str(entry["workspace"]) for name, entry in workspaces.items()},
            {name: str(entry["resource_group"]) for name, entry in workspaces.items()},
        )
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError):
        raise ToolError(f"{path} does not tell where the project lives.", "Give a project of this kit.") from None


def identity_at(root: Path) -> str:
    """Who is signed in to az in a working copy, or nobody."""
    marker = root / SIGNED_IN
    return marker.read_text(encoding="utf-8") if marker.is_file() else ""


def top_of(folder: Path) -> Path | None:
    """The working copy that a folder stands in."""
    return next((path for path in (folder, *folder.parents) if (path / ".git").exists()), None)
