"""`mlops-new check` as a person, a machine and a script see it."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import BIN, copy_catalog


def check(catalog: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "mlops-new"), "check", str(catalog), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    catalog = copy_catalog(tmp_path / "catalog")
    layers = catalog / "templates" / "layers"
    shutil.copy(layers / "{{layer.project}}" / ".editorconfig", layers / "{{layer.ops}}" / ".editorconfig")
    return catalog


def test_a_finding_is_a_line_with_its_place_and_the_exit_code_is_three(faulty: Path) -> None:
    done = check(faulty)
    assert done.returncode == 3
    first, last = done.stdout.splitlines()
    assert first.startswith("templates/layers/{{layer.project}}/.editorconfig: ")
    assert first.endswith("[one-owner]")
    assert last == "0 combinations, 0 distinct files: 1 finding."


def test_the_machine_gets_the_same_finding(faulty: Path) -> None:
    done = check(faulty, "--json")
    assert done.returncode == 3
    report = json.loads(done.stdout)
    assert [finding["check"] for finding in report["findings"]] == ["one-owner"]
    assert report["catalog"] == str(faulty)


def test_a_manifest_that_is_no_yaml_is_a_finding_with_its_line(faulty: Path) -> None:
    manifest = faulty / "templates" / "catalog" / "batch-scoring.yml"
    manifest.write_text("title: Batch\nlayers: [project\nsummary: x\n", encoding="utf-8")
    done = check(faulty)
    assert done.returncode == 3
    assert done.stdout.startswith("templates/catalog/batch-scoring.yml:")
    assert "cannot be read" in done.stdout


def test_a_folder_without_a_catalog_is_an_error(tmp_path: Path) -> None:
    done = check(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert "holds no catalog" in done.stderr


def test_an_unknown_pattern_is_wrong_usage_with_the_nearest_name(faulty: Path) -> None:
    done = check(faulty, "--pattern", "batch-scorin")
    assert done.returncode == 2
    assert "Did you mean 'batch-scoring'?" in done.stderr
