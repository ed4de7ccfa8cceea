"""Runs projects' own lint and tests, in an environment for each Python version that the shared uv cache builds."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlops_new import git
from mlops_new.check.findings import Finding, Progress
from mlops_new.check.rendered import Rendered, describe, materialise
from mlops_new.model import Answers, Tree
from mlops_new.verify import verify_project

_SHOWN_LINES = 40


def chosen_projects(rendered: Rendered, patterns: tuple[str, ...]) -> Iterator[int]:
    """For each pattern, one combination for each Python version; the other axes are checked statically."""
    for pattern in patterns:
        numbers = [number for number, (answers, _) in enumerate(rendered.trees) if answers["pattern"] == pattern]
        by_python: dict[object, int] = {}
        for number in numbers:
            by_python.setdefault(rendered.trees[number][0].get("python_version"), number)
        yield from by_python.values()


def check_projects(rendered: Rendered, patterns: tuple[str, ...], progress: Progress) -> Iterator[Finding]:
    """Verify the chosen projects, each in a folder of its own."""
    numbers = list(chosen_projects(rendered, patterns))
    for done, number in enumerate(numbers):
        answers = rendered.trees[number][0]
        progress(f"Testing {answers['pattern']}", done, len(numbers))
        yield from _check_project(answers, rendered.tree(number))
    progress("Testing", len(numbers), len(numbers))


def _check_project(answers: Answers, tree: Tree) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory(prefix="mlops-new-check-") as name:
        project = Path(name) / str(answers["project_name"])
        materialise(tree, project)
        git.commit_everything(project, "Rendered by mlops-new check")
        for result in verify_project(project, lambda _: None):
            if not result.passed:
                said = "\n".join(result.output.splitlines()[-_SHOWN_LINES:])
                message = f"The {result.name} of a rendered project failed:\n{said}"
                yield Finding("project", str(answers["pattern"]), message, describe(answers))
