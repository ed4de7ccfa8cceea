"""The validator of Azure Pipelines: the service's schema, what a schema cannot say, and the scripts.

`python -m mlops_new.lint.azure_pipelines` checks the pipelines here, or in the projects that stand here.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from mlops_new.errors import DONE, REFUSED
from mlops_new.lint.azure_pipelines_nodes import Fault, Value, parse
from mlops_new.lint.azure_pipelines_schema import TEMPLATES, schema_faults
from mlops_new.lint.azure_pipelines_scripts import script_faults
from mlops_new.lint.azure_pipelines_semantics import semantic_faults
from mlops_new.lint.diagnostics import Diagnostic, Severity

_FOLDERS = ("azure-pipelines", ".azure-pipelines", ".azuredevops")
# Of a key that only a pipeline has, one is enough; a file without them is a template.
_PIPELINE = {"trigger", "pr", "schedules", "resources", "pool", "lockBehavior", "name", "extends"}
_SEVERITIES: dict[str, Severity] = {
    "azp-credentials": "medium",
    "azp-injection": "medium",
    "azp-unpinned": "medium",
    "azp-task": "low",
}


def recognises(path: str) -> bool:
    """Whether a path is that of a pipeline or of a template of one."""
    place = PurePosixPath(path)
    is_named = place.name.startswith("azure-pipelines") or any(part in _FOLDERS for part in place.parts[:-1])
    return is_named and place.suffix in {".yml", ".yaml"}


def faults(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """What is wrong with some files of a folder, in the order of their lines.

    Raises:
        MissingExtraError: What carries the schema, or shellcheck, is not installed.
    """
    for path in paths:
        found = sorted(set(_faults(folder, path)), key=lambda fault: (fault.line, fault.rule, fault.message))
        for fault in found:
            severity = _SEVERITIES.get(fault.rule, "low" if fault.rule.startswith("SC") else "high")
            yield Diagnostic(path, fault.line, fault.rule, severity, fault.message)


def _faults(folder: Path, path: str) -> Iterator[Fault]:
    file, problems = parse((folder / path).read_text(encoding="utf-8", errors="replace"))
    yield from problems
    if file is None:
        return
    if file.entries is None:
        yield Fault(file.line, "azp-schema", f"The file is {file.kind}, not a mapping with stages, jobs or steps.")
        return
    yield from schema_faults(file, _definition(file))
    yield from semantic_faults(file, path, folder)
    yield from script_faults(file)


def _definition(file: Value) -> str:
    """The definition of the schema that a file has to follow."""
    keys = {key for key, _, _ in file.entries or ()}
    kind = next((TEMPLATES[key] for key in TEMPLATES if key in keys), "pipeline")
    return "pipeline" if keys & _PIPELINE or kind == "pipeline" else kind


def main() -> int:
    """Check every pipeline here, or in the projects that stand here."""
    code = DONE
    for project in (Path(), *sorted(Path().glob("*/"))):
        paths = [
            path.relative_to(project).as_posix()
            for folder in _FOLDERS
            for path in sorted((project / folder).glob("**/*.yml"))
        ]
        for fault in faults(project, paths):
            code = REFUSED
            print(f"{(project / fault.path).as_posix()}:{fault.line}: {fault.message}")  # noqa: T201 - read by the parent
    return code


if __name__ == "__main__":
    sys.exit(main())
