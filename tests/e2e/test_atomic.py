"""A project appears whole or not at all, wherever the run is interrupted."""

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import IDENTITY, Files, git, read_folder
from mlops_new import git as kit_git
from mlops_new import project
from mlops_new.errors import KitError, TargetError
from mlops_new.model import RenderedFile, Rendering
from mlops_new.project import ProjectPlan, check_target, create_project
from mlops_new.store import Release

BIN = Path(sys.executable).parent
RELEASE = Release(Path("/nonexistent"), "catalog", "1.0.0")
TREE = {
    "README.md": RenderedFile(b"A project\n"),
    "run.sh": RenderedFile(b"#!/bin/sh\n", executable=True),
    "src/kit/deep.py": RenderedFile(b"x = 1\n"),
    "src/kit/other.py": RenderedFile(b"y = 1\n"),
}
# Every way in which `create_project` changes the disk.
OPERATIONS = (
    *((Path, name) for name in ("mkdir", "write_bytes", "chmod", "replace", "rename", "rmdir", "unlink")),
    (shutil, "copy2"),
    (shutil, "rmtree"),
    (kit_git, "run"),
)
FAULTS = (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt())


class Injector:
    """Counts the operations, and fails before or after one of them."""

    def __init__(self, index: int, fault: BaseException | None) -> None:
        self.index, self.fault, self.seen = index, fault, []

    def wrap(self, name: str, real: Callable) -> Callable:
        def step() -> None:
            self.seen.append(name)
            if self.fault is not None and len(self.seen) - 1 == self.index:
                raise self.fault

        def wrapped(*arguments, **options):
            step()
            result = real(*arguments, **options)
            step()
            return result

        return wrapped


@contextmanager
def faults(index: int = -1, fault: BaseException | None = None) -> Iterator[Injector]:
    injector = Injector(index, fault)
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in OPERATIONS:
            patch.setattr(owner, name, injector.wrap(name, getattr(owner, name)))
        yield injector


def plan(target: Path) -> ProjectPlan:
    overwrites = check_target(target, RELEASE, force=True)
    return ProjectPlan(target, Rendering(TREE, {"pattern": "stub"}), RELEASE, overwrites)


def expected(extra: Files | None = None) -> Files:
    return {**(extra or {}), **{path: (file.content, file.executable) for path, file in TREE.items()}}


def is_whole(target: Path) -> bool:
    return (
        read_folder(target) == expected()
        and git(target, "status", "--porcelain") == ""
        and git(target, "log", "--format=%s") == "Start from stub 1.0.0"
    )


