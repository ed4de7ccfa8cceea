"""`mlops-new project`: what it makes, what it refuses, and that a refusal leaves nothing behind."""

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli import mlops_new
from conftest import BIN, IDENTITY, git, read_folder
from ruamel.yaml import YAML


@pytest.fixture
def make(released_catalog: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the command in an empty folder."""
    (tmp_path / "desk").mkdir()

    def run(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
        catalog = {"MLOPS_NEW_CATALOG": str(released_catalog)}
        return mlops_new("project", *arguments, folder=tmp_path / "desk", **{**catalog, **variables})

    return run


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    return tmp_path / "desk"


def answers_of(project: Path) -> dict[str, object]:
    return YAML(typ="safe").load((project / ".copier-answers.yml").read_text())


def test_a_project_is_a_repository_with_one_commit_of_the_user(make, desk: Path) -> None:
    done = make("credit-scoring", "--defaults")
    assert done.returncode == 0, done.stderr
    target = desk / "credit-scoring"
    assert git(target, "log", "--format=%s|%an") == "Start from batch-scoring 1.0.0|Tester"
    assert git(target, "status", "--porcelain") == ""
    assert git(target, "branch", "--show-current") == "main"
    assert done.stdout.splitlines()[0] == f"cd {target}"
    assert len(done.stdout.splitlines()) == 3


def test_the_folder_names_the_project_and_without_one_the_name_makes_the_folder(make, desk: Path) -> None:
    make("fraud-rings", "--defaults", "--no-git")
    assert answers_of(desk / "fraud-rings")["project_name"] == "fraud-rings"
    assert not (desk / "fraud-rings" / ".git").exists()
    make("--defaults", "-d", "project_name=churn-scoring")
    assert answers_of(desk / "churn-scoring")["project_name"] == "churn-scoring"


def test_a_dry_run_shows_the_tree_and_writes_nothing(make, desk: Path) -> None:
    done = make("credit-scoring", "--defaults", "--dry-run")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert "pyproject.toml" in lines
    assert lines[lines.index("src/") + 2] == "  credit_scoring/"
    assert "files would be made in" in done.stderr
    assert list(desk.iterdir()) == []


def test_json_tells_a_machine_what_was_made(make, desk: Path) -> None:
    shown = json.loads(make("credit-scoring", "--defaults", "--json").stdout)
    assert shown["project"] == str(desk / "credit-scoring")
    assert shown["version"] == "1.0.0"
    assert shown["dry_run"] is False
    assert shown["files"] == sorted(read_folder(desk / "credit-scoring"))
    assert shown["answers"]["pattern"] == "batch-scoring"


def test_another_release_is_rendered_by_its_tag(own_catalog: Path, make, desk: Path) -> None:
    (own_catalog / "templates" / "layers" / "{{layer.project}}" / "NEW.md").write_text("# New\n")
    git(own_catalog, "add", "--all")
    git(own_catalog, "commit", "--quiet", "--message", "New")
    git(own_catalog, "tag", "1.1.0")
    make("newest", "--defaults", "--catalog", own_catalog)
    make("older", "--defaults", "--catalog", own_catalog, "--version", "1.0.0")
    assert (desk / "newest" / "NEW.md").is_file()
    assert not (desk / "older" / "NEW.md").exists()
    assert answers_of(desk / "older")["_commit"] == "1.0.0"


@pytest.mark.parametrize("suffix", ["yml", "json"])
def test_answers_come_from_a_file_and_the_command_line_goes_before_it(make, desk: Path, suffix: str) -> None:
    answers = {"contact": "a@b.de", "cost_centre": "CC-1", "tags": {"a": "b"}}
    (desk / f"answers.{suffix}").write_text(json.dumps(answers))
    done = make("credit-scoring", "--defaults", "--answers-file", f"answers.{suffix}", "-d", "cost_centre=CC-2")
    assert done.returncode == 0, done.stderr
    found = answers_of(desk / "credit-scoring")
    assert (found["contact"], found["cost_centre"], found["tags"]) == ("a@b.de", "CC-2", {"a": "b"})


REFUSED = [
    (("--defaults", "-d", "conact=a@b.de"), "'conact', which is no question", "Did you mean 'contact'?"),
    (("--defaults", "-d", "package_name=x"), "'package_name', which is no question", ""),
    (("--defaults", "-d", "contact"), "-d 'contact' is no answer", "question=answer"),
    (("--defaults", "--pattern", "batch-scorin"), "pattern 'batch-scorin' is refused", "pattern=batch-scoring"),
    (("--defaults", "-d", "python_version=3.9"), "python_version '3.9' is refused", "python_version=3.11"),
    (
        ("--defaults", "-d", "data_classification=restricted", "-d", "environments=dev"),
        "Confidential and restricted data need a validation in test",
        "environments=dev_test_prod",
    ),
    (("--defaults", "-d", "contact=nobody"), 'contact "nobody" is not an e-mail address', "Give one such as"),
    ((), "no answer to pattern, description", "--defaults"),
    (("--defaults", "--answers-file", "absent.yml"), "absent.yml cannot be read", "Correct the path"),
    (("--defaults", "--catalog", "../../absent"), "../../absent does not exist", "Give a folder"),
    (("--defaults", "--version", "9.9.9"), "no version '9.9.9'", "Did you mean|Known are"),
]


@pytest.mark.parametrize(("options", "problem", "remedy"), REFUSED, ids=[case[1] for case in REFUSED])
def test_a_refusal_says_why_and_what_to_do_and_writes_nothing(
    make, desk: Path, options: tuple[str, ...], problem: str, remedy: str
) -> None:
    done = make("credit-scoring", *options)
    assert done.returncode in (1, 2)
    assert problem in done.stderr
    assert any(part in done.stderr for part in remedy.split("|"))
    assert done.stderr.startswith("Error: ")
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert list(desk.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\xff\xfe", "not UTF-8"),
        (b"- a\n", "no mapping"),
        (b"a: [\n", "cannot be parsed"),
        (b"contact: 7\n", "no text"),
    ],
)
def test_an_answers_file_that_cannot_be_understood_is_refused(make, desk: Path, content: bytes, problem: str) -> None:
    (desk / "answers.yml").write_bytes(content)
    done = make("credit-scoring", "--defaults", "--answers-file", "answers.yml")
    assert done.returncode == 2
    assert problem in done.stderr
    assert not (desk / "credit-scoring").exists()


def test_an_organization_file_presets_requires_forbids_and_adds(make, desk: Path) -> None:
    (desk / "contoso.yml").write_text(
        "defaults: {azure_region: northeurope}\nrequire: {environments: dev_test_prod}\n"
        "forbid: {data_classification: [restricted]}\nnaming: {prefix: ct}\ntags: {criticality: high}\n"
    )
    given = ("--defaults", "--organization", "contoso.yml")
    assert make("credit-scoring", *given, "-d", "tags={level: gold}").returncode == 0
    found = answers_of(desk / "credit-scoring")
    assert (found["azure_region"], found["name_prefix"]) == ("northeurope", "ct")
    assert found["tags"] == {"criticality": "high", "level": "gold"}
    forbidden = make("payroll", *given, "-d", "data_classification=restricted")
    assert forbidden.returncode == 2
    assert "contoso.yml forbids it" in forbidden.stderr
    required = make("payroll", *given, "-d", "environments=dev")
    assert required.returncode == 2
    assert "contoso.yml requires dev_test_prod" in required.stderr
    assert not (desk / "payroll").exists()


@pytest.mark.parametrize("name", ["con", "a:b", "ends.", "x" * 300, "nul.txt"])
def test_a_folder_that_some_system_cannot_carry_is_refused(make, desk: Path, name: str) -> None:
    done = make(name, "--defaults", "-d", "project_name=credit-scoring")
    assert done.returncode == 2
    assert "no usable name" in done.stderr
    assert list(desk.iterdir()) == []


def test_a_path_upwards_is_followed_and_settled(make, desk: Path) -> None:
    done = make("../desk/../desk/credit-scoring", "--defaults")
    assert done.returncode == 0
    assert f"cd {desk / 'credit-scoring'}" in done.stdout


def test_a_folder_in_a_catalog_is_refused(make, own_catalog: Path) -> None:
    done = make(own_catalog / "templates" / "project", "--defaults", "-d", "project_name=credit-scoring")
    assert done.returncode == 2
    assert "lies in a catalog" in done.stderr


def test_a_folder_with_files_is_left_alone_unless_git_could_restore_it(make, desk: Path) -> None:
    target = desk / "credit-scoring"
    target.mkdir()
    (target / "README.md").write_text("mine\n")
    assert "is not empty" in make("credit-scoring", "--defaults").stderr
    assert "not the top of a git repository" in make("credit-scoring", "--defaults", "--force").stderr
    git(target, "init", "--quiet")
    assert "clean working tree" in make("credit-scoring", "--defaults", "--force").stderr
    assert (target / "README.md").read_text() == "mine\n"
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "Mine")
    assert make("credit-scoring", "--defaults", "--force").returncode == 0
    assert (target / "README.md").read_text() != "mine\n"
    assert git(target, "log", "--format=%s") == "Mine", "nothing is committed for the user"
    assert git(target, "show", "HEAD:README.md") == "mine"


def test_a_place_that_cannot_be_written_is_named_without_a_traceback(make) -> None:
    done = make("/proc/credit-scoring", "--defaults")
    assert done.returncode == 2
    assert "/proc/credit-scoring cannot be written" in done.stderr
    assert "Traceback" not in done.stderr


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, folder: Path, catalog: Path, *options: str) -> None:
        self.primary, secondary = pty.openpty()
        self.said = ""
        command = [str(BIN / "mlops-new"), "project", *options, "--catalog", str(catalog)]
        environment = {**os.environ, **IDENTITY, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"}
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), secondary)
        self.process = subprocess.Popen(command, cwd=folder, env=environment, start_new_session=True, **streams)
        os.close(secondary)

    def read_until(self, text: str) -> None:
        deadline = time.monotonic() + 60
        while text not in self.said and time.monotonic() < deadline and self.reads():
            pass
        assert text in self.said, self.said[-2000:]

    def reads(self) -> bool:
        """Take what was said meanwhile; false when nobody will say more."""
        if select.select([self.primary], [], [], 0.1)[0]:
            try:
                self.said += os.read(self.primary, 65536).decode(errors="replace")
            except OSError:  # the other end is closed
                return False
        return True

    def press(self, keys: bytes) -> None:
        os.write(self.primary, keys)

    def wait(self) -> int:
        deadline = time.monotonic() + 60
        while self.reads() and time.monotonic() < deadline:
            pass
        return self.process.wait(10)


def test_on_a_terminal_it_asks_what_it_was_not_told(released_catalog: Path, make, desk: Path) -> None:  # noqa: ARG001
    terminal = Terminal(desk, released_catalog, "credit-scoring", "-d", "contact=risk@contoso.com")
    terminal.read_until("Which architectural pattern")
    for question in ("in one sentence", "owns the project", "Part of the business", "Cost centre"):
        terminal.press(b"\r")
        terminal.read_until(question)
    terminal.press(b"\x7f" * 7 + b"CC-77\r")
    for question in ("Which system runs", "Which language describes", "How sensitive", "Which environments"):
        terminal.read_until(question)
        terminal.press(b"\r")
    for question in ("Azure region", "Python version", "Prefix of each", "Extra tags"):
        terminal.read_until(question)
        terminal.press(b"\r" if question != "Extra tags" else b"\x1b\r")
    terminal.read_until("How often")
    terminal.press(b"\r")
    assert terminal.wait() == 0, terminal.said[-2000:]
    found = answers_of(desk / "credit-scoring")
    assert (found["contact"], found["cost_centre"]) == ("risk@contoso.com", "CC-77")
    assert "E-mail address" not in terminal.said, "what was told is not asked"


def test_an_interrupted_questionnaire_leaves_nothing(released_catalog: Path, make, desk: Path) -> None:  # noqa: ARG001
    terminal = Terminal(desk, released_catalog, "credit-scoring")
    terminal.read_until("Which architectural pattern")
    terminal.press(b"\x03")
    assert terminal.wait() == 130
    assert "Interrupted" in terminal.said
    assert "Traceback" not in terminal.said
    assert list(desk.iterdir()) == []
