"""Where the project is, and what it is called."""

import os
import tomllib
from functools import cache
from pathlib import Path

from .errors import OpsError


def project_root() -> Path:
    """The project's folder: `PROJECT_ROOT`, or the nearest folder upwards that holds `pyproject.toml`.

    Raises:
        OpsError: There is none.
    """
    named = os.environ.get("PROJECT_ROOT")
    if named:
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise OpsError(f"No pyproject.toml stands in {here} or above it.", "Run the command in the project.")


@cache
def _name(pyproject: Path) -> str:
    with pyproject.open("rb") as stream:
        name: str = tomllib.load(stream)["project"]["name"]
    return name


def project_name() -> str:
    """The project's name: `PROJECT_NAME` in a cloud job, which carries the code alone, else from `pyproject.toml`."""
    return os.environ.get("PROJECT_NAME") or _name(project_root() / "pyproject.toml")


def model_name() -> str:
    """The name under which the project registers its models: the project's own."""
    return project_name()
