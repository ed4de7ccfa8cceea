"""What the tests share: an isolated home, and the real catalog as a released clone."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlops_new.catalog import load_catalog
from mlops_new.engine import Renderer
from mlops_new.model import Catalog

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
IDENTITY = {
    "GIT_AUTHOR_NAME": "Tester",
    "GIT_AUTHOR_EMAIL": "tester@example.com",
    "GIT_COMMITTER_NAME": "Tester",
    "GIT_COMMITTER_EMAIL": "tester@example.com",
}


Files = dict[str, tuple[bytes, bool]]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder and give its output."""
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **IDENTITY},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def copy_catalog(target: Path) -> Path:
    """Copy this checkout's files, changes included, and make them a repository without a release."""
    target.mkdir(parents=True)
    for name in git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "-z").split("\0"):
        source = ROOT / name
        if name and source.is_file():
            copied = target / name
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(source.read_bytes())
            copied.chmod(source.stat().st_mode)
    git(target, "init", "--quiet", "--initial-branch=main")
    release(target, "1.0.0")
    return target


def release(catalog: Path, version: str) -> None:
    """Commit everything in a catalog and tag it."""
    git(catalog, "add", "--all", "--force")
    git(catalog, "commit", "--quiet", "--message", version)
    git(catalog, "tag", version)


@pytest.fixture(scope="session", autouse=True)
def isolated_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home and a cache of their own; uv keeps the machine's cache, which spares downloads."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UV_CACHE_DIR", os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")))
        patch.setenv("HOME", str(home))
        patch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
        patch.delenv("MLOPS_NEW_CATALOG", raising=False)
        yield home


@pytest.fixture(scope="session")
def released_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this catalog with the release 1.0.0; tests do not change it."""
    return copy_catalog(tmp_path_factory.mktemp("released") / "catalog")


@pytest.fixture
def own_catalog(tmp_path: Path) -> Path:
    """A clone of this catalog that a test may change."""
    return copy_catalog(tmp_path / "own-catalog")


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """This checkout's catalog."""
    return load_catalog(ROOT)


@pytest.fixture(scope="session")
def renderer() -> Renderer:
    """A renderer of this checkout's catalog."""
    return Renderer(ROOT, "catalog", "1.0.0")


def read_folder(folder: Path) -> Files:
    """Every file under a folder but those of git, with its bytes and whether it may be executed."""
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(folder).parts
    }


@pytest.fixture(scope="session")
def project_environment(tmp_path_factory: pytest.TempPathFactory, released_catalog: Path) -> Path:
    """A batch-scoring project on the defaults, with its own environment; tests do not change it."""
    target = tmp_path_factory.mktemp("project") / "credit-scoring"
    for command, folder in (
        ((BIN / "mlops-new", "project", target, "--catalog", released_catalog, "--defaults"), None),
        ((BIN / "uv", "sync", "--quiet"), target),
    ):
        done = subprocess.run(list(map(str, command)), cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return target
