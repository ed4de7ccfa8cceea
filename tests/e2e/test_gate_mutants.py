"""Every comparison of the gate, and of the intervals that it stands on, is guarded by a rendered test."""

import json
import os
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
MUTATION = Path(__file__).with_name("mutation.py")
MODULES = {
    "gate": ("tests/ops/test_gate.py",),
    "bootstrap": ("tests/ops/test_bootstrap.py",),
}
FEWEST = {"gate": 50, "bootstrap": 4}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_mutant_survives(module: str, project_environment: Path) -> None:
    python = project_environment / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    command = [str(python), str(MUTATION), str(project_environment), f"credit_scoring.ops.{module}", *MODULES[module]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    verdict = json.loads(done.stdout)
    assert not verdict["unchanged_source_fails"], "The tests fail on the source as it is."
    assert verdict["mutants"] >= FEWEST[module]
    assert verdict["survivors"] == []
