"""`mlops-new verify`: runs what proves a project, stops at the first failure, and says which."""

import json
import os
import stat
from pathlib import Path

import pytest
from mlops_new import verify
from mlops_new.cli import main
from mlops_new.errors import DONE, REFUSED, USAGE


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and a uv that fails at the step that a file names."""
    fake = tmp_path / "uv"
    fake.write_text(
        '#!/bin/sh\necho "$@" >>calls\nenv >environment\necho "output of $*"\n'
        'if [ -f fails ] && echo "$@" | grep -q -- "$(cat fails)"; then echo "it broke" >&2; exit 7; fi\n'
    )
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(fake))
    target = tmp_path / "project"
    target.mkdir()
    (target / "pyproject.toml").touch()
    return target


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["mlops-new", "verify", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code or DONE


def test_a_sound_project_passes_each_step_in_order(project: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, project) == DONE
    assert (project / "calls").read_text().splitlines() == ["sync", "run poe lint", "run poe test"]
    said = capsys.readouterr()
    assert said.out.splitlines()[-1] == "The project is sound."
    assert said.err.splitlines() == ["environment ...", "lint ...", "tests ..."]


@pytest.mark.parametrize(("step", "called"), [("sync", 1), ("lint", 2), ("test", 3)])
def test_it_stops_at_the_first_step_that_fails_and_shows_what_it_said(
    project: Path, monkeypatch, capsys, step: str, called: int
) -> None:
    (project / "fails").write_text(step)
    assert run(monkeypatch, project) == REFUSED
    assert len((project / "calls").read_text().splitlines()) == called
    said = capsys.readouterr()
    name = verify.STEPS[called - 1][0]
    assert said.out.splitlines()[-1] == f"The project fails at its {name}."
    assert "it broke" in said.err


def test_a_machine_gets_the_steps_and_the_verdict(project: Path, monkeypatch, capsys) -> None:
    (project / "fails").write_text("lint")
    assert run(monkeypatch, project, "--json") == REFUSED
    shown = json.loads(capsys.readouterr().out)
    assert shown["passed"] is False
    assert [(step["name"], step["passed"]) for step in shown["steps"]] == [("environment", True), ("lint", False)]


def test_the_environment_of_this_program_does_not_leak_into_the_projects(project: Path, monkeypatch) -> None:
    monkeypatch.setenv("VIRTUAL_ENV", "/elsewhere")
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert run(monkeypatch, project) == DONE
    assert "/elsewhere" not in (project / "environment").read_text()
    assert f"PATH={os.environ['PATH']}" in (project / "environment").read_text()


def test_a_folder_without_a_project_is_refused(tmp_path: Path, monkeypatch, capsys) -> None:
    assert run(monkeypatch, tmp_path / "nothing") == USAGE
    assert "holds no project" in capsys.readouterr().err
