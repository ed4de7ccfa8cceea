"""What every language of infrastructure shares: the work to do, what it would change, and how its program runs."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from .errors import OpsError
from .infra_values import Values

Action = Literal["create", "update", "delete", "replace"]


class Change(NamedTuple):
    """What would happen to a resource."""

    action: Action
    name: str
    holds_data: bool


@dataclass(frozen=True)
class Job:
    """An environment whose resources are looked at or changed."""

    root: Path
    values: Values

    @property
    def work(self) -> Path:
        """A folder for what is written on the way."""
        folder = self.root / "infra" / ".work" / self.values.environment
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def run(command: Sequence[str], environment: Mapping[str, str], *, quiet: bool = False) -> str:
    """Run a program; what it says is shown, or with `quiet` given back.

    Raises:
        OpsError: There is no such program, or it failed.
    """
    program = shutil.which(command[0], path=environment.get("PATH"))
    if program is None:
        raise OpsError(f"{command[0]} is not on the path.", "Install it, or run uv run poe infra-setup.")
    capture = subprocess.PIPE if quiet else None
    done = subprocess.run(
        [program, *command[1:]], env=environment, stdout=capture, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        words = " ".join([Path(command[0]).name, *(word for word in command[1:] if not word.startswith("-"))][:2])
        raise OpsError(f"{words} failed with exit code {done.returncode}.", "What it said stands above.")
    return done.stdout or ""
