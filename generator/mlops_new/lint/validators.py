"""The validators: for each kind of file the real tool, or a check of the kit's own."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_new.errors import MissingExtraError
from mlops_new.lint import azure_pipelines, bicep, own_checks, terraform
from mlops_new.lint.diagnostics import Check, Diagnostic, Severity
from mlops_new.lint.files import azureml_files, named, shell_files
from mlops_new.lint.markdown import check_markdown
from mlops_new.lint.processes import Outcome, Programs
from mlops_new.lint.secrets import check_secrets

Read = Callable[[str], Iterator[Diagnostic]]
_SAID = 400


@dataclass(frozen=True, slots=True)
class Validator:
    """What judges some files: a check of the kit's own, or a program whose output is read.

    `command` is followed by the files; `options` may add to it what the folder's own configuration asks for. A
    program that does not tell which file it means is started for each file by itself.
    """

    name: str
    choose: Callable[[Path, Sequence[str]], list[str]]
    check: Check | None = None
    command: tuple[str, ...] = ()
    read: Read | None = None
    severity: Severity = "medium"
    options: Callable[[Path], tuple[str, ...]] = lambda _: ()
    tells_no_path: bool = False


def environment() -> dict[str, str]:
    """The environment of the programs: those that stand beside this Python go first, and none writes in colour."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**os.environ, "PATH": path, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore"}


def run_validator(validator: Validator, folder: Path, paths: Sequence[str], programs: Programs) -> list[Diagnostic]:
    """What a validator finds in files of a folder.

    Raises:
        MissingExtraError: Its program is not installed.
    """
    if validator.check is not None:
        return sorted(validator.check(folder, paths))
    if shutil.which(validator.command[0], path=environment()["PATH"]) is None:
        raise MissingExtraError("check", f"mlops-new lint, for {validator.name},")
    command = [*validator.command, *validator.options(folder)]
    if validator.tells_no_path:
        runs = ((path, programs.run([*command, path], folder, environment())) for path in paths)
        return [
            Diagnostic(path, 0, validator.name, validator.severity, _said(done)) for path, done in runs if done.code
        ]
    return sorted(_read(validator, programs.run([*command, *paths], folder, environment()), folder))


def _read(validator: Validator, done: Outcome, folder: Path) -> Iterator[Diagnostic]:
    read = validator.read or _lines(validator.name, validator.severity)
    found = [item._replace(path=_relative(item.path, folder)) for item in read(done.output)] if done.code else []
    yield from found
    if done.code and not found:
        message = f"{validator.name} failed with exit code {done.code}: {_said(done)}"
        yield Diagnostic("", 0, validator.name, "high", message)


def _said(done: Outcome) -> str:
    """What a program said before any traceback, in one line."""
    return " ".join(done.output.partition("Traceback (most recent")[0].split())[:_SAID]


def _relative(path: str, folder: Path) -> str:
    return path.removeprefix(f"{folder.as_posix()}/").removeprefix("./")


def _lines(rule: str, severity: Severity) -> Read:
    """Reads `path:line:column: message`, as most programs write it."""
    pattern = re.compile(r"^(?P<path>[^:\n]+?)(?::(?P<line>\d+))?(?::\d+)?: (?P<message>.+)$", re.MULTILINE)

    def read(output: str) -> Iterator[Diagnostic]:
        for match in pattern.finditer(output):
            yield Diagnostic(match["path"], int(match["line"] or 0), rule, severity, match["message"])

    return read


def _shellcheck(output: str) -> Iterator[Diagnostic]:
    levels: Mapping[str, Severity] = {"error": "high", "warning": "medium"}
    for entry in json.loads(output)["comments"]:
        message = f"{entry['message']} SC{entry['code']}"
        yield Diagnostic(entry["file"], entry["line"], "shellcheck", levels.get(entry["level"], "low"), message)


