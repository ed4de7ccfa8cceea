"""A rendered project passes its own lint and tests, and runs its whole life; `verify` says so, or says no."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
ENVIRONMENT = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}


def is_set_up() -> bool:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "tools" / "dev.py")
    dev = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(dev)
    return dev.is_set_up()


def run(*command: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    words = [str(word) for word in command]
    return subprocess.run(words, cwd=folder, env=ENVIRONMENT, check=False, capture_output=True, text=True)


def test_a_fresh_project_passes_its_lint_and_all_its_tests(project_environment: Path, tmp_path: Path) -> None:
    target = tmp_path / "credit-scoring"
    shutil.copytree(project_environment, target, ignore=shutil.ignore_patterns(".venv"))
    done = run(BIN / "mlops-new", "verify", target)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    left = run("git", "status", "--porcelain", folder=target).stdout
    assert left == "", "The tests left files that git does not ignore."


def test_verify_says_no_to_a_project_whose_lint_fails(project_environment: Path, tmp_path: Path) -> None:
    target = tmp_path / "credit-scoring"
    shutil.copytree(project_environment, target, ignore=shutil.ignore_patterns(".venv"))
    with (target / "src" / "credit_scoring" / "stages" / "prepare.py").open("a", encoding="utf-8") as stream:
        stream.write("import os\n")
    done = run(BIN / "mlops-new", "verify", target)
    assert done.returncode == 3, done.stdout
    assert "prepare.py" in done.stdout + done.stderr


def test_the_first_command_of_the_readme_leads_to_a_champion_and_a_scored_file(tmp_path: Path) -> None:
    assert "python3 tools/dev.py life\n" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert is_set_up(), "Run python3 tools/dev.py setup first: the command would replace the environment of this test."
    target = tmp_path / "credit-scoring"
    done = run(sys.executable, ROOT / "tools" / "dev.py", "life", target)
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    versions = json.loads(run(BIN / "uv", "run", "poe", "-q", "status", "--json", folder=target).stdout)
    assert [version["role"] for version in versions] == ["champion"]
    assert list((target / ".runs" / "scoring").glob("*/score/predictions/predictions.parquet"))
    (report,) = (target / ".runs" / "monitoring").glob("*/monitor/report/report.json")
    assert json.loads(report.read_text(encoding="utf-8"))["verdict"] == "ok"
