"""The real tools, run on whole rendered projects; results are kept by what was checked and by which version."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlops_new import git
from mlops_new.errors import MissingExtraError
from mlops_new.model import RenderedFile

_LOCATED = re.compile(
    r"(?P<path>[\w./{}-]+\.(?:py|ya?ml|toml|sh)|CODEOWNERS)(?::(?P<line>\d+))?(?::\d+)?:? (?P<message>.+)"
)
# The sub-folder of a project, where several stand beside each other.
_VARIANT = re.compile(r"^variant-\d+/")
_GITHUB = re.compile(r"::\w+ file=(?P<path>[^,]+),line=(?P<line>\d+),title=[^:]*::(?P<message>.+)")


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, its package, the paths that it judges, and the paths that it needs besides.

    It is run once in a folder that holds a project in each sub-folder, or once in each project: as many as it
    takes to show it every distinct content of the paths that it judges.
    """

    name: str
    package: str
    command: tuple[str, ...]
    prefixes: tuple[str, ...]
    settings: tuple[str, ...] = ()
    one_at_a_time: bool = False


PYTHON = ("src/", "tests/")
WORKFLOWS = (".github/",)
AZUREML = ("azureml/pipelines/", "azureml/components/", "azureml/data/", "azureml/schedules/", "azureml/environments/")
TOOLS: tuple[Tool, ...] = (
    Tool(
        "ruff-check",
        "ruff",
        ("ruff", "check", "--no-cache", "--output-format=concise", "."),
        PYTHON,
        ("pyproject.toml",),
    ),
    Tool("ruff-format", "ruff", ("ruff", "format", "--no-cache", "--check", "."), PYTHON, ("pyproject.toml",)),
    Tool(
        "yamllint",
        "yamllint",
        ("yamllint", "--strict", "--format=parsable", "."),
        ("azureml/", "config/", "governance/", ".github/", "catalog-info.yaml", ".pre-commit-config.yaml"),
        (".yamllint", ".gitignore"),
    ),
    Tool("jactionlint", "jactionlint", ("jactionlint", "--oneline", "--no-color"), WORKFLOWS, one_at_a_time=True),
    Tool("zizmor", "zizmor", ("zizmor", "--offline", "--no-progress", "--format=github", "."), WORKFLOWS),
    Tool(
        "pyproject",
        "validate-pyproject",
        ("validate-pyproject", "pyproject.toml"),
        ("pyproject.toml",),
        one_at_a_time=True,
    ),
    Tool(
        "pre-commit", "pre-commit", ("pre-commit", "validate-config"), (".pre-commit-config.yaml",), one_at_a_time=True
    ),
    Tool(
        "azureml",
        "azure-ai-ml",
        (sys.executable, "-m", "mlops_new.check.azureml"),
        AZUREML,
        ("src/", "config/", "data/"),
    ),
    Tool(
        "azureml-runner",
        "mlops-new",
        (sys.executable, "-m", "mlops_new.check.own_runner"),
        AZUREML,
        ("src/", "config/", "data/", "pyproject.toml", "requirements"),
        one_at_a_time=True,
    ),
)


def tool_version(package: str) -> str:
    """The installed version of a package.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        return version(package)
    except PackageNotFoundError:
        raise MissingExtraError("check", "mlops-new check") from None


def run_tool(tool: Tool, project: Path) -> Iterator[tuple[str, str]]:
    """Run a tool in a rendered project; each fault as a path and a sentence."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    environment |= {"NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(tool.command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    found = False
    for line in (done.stdout + done.stderr).splitlines():
        match = _GITHUB.search(line) or _LOCATED.search(line)
        if match:
            found = True
            where = f"Line {match['line']}: " if match["line"] else ""
            path = _VARIANT.sub("", match["path"].replace(f"{project.as_posix()}/", "").removeprefix("./"))
            yield path, f"{where}{match['message']}"
    if not found:
        said = " ".join((done.stdout + done.stderr).split())[-500:]
        yield "pyproject.toml", f"{tool.name} failed with exit code {done.returncode}: {said}"


def relevant(tool: Tool, tree: Mapping[str, RenderedFile]) -> Mapping[str, RenderedFile]:
    """The files of a project that a tool's result depends on."""
    prefixes = (*tool.prefixes, *tool.settings)
    return {path: file for path, file in tree.items() if path.startswith(prefixes)}


def make_repository(project: Path) -> None:
    """Some tools look for the top of a repository."""
    git.run("init", "--quiet", folder=project)


def store_result(folder: Path, key: str, faults: Sequence[tuple[str, str]]) -> None:
    """Keep a result; a reader sees the whole file or none."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{key}.{os.getpid()}"
    temporary.write_text(json.dumps(list(faults)), encoding="utf-8")
    temporary.replace(folder / f"{key}.json")


def stored_result(folder: Path, key: str) -> list[tuple[str, str]] | None:
    """A result that was kept, or None."""
    try:
        return [(path, message) for path, message in json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return None
