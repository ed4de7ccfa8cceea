"""Proves one project: builds its environment, runs its lint and its tests."""

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mlops_new.errors import TargetError

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("environment", ("sync",)),
    ("lint", ("run", "poe", "lint")),
    ("tests", ("run", "poe", "test")),
)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step, with all that it said."""

    name: str
    passed: bool
    seconds: float
    output: str


def uv_environment() -> dict[str, str]:
    """The environment in which uv finds the project's own packages, and not this program's."""
    dropped = {"VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "UV_PROJECT_ENVIRONMENT"}
    return {name: value for name, value in os.environ.items() if name not in dropped}


def verify_project(project: Path, starting: Callable[[str], None]) -> tuple[StepResult, ...]:
    """Run each step until one fails; `starting` is told the name of each before it runs.

    Raises:
        TargetError: The folder holds no project.
    """
    if not (project / "pyproject.toml").is_file():
        raise TargetError(f"{project} holds no project: it has no pyproject.toml.", "Give a project's folder.")
    from uv import find_uv_bin  # noqa: PLC0415 - only this command needs it

    results: list[StepResult] = []
    for name, arguments in STEPS:
        starting(name)
        started = time.monotonic()
        done = subprocess.run(
            [find_uv_bin(), *arguments], cwd=project, env=uv_environment(), capture_output=True, check=False
        )
        output = (done.stdout + done.stderr).decode(errors="replace")
        results.append(StepResult(name, done.returncode == 0, time.monotonic() - started, output))
        if done.returncode:
            break
    return tuple(results)
