"""The programs that stand first on the path of a rehearsal: `az`, `uv`, `terraform`, and who approves."""

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlops_new.errors import ToolError
from mlops_new.rehearse.az import FOLDER

_MODULES = {
    "az": "az",
    "terraform": "terraform",
    "rehearsal-approve": "approve",
    "rehearsal-check": "checks",
}
# The verbs that judge the code alone are answered by `rehearsal-check`, which may run them or not.
_UV = """#!/bin/bash
if [[ "$1 $2" == "run poe" && ( "$3" == lint || "$3" == test || "$3" == train ) ]]; then
  exec rehearsal-check "{uv}" "${{@:3}}"
fi
exec "{uv}" "$@"
"""
_SECRET = ("AZURE_", "ARM_", "AZURESUBSCRIPTION_", "GITHUB_", "ACTIONS_", "SYSTEM_", "TF_", "VIRTUAL_ENV", "PYTHON")


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a rehearsal takes place: its folders, and the environment that workflows start with."""

    folder: Path
    environment: Mapping[str, str]

    @property
    def state(self) -> Path:
        """What the stand-in for Azure knows."""
        return self.folder / "state"


def set_stage(folder: Path) -> Stage:
    """Write the programs, and make the environment of a rehearsal; nothing of this machine's own sign-in is in it.

    Raises:
        ToolError: There is no uv.
    """
    programs = folder / "bin"
    programs.mkdir(parents=True)
    own_path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    uv = shutil.which("uv", path=own_path)
    if uv is None:
        raise ToolError("There is no uv on the path.", "Install it: the project's own set-up needs it too.")
    for name, module in _MODULES.items():
        _write(programs / name, f"#!/bin/sh\nexec '{sys.executable}' -m mlops_new.rehearse.{module} \"$@\"\n")
    _write(programs / "uv", _UV.format(uv=uv))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRET)}
    package = Path(__file__).resolve().parents[2]
    return Stage(
        folder,
        {
            **kept,
            FOLDER: str(folder / "state"),
            "PATH": f"{programs}{os.pathsep}{own_path}",
            "PYTHONPATH": str(package),
            "UV_NO_PROGRESS": "1",
            "UV_OFFLINE": "1",
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "hardlink"),
            "NO_COLOR": "1",
        },
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
    path.chmod(0o755)
