"""Where a model comes from: enough to make it again, and to explain it years later."""

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from .files import sha256_of
from .settings import read_settings

_CODE = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Lineage:
    """The facts of one training run; hashes are SHA-256 of contents, `created` is an ISO 8601 time in UTC.

    `commit` is empty outside git, and `dirty` tells whether tracked files differed from it.
    """

    run_id: str
    pipeline_run_id: str
    commit: str
    dirty: bool
    data_sha256: str
    config_sha256: str
    code_sha256: str
    seed: int
    python: str
    created: str


def git_state(root: Path) -> tuple[str, bool]:
    """The commit of a checkout and whether tracked files differ from it; a cloud job gets both by environment."""
    if "GIT_SHA" in os.environ:
        return os.environ["GIT_SHA"], os.environ.get("GIT_DIRTY", "false") == "true"
    command = ["git", "-C", str(root), "status", "--porcelain=v2", "--branch", "--untracked-files=no"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "", False
    lines = done.stdout.splitlines() if done.returncode == 0 else []
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid")), "")
    return ("" if commit == "(initial)" else commit), any(not line.startswith("#") for line in lines)


def collect(run_id: str, data: Path, config: Path, seed: int) -> Lineage:
    """Gather the lineage of the training run that is going on."""
    commit, dirty = git_state(_CODE)
    return Lineage(
        run_id=run_id,
        pipeline_run_id=os.environ.get("PIPELINE_RUN_ID", ""),
        commit=commit,
        dirty=dirty,
        data_sha256=sha256_of(data),
        config_sha256=sha256_of(config),
        code_sha256=sha256_of(_CODE),
        seed=seed,
        python=platform.python_version(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def read_lineage(model: Path) -> Lineage:
    """The lineage that was written into a model's folder."""
    return read_settings(Lineage, model / "lineage.json")
