"""Lints a folder."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mlops_new.errors import TargetError
from mlops_new.lint.diagnostics import SEVERITIES, Diagnostic, Severity
from mlops_new.lint.files import find_files
from mlops_new.lint.processes import Programs
from mlops_new.lint.validators import VALIDATORS, run_validator

Progress = Callable[[str, int, int], None]
_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class LintReport:
    """How many files were looked at, how many of them each validator judged, and what was found."""

    files: int
    judged: dict[str, int]
    diagnostics: tuple[Diagnostic, ...]


def lint_folder(folder: Path, least: Severity, progress: Progress) -> LintReport:
    """Run every validator that has files in a folder to judge.

    Args:
        folder: A rendered project or any other folder.
        least: Diagnostics that are less severe are left out.
        progress: Is told which validator is done, and how many.

    Raises:
        TargetError: There is no such folder.
        MissingExtraError: A validator is not installed.
    """
    if not folder.is_dir():
        raise TargetError(f"{folder} is no folder.", "Give a folder.")
    folder = folder.resolve()
    paths = find_files(folder)
    work = [(validator, chosen) for validator in VALIDATORS if (chosen := validator.choose(folder, paths))]
    found: list[Diagnostic] = []
    with ThreadPoolExecutor(_AT_A_TIME) as pool, Programs() as programs:
        jobs = [pool.submit(run_validator, validator, folder, chosen, programs) for validator, chosen in work]
        try:
            for number, ((validator, _), job) in enumerate(zip(work, jobs, strict=True), 1):
                found += job.result()
                progress(validator.name, number, len(work))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    kept = {item for item in found if SEVERITIES.index(item.severity) >= SEVERITIES.index(least)}
    return LintReport(len(paths), {validator.name: len(chosen) for validator, chosen in work}, tuple(sorted(kept)))
