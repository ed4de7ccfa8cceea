"""The command line, plain copier and cookiecutter make the same project, byte by byte."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, Files, read_folder
from mlops_new.catalog import load_catalog
from mlops_new.cookiecutter_door import cookiecutter_json
from mlops_new.engine import Renderer
from mlops_new.model import Catalog
from pytest_cookies.plugin import Cookies

BIN = Path(sys.executable).parent
NAME = "fraud-rings"
# Beyond the defaults: text that every format has to quote, another of each axis, an executable bit or two.
ANSWERS = {
    "project_name": NAME,
    "description": 'Says "no" to C:\\rings, <b>100 %</b> & more: é # 1',
    "owning_team": "contoso/fraud",
    "data_classification": "restricted",
    "azure_region": "swedencentral",
    "python_version": "3.13",
    "name_prefix": "ct",
    "tags": '{"reviewed": "2026-01-31", "level": "1e3"}',
}
PATTERNS = sorted(load_catalog(ROOT).patterns)


def run(*command: object, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command], env={**os.environ, **variables}, check=False, capture_output=True, text=True
    )


def by_command_line(catalog: Path, target: Path, answers: dict[str, str]) -> Files:
    data = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
    done = run(BIN / "mlops-new", "project", target, "--catalog", catalog, "--defaults", *data)
    assert done.returncode == 0, done.stderr
    return read_folder(target)


def by_copier(catalog: Path, target: Path, answers: dict[str, str]) -> Files:
    data = [part for name, value in answers.items() for part in ("-d", f"{name}={value}")]
    done = run(BIN / "copier", "copy", "--quiet", "--defaults", "--vcs-ref", "1.0.0", *data, catalog, target)
    assert done.returncode == 0, done.stderr
    return read_folder(target)


@pytest.fixture
def baked(cookies: Cookies, released_catalog: Path):
    """Bake with cookiecutter from the released catalog."""

    def bake(answers: dict[str, str]) -> Path:
        result = cookies.bake(template=str(released_catalog), extra_context=answers)
        assert result.exit_code == 0, result.exception
        return Path(result.project_path)

    return bake


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_three_front_doors_give_the_same_tree(pattern: str, released_catalog: Path, tmp_path: Path, baked) -> None:
    answers = {"pattern": pattern, **ANSWERS}
    ours = by_command_line(released_catalog, tmp_path / NAME, answers)
    assert ".copier-answers.yml" in ours
    assert ours == by_copier(released_catalog, tmp_path / "copier" / NAME, answers)
    assert ours == read_folder(baked(answers))


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_three_front_doors_agree_on_defaults(pattern: str, released_catalog: Path, tmp_path: Path, baked) -> None:
    answers = {"pattern": pattern}
    ours = by_command_line(released_catalog, tmp_path / "credit-scoring", answers)
    assert ours == by_copier(released_catalog, tmp_path / "copier" / "credit-scoring", answers)
    assert ours == read_folder(baked(answers))


def test_cookiecutter_asks_what_the_questionnaire_asks(catalog: Catalog, renderer: Renderer) -> None:
    committed = (ROOT / "cookiecutter.json").read_text(encoding="utf-8")
    assert committed == cookiecutter_json(catalog, renderer.defaults()), "Run python tools/cookiecutter_json.py."


@pytest.mark.parametrize(
    "refused", [{"project_name": "nul"}, {"data_classification": "restricted", "environments": "dev"}]
)
def test_a_refused_answer_leaves_nothing_behind_in_cookiecutter(
    refused: dict[str, str], released_catalog: Path, tmp_path: Path
) -> None:
    extra = [f"{name}={value}" for name, value in refused.items()]
    done = run(
        *(sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", tmp_path, released_catalog, *extra)
    )
    assert done.returncode != 0
    assert refused.popitem()[1] in done.stderr
    assert not any(tmp_path.iterdir())


def test_a_project_name_that_leads_upwards_makes_no_folder_outside(released_catalog: Path, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    answers = ("--no-input", "--output-dir", output, released_catalog, "project_name=../../evil")
    done = run(sys.executable, "-m", "cookiecutter", *answers)
    assert done.returncode != 0
    assert "project_name" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["output"]
    assert not any(output.iterdir())


def test_cookiecutter_does_not_write_over_a_users_files(released_catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "credit-scoring").mkdir()
    own = tmp_path / "credit-scoring" / "README.md"
    own.write_text("mine")
    overwrite = ("--no-input", "--overwrite-if-exists", "--output-dir", tmp_path, released_catalog)
    done = run(sys.executable, "-m", "cookiecutter", *overwrite)
    assert done.returncode != 0
    assert "is not empty" in done.stderr
    assert own.read_text() == "mine"


def test_cookiecutter_without_the_kit_says_what_to_install_and_leaves_nothing(
    released_catalog: Path, tmp_path: Path
) -> None:
    """The kit is hidden by a module of its name that cannot be imported."""
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "mlops_new.py").write_text("raise ImportError\n")
    output = tmp_path / "output"
    output.mkdir()
    command = (sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", output, released_catalog)
    done = run(*command, PYTHONPATH=str(tmp_path / "hide"))
    assert done.returncode != 0
    assert "pip install mlops-new" in done.stderr
    assert "Traceback" not in done.stderr
    assert not any(output.iterdir())


def test_the_answers_on_record_are_those_given(released_catalog: Path, tmp_path: Path) -> None:
    target = tmp_path / NAME
    done = run(
        *(BIN / "mlops-new", "project", target, "--catalog", released_catalog, "--defaults", "--json"),
        *(part for name, value in ANSWERS.items() for part in ("-d", f"{name}={value}")),
    )
    shown = json.loads(done.stdout)
    assert {name: shown["answers"][name] for name in ANSWERS if name != "tags"} == {
        name: value for name, value in ANSWERS.items() if name != "tags"
    }
    assert shown["answers"]["tags"] == json.loads(ANSWERS["tags"])
    assert shown["files"] == sorted(read_folder(target))
