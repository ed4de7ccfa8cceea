"""Build hook: the wheel carries the catalog as a git bundle, so that it renders with no network and no checkout.

The bundle holds one commit for each release, tagged with its version. A commit's author, date and message are
fixed, and its parent is the release before, so that the same releases give the same commits: a project made from
one bundle can be updated from the next. Releases are the checkout's tags; the version being built comes last,
from the files at hand.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PARTS = ("copier.yml", "organization.yml", "cookiecutter.json", "hooks", "templates", "{{cookiecutter.__folder}}")
# What running the layers' code in place leaves there.
LEFT_OUT = (":(exclude,glob)**/__pycache__/**", ":(exclude,glob)**/.*_cache/**")
FIXED = {
    "GIT_AUTHOR_NAME": "mlops-new",
    "GIT_AUTHOR_EMAIL": "mlops-new@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "mlops-new",
    "GIT_COMMITTER_EMAIL": "mlops-new@localhost",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """Run git hermetically and give its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**kept, **FIXED, **variables},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def released(root: Path, version: str) -> list[str]:
    """The checkout's earlier releases, oldest first; none when it is no git checkout, as in an sdist."""
    from packaging.version import InvalidVersion, Version  # noqa: PLC0415 - comes with hatchling

    if not (root / ".git").exists():
        return []
    found = []
    for tag in git(root, "tag", "--list").split():
        try:
            found.append((Version(tag), tag))
        except InvalidVersion:
            continue
    return [tag for parsed, tag in sorted(found) if parsed < Version(version)]


def write_bundle(root: Path, version: str, target: Path) -> None:
    """Write a bundle with a commit for each earlier release and one for the files at hand."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        git(work, "init", "--quiet", "--initial-branch=main")
        for tag in released(root, version):
            archive = work / ".git" / "release.tar"
            git(root, "archive", "--format=tar", "--output", str(archive), tag)
            git(work, "rm", "-r", "--quiet", "--ignore-unmatch", ".")
            subprocess.run(["tar", "-xf", str(archive), "-C", str(work)], check=True)
            _commit(work, tag)
        git(work, "rm", "-r", "--quiet", "--cached", "--ignore-unmatch", ".")
        _commit(work, version, GIT_WORK_TREE=str(root), GIT_DIR=str(work / ".git"))
        git(work, "bundle", "create", "--quiet", str(target), "main", "--tags")


def _commit(work: Path, version: str, **variables: str) -> None:
    present = [part for part in PARTS if (Path(variables.get("GIT_WORK_TREE", work)) / part).exists()]
    git(Path(variables.get("GIT_WORK_TREE", work)), "add", "--all", "--force", "--", *present, *LEFT_OUT, **variables)
    git(work, "commit", "--quiet", "--message", version, GIT_DIR=str(work / ".git"))
    git(work, "tag", version, GIT_DIR=str(work / ".git"))


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds `mlops_new/catalog.bundle` to the wheel; an editable install reads the checkout instead."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the bundle and name it as a file of the wheel."""
        if version == "editable":
            return
        target = Path(self.directory) / "catalog.bundle"
        target.parent.mkdir(parents=True, exist_ok=True)
        write_bundle(Path(self.root), self.metadata.version, target)
        build_data["force_include"][str(target)] = "mlops_new/catalog.bundle"
