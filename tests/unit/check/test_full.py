"""`check --full` with stub projects, whose lint and tests are one line each."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from mlops_new.check.full import check_projects, chosen_projects
from mlops_new.check.rendered import Rendered
from mlops_new.model import RenderedFile

PYPROJECT = """
[project]
name = "stub"
version = "0"
requires-python = ">=3.11"
[dependency-groups]
dev = ["poethepoet"]
[tool.uv]
package = false
[tool.poe.tasks]
lint = {{cmd = "python -c 'print(1)'"}}
test = {{cmd = "python tests/run.py"}}
# {remark}
"""


def add(rendered: Rendered, test: str, pattern: str = "stub", remark: str = "", **files: str) -> None:
    texts = {"pyproject.toml": PYPROJECT.format(remark=remark), "tests/run.py": test, **files}
    rendered.contents |= {text: RenderedFile(text.encode()) for text in texts.values()}
    answers = {"project_name": "check-project", "pattern": pattern, "remark": remark}
    rendered.trees.append((answers, texts))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def test_projects_that_pass_give_no_finding_and_are_not_run_again(tmp_path: Path) -> None:
    rendered, steps = Rendered(), []
    add(rendered, f"open({str(tmp_path / 'ran')!r}, 'a').write('x')")
    assert check_projects(rendered, lambda *step: steps.append(step), use_cache=True) == (1, [])
    assert check_projects(rendered, lambda *_: None, use_cache=True) == (1, [])
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "x"
    assert steps == [
        ("stub: environment", 0, 3),
        ("stub: lint", 1, 3),
        ("stub: tests", 2, 3),
        ("Testing", 3, 3),
    ]


def test_without_the_cache_a_project_runs_again(tmp_path: Path) -> None:
    rendered = Rendered()
    add(rendered, f"open({str(tmp_path / 'ran')!r}, 'a').write('x')")
    for _ in range(2):
        check_projects(rendered, lambda *_: None, use_cache=False)
    assert (tmp_path / "ran").read_text(encoding="utf-8") == "xx"


def test_a_failing_test_is_a_finding_with_the_end_of_its_output_and_the_combination() -> None:
    rendered = Rendered()
    add(rendered, "import sys\nfor n in range(100): print('line', n)\nsys.exit('assert 1 == 2')", remark="blue")
    count, findings = check_projects(rendered, lambda *_: None, use_cache=True)
    assert count == 1
    (finding,) = findings
    assert finding.place == "pattern stub"
    assert finding.message.startswith("The tests of a rendered project failed:\n")
    assert "line 99" in finding.message
    assert "assert 1 == 2" in finding.message
    assert "line 9\n" not in finding.message
    assert "remark=blue" in finding.combination
    assert check_projects(rendered, lambda *_: None, use_cache=True)[1] == findings


def test_one_failing_project_does_not_keep_the_next_from_running(tmp_path: Path) -> None:
    rendered = Rendered()
    add(rendered, "raise SystemExit(1)")
    add(rendered, f"open({str(tmp_path / 'ran')!r}, 'w')", pattern="other")
    count, findings = check_projects(rendered, lambda *_: None, use_cache=True)
    assert (count, [finding.place for finding in findings]) == (2, ["pattern stub"])
    assert (tmp_path / "ran").is_file()


def test_a_distinct_testable_tree_is_tested_once_with_what_was_not_seen_yet() -> None:
    rendered = Rendered()
    add(rendered, "a", **{"docs/a.md": "one"})
    add(rendered, "a", **{"docs/a.md": "one", "docs/b.md": "more"})
    add(rendered, "a", remark="3.12", **{"docs/a.md": "one", "docs/b.md": "more"})
    add(rendered, "a", remark="3.12", **{"docs/a.md": "two"})
    add(rendered, "a", pattern="other", **{"docs/a.md": "one"})
    assert chosen_projects(rendered) == [1, 3, 4]


def test_an_interrupt_leaves_neither_a_folder_nor_a_program(tmp_path: Path) -> None:
    number = f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))"
    test = f"import os, pathlib, time\n{number}\ntime.sleep(60)"
    tree = {"pyproject.toml": PYPROJECT.format(remark=""), "tests/run.py": test}
    script = f"""
import json
from mlops_new.check.full import check_projects
from mlops_new.check.rendered import Rendered
from mlops_new.model import RenderedFile
tree = json.loads({json.dumps(tree)!r})
rendered = Rendered([({{"project_name": "p", "pattern": "stub"}}, {{path: path for path in tree}})])
rendered.contents.update({{path: RenderedFile(text.encode()) for path, text in tree.items()}})
check_projects(rendered, lambda *_: None, use_cache=False)
"""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    environment = {**os.environ, "TMPDIR": str(scratch)}
    runner = subprocess.Popen([sys.executable, "-c", script], env=environment, stderr=subprocess.DEVNULL)
    for _ in range(600):
        if (tmp_path / "pid").is_file() and (tmp_path / "pid").read_text(encoding="utf-8"):
            break
        time.sleep(0.05)
    runner.send_signal(signal.SIGINT)
    assert runner.wait(20) != 0
    assert list(scratch.iterdir()) == []
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text(encoding='utf-8')}").exists()
