"""Runs git, and is the only module that does: without the caller's configuration, hooks and environment."""

import io
import os
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

from mlops_new.errors import ToolError

_NO_ONE = {"name": "mlops-new", "email": "mlops-new@localhost"}
_NETWORK_SECONDS = 600


def _environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name == "GIT_SSL_CAINFO"
    }
    hermetic = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    return {**kept, **hermetic, **(extra or {})}


def run(*arguments: str, folder: Path | None = None, extra: Mapping[str, str] | None = None) -> bytes:
    """Run git and give its output.

    Raises:
        ToolError: git is not installed, or it failed; the message holds what it said.
    """
    command = ["git", *(["-C", str(folder)] if folder else []), *arguments]
    try:
        done = subprocess.run(
            command, env=_environment(extra), capture_output=True, check=False, timeout=_NETWORK_SECONDS
        )
    except FileNotFoundError:
        raise ToolError("git is not installed.", "Install git and put it on the path.") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"git {arguments[0]} took longer than {_NETWORK_SECONDS} s.", "Check the network.") from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise ToolError(f"git {' '.join(arguments)} failed: {said}.", "Mend the cause and try again.")
    return done.stdout


def text(*arguments: str, folder: Path | None = None) -> str:
    """Run git and give its output as text without the last line end."""
    return run(*arguments, folder=folder).decode().strip()


def is_repository(folder: Path) -> bool:
    """Whether a folder is the top of a working tree."""
    return (folder / ".git").exists()


def is_clean(folder: Path) -> bool:
    """Whether a working tree has neither changes nor untracked files."""
    return not run("status", "--porcelain", "--untracked-files=all", folder=folder)


def tags(repository: Path) -> list[str]:
    """The tags of a repository."""
    return text("tag", "--list", folder=repository).split()


def commit_of(repository: Path, reference: str) -> str:
    """The commit that a tag, branch or commit stands for."""
    return text("rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}", folder=repository)


def describe(repository: Path, commit: str) -> str:
    """A commit as copier records it: its tag, or how far it is from one, or its short hash."""
    return text("describe", "--tags", "--always", commit, folder=repository)


def extract(repository: Path, commit: str, target: Path) -> None:
    """Write the files of a commit into a folder."""
    archive = run("archive", "--format=tar", commit, folder=repository)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(target, filter="data")


def origin_with_tag(repository: Path, tag: str) -> str | None:
    """The address of the clone's origin, if that has the tag; None when it has not or cannot be reached."""
    try:
        address = text("remote", "get-url", "origin", folder=repository)
        found = text("ls-remote", "--tags", address, f"refs/tags/{tag}", folder=repository)
    except ToolError:
        return None
    return address if found else None


def mirror(address: str, target: Path) -> None:
    """Make or refresh a bare copy of a repository."""
    if target.is_dir():
        run("fetch", "--quiet", "--prune", "--tags", "--force", address, "+refs/heads/*:refs/heads/*", folder=target)
    else:
        run("clone", "--quiet", "--bare", "--", address, str(target))


def commit_everything(folder: Path, message: str) -> None:
    """Make a folder a repository whose first commit, on `main`, holds all of its files."""
    run("init", "--quiet", "--initial-branch=main", folder=folder)
    run("add", "--all", folder=folder)
    run("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message, folder=folder, extra=_identity())


def _identity() -> dict[str, str]:
    """The user's own name and address, which a hermetic git cannot see."""
    found: dict[str, str] = {}
    for key, default in _NO_ONE.items():
        done = subprocess.run(["git", "config", "--get", f"user.{key}"], capture_output=True, text=True, check=False)
        known = os.environ.get(f"GIT_AUTHOR_{key.upper()}") or done.stdout.strip() or default
        found |= {f"GIT_AUTHOR_{key.upper()}": known, f"GIT_COMMITTER_{key.upper()}": known}
    return found
