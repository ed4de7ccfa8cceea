"""What git does on this machine is the same for everybody, and what it says in an error is safe to show."""

from pathlib import Path

import pytest
from conftest import git
from mlops_new import git as kit_git
from mlops_new.errors import ToolError


@pytest.fixture
def hostile_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An operator whose own configuration runs hooks, signs, and ignores files."""
    home = tmp_path / "home"
    hooks = home / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "pre-commit").write_text(f"#!/bin/sh\ntouch {home}/ran\nexit 1\n")
    (hooks / "pre-commit").chmod(0o755)
    (home / "ignored").write_text("*.md\n")
    lines = ["[core]", f"hooksPath = {hooks}", f"excludesFile = {home}/ignored", "autocrlf = true"]
    lines += ["[commit]", "gpgSign = true", "[user]", "name = Ada", "email = ada@example.com"]
    (home / ".gitconfig").write_text("\n".join(lines) + "\n")
    monkeypatch.setenv("HOME", str(home))
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_CONFIG_GLOBAL"):
        monkeypatch.delenv(name, raising=False)
    return home


def test_an_operators_hooks_signing_and_ignore_file_do_not_touch_a_first_commit(
    hostile_home: Path, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "README.md").write_bytes(b"one\n")
    kit_git.commit_everything(project, "Start")
    assert not (hostile_home / "ran").exists()
    assert kit_git.tracked_files(project) >= {"README.md"}
    assert git(project, "log", "--format=%s by %an <%ae> on %D") == "Start by Ada <ada@example.com> on HEAD -> main"


def test_a_variable_of_a_surrounding_hook_does_not_lead_git_astray(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer, project = tmp_path / "outer", tmp_path / "project"
    for folder in (outer, project):
        folder.mkdir()
    git(outer, "init", "--quiet")
    monkeypatch.setenv("GIT_DIR", str(outer / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(outer / ".git" / "index"))
    (project / "a").write_text("a")
    kit_git.commit_everything(project, "Start")
    assert not (outer / ".git" / "index").exists()
    assert (project / ".git").is_dir()


def test_a_failure_is_a_sentence_without_the_password_in_an_address() -> None:
    with pytest.raises(ToolError) as failed:
        kit_git.run("ls-remote", "https://me:secret@127.0.0.1:9/x")
    assert "git ls-remote" in failed.value.message
    assert "secret" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_missing_git_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolError, match="git is not installed"):
        kit_git.run("version")


def test_a_mirror_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolError):
        kit_git.mirror(str(tmp_path / "absent"), tmp_path / "mirrors-target")
    assert list(tmp_path.iterdir()) == []


def test_untracked_and_changed_files_make_a_tree_unclean(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    kit_git.commit_everything(tmp_path, "Start")
    assert kit_git.is_clean(tmp_path)
    (tmp_path / "b").write_text("b")
    assert not kit_git.is_clean(tmp_path)
