"""Which files of a folder are looked at, and what each of them is."""

import fnmatch
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from mlops_new import git
from mlops_new.errors import ToolError

_LEFT_OUT = frozenset(
    [".git", ".venv", "node_modules", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "build", "dist"]
)
_BINARY = frozenset(
    [".parquet", ".png", ".jpg", ".gz", ".zip", ".whl", ".db", ".bundle", ".pdf", ".pyc", ".so", ".xlsx"]
)
_AZUREML = re.compile(r"^\$schema: \S*(?:azuremlschemas|azureml/sdk)", re.MULTILINE)


def find_files(folder: Path) -> list[str]:
    """The files of a folder, without what git ignores and what tools leave behind."""
    names = _known_to_git(folder) if git.is_repository(folder) else _walked(folder)
    return sorted(
        name
        for name in names
        if not _LEFT_OUT & set(name.split("/")) and Path(name).suffix not in _BINARY and (folder / name).is_file()
    )


def _known_to_git(folder: Path) -> list[str]:
    try:
        listed = git.run("ls-files", "--cached", "--others", "--exclude-standard", "-z", folder=folder)
    except ToolError:
        return _walked(folder)
    return [name for name in listed.decode(errors="surrogateescape").split("\0") if name]


def _walked(folder: Path) -> list[str]:
    return [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]


def named(*patterns: str) -> Callable[[Path, Sequence[str]], list[str]]:
    """Chooses the files whose path matches a pattern; one without a slash is compared with the name alone."""

    def choose(_: Path, paths: Sequence[str]) -> list[str]:
        return [
            path
            for path in paths
            if any(fnmatch.fnmatchcase(path if "/" in p else path.rpartition("/")[2], p) for p in patterns)
        ]

    return choose


def azureml_files(folder: Path, paths: Sequence[str]) -> list[str]:
    """YAML files that name a schema of Azure Machine Learning."""
    return [path for path in named("*.yml", "*.yaml")(folder, paths) if _AZUREML.search(_text(folder / path))]


def shell_files(folder: Path, paths: Sequence[str]) -> list[str]:
    """Shell scripts, by their ending or their first line."""
    scripts = named("*.sh", "*.bash")(folder, paths)
    bare = [path for path in paths if "." not in path.rpartition("/")[2]]
    return [*scripts, *(path for path in bare if re.match(r"#!.*\b(?:ba|da)?sh\b", _text(folder / path)))]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
