"""The hooks that check each commit of this repository work, behind a firewall as well."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, IDENTITY, copy_catalog, git

# Checked by `tools/dev.py test` and by tests of their own, over the whole checkout.
SLOW = "mypy,catalog"
MODULE = Path("generator/mlops_new/errors.py")


def pre_commit(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    dead = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
    environment = {**os.environ, **IDENTITY, **dead, "PATH": path, "SKIP": SLOW}
    command = [str(BIN / "pre-commit"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_catalog(tmp_path_factory.mktemp("hooks") / "checkout")


def test_the_configuration_is_valid_and_names_local_hooks_alone(checkout: Path) -> None:
    done = pre_commit(checkout, "validate-config")
    assert done.returncode == 0, done.stdout
    assert "repo: local" in (checkout / ".pre-commit-config.yaml").read_text()
    assert "repo: http" not in (checkout / ".pre-commit-config.yaml").read_text()


def test_every_file_passes_the_hooks(checkout: Path) -> None:
    done = pre_commit(checkout, "run", "--all-files")
    assert done.returncode == 0, done.stdout
    assert "ruff format" in done.stdout
    assert git(checkout, "status", "--porcelain") == ""


def test_a_hook_says_no(checkout: Path) -> None:
    with (checkout / MODULE).open("a") as module:
        module.write("x=1\n")
    git(checkout, "add", "--all")
    done = pre_commit(checkout, "run")
    git(checkout, "checkout", "--quiet", "HEAD", "--", ".")
    assert done.returncode != 0
    assert "ruff format" in done.stdout
