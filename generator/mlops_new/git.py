"""Runs git, and is the only module that does.

What git does on this machine is the same for everybody: it sees neither the caller's configuration nor hooks nor
variables. Only where it reaches out to another repository does it use the configuration, for the credentials,
proxies and certificates that stand there; hooks stay off.
"""

import io
import os
import posixpath
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from mlops_new.errors import CatalogError, ToolError

_NO_ONE = {"name": "mlops-new", "email": "mlops-new@localhost"}
_NETWORK_SECONDS = 600
# The user and password in an address.
_SECRET = re.compile(r"://[^/@\s]+@")


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GIT_") or name == "GIT_SSL_CAINFO"
    }
    hermetic = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return {**kept, **hermetic, **extra}


def _reaching_environment() -> dict[str, str]:
    place = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"}
    kept = {name: value for name, value in os.environ.items() if name not in place}
    return {"GIT_TERMINAL_PROMPT": "0", **kept}


def _finish(arguments: tuple[str, ...], options: list[str], environment: Mapping[str, str]) -> bytes:
    command = ["git", *options, *arguments]
    try:
        done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=_NETWORK_SECONDS)
    except FileNotFoundError:
        raise ToolError("git is not installed.", "Install git and put it on the path.") from None
    except subprocess.TimeoutExpired:
        raise ToolError(f"git {arguments[0]} took longer than {_NETWORK_SECONDS} s.", "Check the network.") from None
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split()).rstrip(".")
        problem = _SECRET.sub("://", f"git {' '.join(arguments)} failed: {said}.")
        raise ToolError(problem, "Mend the cause and try again.")
    return done.stdout


def run(*arguments: str, folder: Path | None = None, extra: Mapping[str, str] | None = None) -> bytes:
    """Run git on this machine's files and give its output.

    Raises:
        ToolError: git is not installed, or it failed; the message holds what it said.
    """
    return _finish(arguments, ["-C", str(folder)] if folder else [], _environment(extra or {}))


def reach(*arguments: str, folder: Path | None = None) -> bytes:
    """Run git against another repository, with the user's credentials and proxies, and without hooks.

    Raises:
        ToolError: git is not installed, it failed, or the other side did not answer.
    """
    hookless = ["-c", f"core.hooksPath={os.devnull}"]
    return _finish(arguments, [*hookless, *(["-C", str(folder)] if folder else [])], _reaching_environment())


def text(*arguments: str, folder: Path | None = None) -> str:
    """Run git and give its output as text without the last line end."""
    return run(*arguments, folder=folder).decode().strip()


def is_repository(folder: Path) -> bool:
    """Whether a folder is the top of a working tree."""
    return (folder / ".git").exists()


def is_clean(folder: Path) -> bool:
    """Whether a working tree has neither changes nor untracked files."""
    return not run("status", "--porcelain", "--untracked-files=all", folder=folder)


def tracked_files(folder: Path) -> frozenset[str]:
    """The files of a working tree that git keeps."""
    return frozenset(os.fsdecode(run("ls-files", "-z", folder=folder)).split("\0"))


def ignores(repository: Path, path: Path) -> bool:
    """Whether a working tree's own rules keep a path out of git; False where there is no repository."""
    try:
        run("check-ignore", "--quiet", "--", str(path), folder=repository)
    except ToolError:
        return False
    return True


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
    """Write the files of a commit into a folder.

    Raises:
        CatalogError: The commit holds a link that leads out of the folder.
    """
    archive = run("archive", "--format=tar", commit, folder=repository)
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            if member.issym() and _leads_out(member.name, member.linkname):
                problem = f"{member.name} is a link to {member.linkname}, outside of the repository."
                raise CatalogError(problem, "Put a file in the place of the link.")
        if hasattr(tarfile, "data_filter"):
            tar.extractall(target, filter="data")
        else:  # Python before 3.11.4
            tar.extractall(target)  # noqa: S202 - git made it, and its links were looked at


def _leads_out(path: str, link: str) -> bool:
    """Whether a link of a repository leads out of it."""
    aim = posixpath.normpath(posixpath.join("/top", posixpath.dirname(path), link))
    return aim != "/top" and not aim.startswith("/top/")


def origin_with_tag(repository: Path, tag: str) -> str | None:
    """The address of the clone's origin, if that has the tag; None when it has not or cannot be reached."""
    try:
        address = text("remote", "get-url", "origin", folder=repository)
        found = reach("ls-remote", "--tags", "--", address, f"refs/tags/{tag}", folder=repository)
    except ToolError:
        return None
    return address if found else None


def mirror(address: str, target: Path) -> None:
    """Make or refresh a bare copy of a repository; a new copy appears whole or not at all."""
    if target.is_dir():
        branches = "+refs/heads/*:refs/heads/*"
        reach("fetch", "--quiet", "--prune", "--tags", "--force", "--", address, branches, folder=target)
        return
    staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".mirror-"))
    try:
        reach("clone", "--quiet", "--bare", "--", address, str(staging))
        move_into_place(staging, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def move_into_place(staging: Path, target: Path) -> None:
    """Give a finished folder its name, unless another run was faster."""
    try:
        staging.rename(target)
    except OSError:
        if not target.is_dir():
            raise


def commit_everything(folder: Path, message: str) -> None:
    """Make a folder a repository whose first commit, on `main`, holds all of its files."""
    run("init", "--quiet", "--initial-branch=main", folder=folder)
    run("add", "--all", folder=folder)
    run("commit", "--quiet", "--no-verify", "--no-gpg-sign", "--message", message, folder=folder, extra=_identity())


def merge(folder: Path, branch: str) -> None:
    """Merge a branch into the one that is checked out, by a commit of its own."""
    run(
        "merge",
        "--quiet",
        "--no-ff",
        "--no-edit",
        "--no-gpg-sign",
        "--no-verify",
        branch,
        folder=folder,
        extra=_identity(),
    )


def _identity() -> dict[str, str]:
    """The user's own name and address, which a hermetic git cannot see."""
    found: dict[str, str] = {}
    for key, default in _NO_ONE.items():
        done = subprocess.run(["git", "config", "--get", f"user.{key}"], capture_output=True, text=True, check=False)
        known = os.environ.get(f"GIT_AUTHOR_{key.upper()}") or done.stdout.strip() or default
        found |= {f"GIT_AUTHOR_{key.upper()}": known, f"GIT_COMMITTER_{key.upper()}": known}
    return found
