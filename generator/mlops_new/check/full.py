"""Runs projects' own lint and tests, in an environment for each, which the shared uv cache fills."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from mlops_new import git
from mlops_new.check.findings import Finding, Progress
from mlops_new.check.rendered import Rendered, describe, key_of, materialise
from mlops_new.check.tools import store_result, stored_result
from mlops_new.errors import ToolError
from mlops_new.lint.processes import Programs
from mlops_new.model import Answers, Tree
from mlops_new.store import cache_folder
from mlops_new.verify import STEPS, uv_environment

# What a project's environment is made of, and what its tests run. Its governance, workflows and Azure ML files are
# read by tests too, but are checked in every content by the tools.
TESTABLE = ("src/", "tests/", "config/", "data/", "pyproject.toml", "requirements", ".python-version")
_SHOWN_LINES = 40


def chosen_projects(rendered: Rendered) -> list[int]:
    """One combination for each distinct testable tree: of those that share it, the one that shows most that is new."""
    groups: dict[frozenset[tuple[str, str]], list[int]] = {}
    for number, (answers, tree) in enumerate(rendered.trees):
        shown = {(path, digest) for path, digest in tree.items() if path.startswith(TESTABLE)}
        groups.setdefault(frozenset({("pattern", str(answers["pattern"])), *shown}), []).append(number)
    seen: set[tuple[str, str]] = set()
    chosen = []
    for numbers in groups.values():
        best = max(numbers, key=lambda number: len(rendered.trees[number][1].items() - seen))
        seen |= rendered.trees[best][1].items()
        chosen.append(best)
    return chosen


def check_projects(rendered: Rendered, progress: Progress, *, use_cache: bool) -> tuple[int, list[Finding]]:
    """Verify the chosen projects, each in a folder of its own: how many, and what failed.

    What passed is remembered by the content of the whole project; what failed is run again.
    """
    numbers = chosen_projects(rendered)
    findings: list[Finding] = []
    folder = cache_folder() / "checks"
    with Programs() as programs:
        for done, number in enumerate(numbers):
            answers, hashes = rendered.trees[number]
            key = key_of("project", STEPS, hashes)
            if use_cache and stored_result(folder, key) is not None:
                continue
            report = _Steps(str(answers["pattern"]), progress, done * len(STEPS), len(numbers) * len(STEPS))
            found = _check_project(answers, rendered.tree(number), programs, report)
            findings += found
            if not found:
                store_result(folder, key, ())
    progress("Testing", len(numbers) * len(STEPS), len(numbers) * len(STEPS))
    return len(numbers), findings


class _Steps:
    """Says which step of which project runs."""

    def __init__(self, pattern: str, progress: Progress, done: int, total: int) -> None:
        self._pattern, self._progress, self._done, self._total = pattern, progress, done, total

    def __call__(self, number: int, step: str) -> None:
        self._progress(f"{self._pattern}: {step}", self._done + number, self._total)


def _check_project(answers: Answers, tree: Tree, programs: Programs, report: _Steps) -> list[Finding]:
    with tempfile.TemporaryDirectory(prefix="mlops-new-check-", ignore_cleanup_errors=True) as name:
        project, scratch = Path(name) / str(answers["project_name"]), Path(name) / "tmp"
        scratch.mkdir()
        materialise(tree, project)
        git.commit_everything(project, "Rendered by mlops-new check")
        environment = {**uv_environment(), "TMPDIR": str(scratch)}
        for number, (step, arguments) in enumerate(STEPS):
            report(number, step)
            failed = _failure(arguments, project, environment, programs)
            if failed:
                message = f"The {step} of a rendered project failed:\n{failed}"
                return [Finding("project", f"pattern {answers['pattern']}", message, describe(answers))]
    return []


def _failure(arguments: Sequence[str], project: Path, environment: Mapping[str, str], programs: Programs) -> str:
    """The end of what uv said, if it failed."""
    from uv import find_uv_bin  # noqa: PLC0415 - only --full needs it

    try:
        outcome = programs.run([find_uv_bin(), *arguments], project, environment)
    except FileNotFoundError:
        raise ToolError("uv is not installed.", "Install it: pip install uv.") from None
    if outcome.code == 0:
        return ""
    tail = [line.rstrip() for line in outcome.output.splitlines()][-_SHOWN_LINES:]
    return os.linesep.join(tail) or f"exit code {outcome.code}"