def test_a_fault_before_or_after_any_operation_leaves_a_whole_project_or_none(tmp_path: Path) -> None:
    with faults() as counted:
        create_project(plan(tmp_path / "counted" / "deep" / "project"))
    assert {"mkdir", "write_bytes", "chmod", "replace", "rename", "run"} <= set(counted.seen)
    appeared = []
    for index in range(len(counted.seen)):
        target = tmp_path / str(index) / "deep" / "project"
        with faults(index, FAULTS[index // 2 % 2]), pytest.raises((KitError, KeyboardInterrupt, OSError)):
            create_project(plan(target))
        appeared.append(target.exists())
        if not appeared[-1]:
            create_project(plan(target))
        assert is_whole(target), f"{counted.seen[index]}, {index}"
        assert [path.name for path in target.parent.iterdir()] == ["project"], "something lies beside the project"
    moved = counted.seen.index("rename")
    assert appeared == [index > moved for index in range(len(appeared))], "it appears in one moment"


@pytest.mark.parametrize("fault", FAULTS, ids=["full disk", "interrupt"])
def test_a_fault_leaves_an_empty_folder_that_was_there_or_a_whole_project(tmp_path: Path, fault: BaseException) -> None:
    (tmp_path / "counted").mkdir()
    with faults() as counted:
        create_project(plan(tmp_path / "counted"), with_git=False)
    assert "rmdir" in counted.seen
    for index in range(len(counted.seen) - 2):
        target = tmp_path / str(index)
        target.mkdir()
        with faults(index, fault), pytest.raises((TargetError, KeyboardInterrupt)):
            create_project(plan(target), with_git=False)
        assert not target.exists() or read_folder(target) in ({}, expected())
        assert list(tmp_path.glob(".*")) == []


def test_a_fault_is_told_as_one_sentence_about_the_folder(tmp_path: Path) -> None:
    with faults(3, FAULTS[0]), pytest.raises(TargetError, match=r"cannot be written: No space left on device"):
        create_project(plan(tmp_path / "project"))


# --- Into a repository, with --force ---


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[str], Path]:
    template = tmp_path / "template"
    (template / "src").mkdir(parents=True)
    (template / "README.md").write_text("The team's\n")
    (template / "own.txt").write_text("The team's too\n")
    (template / "src" / "run.sh").write_text("echo\n")
    (template / "run.sh").symlink_to("src/run.sh")
    git(template, "init", "--quiet", "--initial-branch=main")
    git(template, "add", "--all")
    git(template, "commit", "--quiet", "--message", "Start")

    def make(name: str) -> Path:
        return Path(shutil.copytree(template, tmp_path / name, symlinks=True))

    return make


def state(folder: Path) -> tuple[Files, list[str], str]:
    links = [f"{path.name} -> {path.readlink()}" for path in folder.iterdir() if path.is_symlink()]
    folders = [path.name for path in folder.rglob("*") if path.is_dir() and ".git" not in path.parts]
    return read_folder(folder), sorted(links + folders), git(folder, "status", "--porcelain")


def is_complete(folder: Path, before: Files) -> bool:
    return read_folder(folder) == expected(before)


def test_a_fault_in_force_leaves_the_repository_as_it_was_or_complete(repository: Callable[[str], Path]) -> None:
    first = repository("counted")
    before = state(first)
    made = plan(first)
    with faults() as counted:
        create_project(made)
    assert is_complete(first, before[0])
    assert {"rename", "replace", "copy2", "write_bytes", "mkdir"} <= set(counted.seen)
    outcomes = []
    for index in range(len(counted.seen) - 2):
        target = repository(str(index))
        made = plan(target)
        with faults(index, FAULTS[index // 2 % 2]), pytest.raises((TargetError, KeyboardInterrupt)):
            create_project(made)
        outcomes.append(is_complete(target, before[0]))
        assert outcomes[-1] or state(target) == before
    assert outcomes == sorted(outcomes)
    assert not outcomes[0]


def test_a_run_killed_in_force_is_taken_back_by_the_next_run(
    repository: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill runs no `finally`: simulated by a fault where nothing is taken back, as another process."""
    first = repository("counted")
    before = state(first)
    made = plan(first)
    dead = subprocess.Popen(["true"])
    dead.wait()
    with faults() as counted:
        create_project(made)
    half_written = 0
    for index in range(len(counted.seen) - 2):
        target = repository(str(index))
        made = plan(target)
        with monkeypatch.context() as patch:
            patch.setattr(project, "_take_back", lambda *_: None)
            patch.setattr(os, "getpid", lambda: dead.pid)
            with faults(index, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
                create_project(made)
        if expected().items() <= read_folder(target).items():
            continue  # complete, but for its tidying
        half_written += state(target)[2] != ""
        create_project(plan(target))
        assert is_complete(target, before[0])
        assert list(target.glob(".mlops-new-*")) == []
    assert half_written >= 3, "no kill fell between two files: the test proves nothing"


def test_what_the_team_changed_after_a_kill_is_not_taken_back(repository: Callable[[str], Path]) -> None:
    target = repository("project")
    staging = target / ".mlops-new-99999999"
    (staging / "ready").mkdir(parents=True)
    (staging / ".gitignore").write_text("*\n")
    (staging / "ready" / "README.md").write_text("The kit's\n")
    (target / "README.md").write_text("The kit's, and the team's since\n")
    with pytest.raises(TargetError, match="clean working tree"):
        check_target(target, RELEASE, force=True)
    assert (target / "README.md").read_text() == "The kit's, and the team's since\n"


# --- Killed for good ---


def started(catalog: Path, target: Path, *options: str) -> subprocess.Popen:
    command = [BIN / "mlops-new", "project", target, "--catalog", catalog, "--defaults", *options]
    return subprocess.Popen(
        command, env={**os.environ, **IDENTITY}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def kill_when(process: subprocess.Popen, ready: Callable[[], bool], number: int) -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and not ready() and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(number)


def begun(parent: Path, least: int) -> Callable[[], bool]:
    def look() -> bool:
        return any(sum(1 for _ in folder.rglob("*")) >= least for folder in parent.glob(".credit-scoring.mlops-new-*"))

    return look


@pytest.mark.parametrize("least", [1, 20, 130])
def test_a_killed_run_leaves_no_project_and_the_next_run_cleans_up(
    released_catalog: Path, tmp_path: Path, least: int
) -> None:
    target = tmp_path / "credit-scoring"
    process = started(released_catalog, target)
    kill_when(process, begun(tmp_path, least), signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "the run was faster than the test"
    assert not target.exists()
    assert len(list(tmp_path.glob(".credit-scoring.mlops-new-*"))) == 1
    following = started(released_catalog, target)
    _, said = following.communicate()
    assert following.returncode == 0, said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["credit-scoring"]
    assert git(target, "status", "--porcelain") == ""


def test_an_interrupted_run_leaves_nothing_and_says_so_in_a_word(released_catalog: Path, tmp_path: Path) -> None:
    process = started(released_catalog, tmp_path / "credit-scoring")
    kill_when(process, begun(tmp_path, 10), signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_a_run_that_is_alive_is_left_alone(tmp_path: Path) -> None:
    alive = tmp_path / f".project.mlops-new-{os.getppid()}"
    other = tmp_path / ".project.mlops-new-notes"
    dead = tmp_path / ".project.mlops-new-99999999"
    for folder in (alive, other, dead):
        folder.mkdir()
    create_project(plan(tmp_path / "project"), with_git=False)
    assert alive.is_dir()
    assert other.is_dir()
    assert not dead.exists()
