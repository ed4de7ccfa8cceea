"""Runs the command line as a user does."""

import os
import subprocess
from pathlib import Path

from conftest import BIN, IDENTITY


def mlops_new(*arguments: object, folder: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / "mlops-new"), *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **IDENTITY, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
