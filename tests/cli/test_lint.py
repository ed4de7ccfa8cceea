"""`mlops-new lint`: a verdict on any folder, for people and for machines."""

import json
from pathlib import Path

import pytest
from cli import mlops_new
from conftest import git
from mlops_new.engine import Renderer
from mlops_new.project import write_tree


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository with a fault of each severity, and the same faults where nobody looks."""
    for place in ("", "ignored/", ".venv/"):
        (tmp_path / f"{place}docs").mkdir(parents=True)
        (tmp_path / f"{place}docs" / "page.md").write_text("# One\n\n# Two\n\n[gone](gone.md)\n")
        (tmp_path / f"{place}settings.yml").write_text("password: hunter2-hunter2\n")
    (tmp_path / ".gitignore").write_text("ignored/\n")
    git(tmp_path, "init", "--quiet")
    return tmp_path


def test_each_fault_is_a_line_with_its_place_rule_and_severity(folder: Path) -> None:
    done = mlops_new("lint", folder)
    assert done.returncode == 3
    *faults, summary = done.stdout.splitlines()
    assert [line.rsplit(" [", 1)[1] for line in faults] == [
        "markdown-title, low]",
        "markdown-link, medium]",
        "secrets, high]",
    ]
    assert faults[1].startswith("docs/page.md:5: The link leads to gone.md")
    assert summary == "3 files: 3 faults."


@pytest.mark.parametrize(("least", "count"), [("low", 3), ("medium", 2), ("high", 1)])
def test_what_is_less_severe_can_be_left_out(folder: Path, least: str, count: int) -> None:
    shown = json.loads(mlops_new("lint", folder, "--severity", least, "--json").stdout)
    assert len(shown["diagnostics"]) == count


def test_a_machine_gets_every_diagnostic_and_what_was_judged(folder: Path) -> None:
    shown = json.loads(mlops_new("lint", folder, "--json").stdout)
    assert shown["files"] == 3
    assert shown["judged"] == {"yamllint": 1, "markdown": 1, "secrets": 3}
    assert shown["diagnostics"][0] == {
        "path": "docs/page.md",
        "line": 3,
        "rule": "markdown-title",
        "severity": "low",
        "message": "The page has a second title: make it a section.",
    }


def test_a_sound_folder_leaves_with_0(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# One\n")
    done = mlops_new("lint", tmp_path)
    assert (done.returncode, done.stdout) == (0, "1 files: no faults.\n")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    done = mlops_new("lint", tmp_path / "absent")
    assert done.returncode == 2
    assert "absent is no folder" in done.stderr


@pytest.mark.parametrize(
    "answers", [{}, {"ci": "azure_devops", "data_classification": "restricted"}], ids=["defaults", "other"]
)
def test_a_rendered_project_has_no_fault(renderer: Renderer, tmp_path: Path, answers: dict[str, str]) -> None:
    write_tree(renderer.render(answers).tree, tmp_path)
    git(tmp_path, "init", "--quiet")
    shown = json.loads(mlops_new("lint", tmp_path, "--json").stdout)
    assert shown["diagnostics"] == []
    assert {"yamllint", "ruff", "azureml", "secrets", "markdown", "hadolint", "requirements"} <= set(shown["judged"])
