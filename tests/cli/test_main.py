"""The command line as a whole: its help, its exit codes, and what it does not load."""

import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from cli import mlops_new
from conftest import ROOT

# Not pydantic: typer itself converts arguments by it, and so do `copier` and others that stand here.
HEAVY = {"copier", "prompt_toolkit", "questionary", "cookiecutter", "jinja2", "azure", "yaml", "uv", "rich"}
SPY = """
import json, sys
from mlops_new.cli import main
sys.argv = ["mlops-new", *sys.argv[1:]]
try:
    main()
except SystemExit:
    pass
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""


def loaded(*arguments: str) -> set[str]:
    done = subprocess.run([sys.executable, "-c", SPY, *arguments], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(json.loads(done.stderr.splitlines()[-1]))


@pytest.mark.parametrize("arguments", [("--help",), ("patterns",), ("patterns", "--json")])
def test_a_command_that_only_shows_loads_nothing_heavy(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) & HEAVY == set()


def test_a_command_that_renders_loads_copier(tmp_path: Path) -> None:
    """The test above would say nothing if its spy saw nothing."""
    assert "copier" in loaded("project", str(tmp_path / "credit-scoring"), "--defaults", "--dry-run")


def test_the_help_names_each_command() -> None:
    done = mlops_new("--help")
    assert done.returncode == 0
    for name in ("project", "patterns", "verify", "check", "support"):
        assert f"\n  {name} " in done.stdout


def test_the_version_is_that_of_the_package() -> None:
    assert mlops_new("--version").stdout.strip() == version("mlops-new")


@pytest.mark.parametrize("arguments", [("projct",), ("project", "--colour"), ("patterns", "a", "b")])
def test_wrong_usage_leaves_with_2(arguments: tuple[str, ...]) -> None:
    done = mlops_new(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_it_runs_as_a_module_too() -> None:
    done = subprocess.run([sys.executable, "-m", "mlops_new", "--version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, version("mlops-new"))


def test_a_system_error_is_a_sentence(tmp_path: Path) -> None:
    done = mlops_new("patterns", "--catalog", f"file://{ROOT}", XDG_CACHE_HOME=os.devnull, HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