def _hadolint(output: str) -> Iterator[Diagnostic]:
    levels: Mapping[str, Severity] = {"error": "high", "warning": "medium"}
    for entry in json.loads(output):
        message = f"{entry['message']} {entry['code']}"
        yield Diagnostic(entry["file"], entry["line"], "hadolint", levels.get(entry["level"], "low"), message)


def _zizmor(output: str) -> Iterator[Diagnostic]:
    levels: Mapping[str, Severity] = {"error": "high", "warning": "medium"}
    pattern = re.compile(r"::(?P<level>\w+) file=(?P<path>[^,]+),line=(?P<line>\d+),title=[^:]*::(?P<message>.+)")
    for match in pattern.finditer(output):
        severity = levels.get(match["level"], "low")
        yield Diagnostic(match["path"], int(match["line"]), "zizmor", severity, match["message"])


def _shfmt(output: str) -> Iterator[Diagnostic]:
    for path in output.split("\n"):
        if path:
            yield Diagnostic(path, 0, "shfmt", "low", "The formatter would change it: run `shfmt --write`.")


def _yamllint_rules(folder: Path) -> tuple[str, ...]:
    """A folder without rules of its own is held to what is a fault everywhere."""
    own = (".yamllint", ".yamllint.yml", ".yamllint.yaml")
    return () if any((folder / name).is_file() for name in own) else ("--config-data", _YAMLLINT)


_YAMLLINT = "{extends: default, rules: {line-length: disable, document-start: disable, truthy: disable}}"
_WORKFLOWS = (".github/workflows/*.yml", ".github/workflows/*.yaml")
_PYTHON = (sys.executable, "-m")
VALIDATORS: tuple[Validator, ...] = (
    Validator("jactionlint", named(*_WORKFLOWS), command=("jactionlint", "--oneline", "--no-color"), severity="high"),
    Validator(
        "zizmor",
        named(*_WORKFLOWS, ".github/actions/*/action.yml"),
        command=("zizmor", "--offline", "--no-progress", "--format=github"),
        read=_zizmor,
    ),
    Validator(
        "azure-pipelines",
        lambda _, paths: [path for path in paths if azure_pipelines.recognises(path)],
        check=azure_pipelines.faults,
    ),
    Validator("bicep", named("*.bicep"), check=bicep.faults),
    Validator(
        "terraform", lambda _, paths: [path for path in paths if terraform.recognises(path)], check=terraform.faults
    ),
    Validator("azureml", azureml_files, command=(*_PYTHON, "mlops_new.lint.azureml"), severity="high"),
    Validator(
        "yamllint",
        named("*.yml", "*.yaml"),
        command=("yamllint", "--strict", "--format=parsable"),
        options=_yamllint_rules,
    ),
    Validator(
        "pyproject", named("pyproject.toml"), command=("validate-pyproject",), severity="high", tells_no_path=True
    ),
    Validator(
        "pre-commit",
        named(".pre-commit-config.yaml"),
        command=("pre-commit", "validate-config"),
        severity="high",
        tells_no_path=True,
    ),
    Validator("ruff", named("*.py"), command=("ruff", "check", "--no-cache", "--output-format=concise")),
    Validator("shellcheck", shell_files, command=("shellcheck", "--format=json1"), read=_shellcheck),
    Validator("shfmt", shell_files, command=("shfmt", "--list"), read=_shfmt),
    Validator(
        "hadolint",
        named("Dockerfile", "Dockerfile.*", "*.Dockerfile"),
        command=("hadolint", "--format", "json"),
        read=_hadolint,
    ),
    Validator("codeowners", named("CODEOWNERS"), check=own_checks.check_codeowners),
    Validator("backstage", named("catalog-info.yaml", "catalog-info.yml"), check=own_checks.check_catalog_info),
    Validator("devcontainer", named("devcontainer.json"), check=own_checks.check_devcontainer),
    Validator("requirements", named("requirements*.txt", "uv.txt"), check=own_checks.check_requirements),
    Validator("markdown", named("*.md"), check=check_markdown),
    Validator("secrets", lambda _, paths: list(paths), check=check_secrets),
)
