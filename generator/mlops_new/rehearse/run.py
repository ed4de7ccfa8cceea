"""Rehearses a project's delivery: the service behind `mlops-new rehearse`."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from mlops_new.errors import MissingExtraError, TargetError
from mlops_new.lint.validators import environment
from mlops_new.rehearse.az_project import read_places
from mlops_new.rehearse.rehearsal import Rehearsal
from mlops_new.rehearse.report import Report
from mlops_new.rehearse.scenarios import Scenario, choose, load_scenarios, prefixes

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Options:
    """Which scenarios, whether the checks of the code are run too, and where the logs stay (nowhere by default)."""

    names: Collection[str] = ()
    runs_checks: bool = False
    keep: Path | None = None


def known_scenarios(project: Path) -> dict[str, Scenario]:
    """The scenarios that a project can play.

    Raises:
        ToolError: The project does not tell where it lives.
    """
    layers = {"infra"} if (project / "infra").is_dir() else set[str]()
    return load_scenarios(read_places(project), layers)


def rehearse(project: Path, options: Options, progress: Progress) -> Report:
    """Play scenarios with a project, which is left as it is.

    Args:
        project: A project of this kit.
        options: What is played, and how.
        progress: Is told what goes on, and how many scenarios are done.

    Raises:
        TargetError: There is no such project, or the folder for the logs is in use.
        AnswersError: There is no such scenario.
        MissingExtraError: The extra [rehearse] is not installed.
        ToolError: A program is missing, or the project's environment was never built on this machine.
    """
    project = project.resolve()
    chosen = choose(known_scenarios(project), options.names)
    _require(project)
    counted = Counter(key for scenario in chosen for key in prefixes(scenario))
    shared = frozenset(key for key, count in counted.items() if count > 1)
    with _stage_folder(options.keep) as folder:
        rehearsal = Rehearsal(project, folder, runs_checks=options.runs_checks)
        results = []
        for number, scenario in enumerate(chosen):

            def tell(step: str, name: str = scenario.name, done: int = number) -> None:
                progress(f"{name}: {step}", done, len(chosen))

            results.append(rehearsal.play(scenario, shared, tell))
        progress("done", len(chosen), len(chosen))
    return Report(project.name, rehearsal.ci, rehearsal.places, results)


@contextmanager
def _stage_folder(keep: Path | None) -> Iterator[Path]:
    """A folder that goes when it is left, or a new one that stays."""
    if keep is None:
        with tempfile.TemporaryDirectory(prefix="mlops-new-rehearse-", ignore_cleanup_errors=True) as name:
            yield Path(name) / "stage"
        return
    folder = keep.resolve()
    if folder.exists() and any(folder.iterdir()):
        raise TargetError(f"{folder} is not empty.", "Give a new folder.")
    yield folder


def _require(project: Path) -> None:
    packages = all(find_spec(name) is not None for name in ("azure.ai.ml", "jmespath"))
    needs_act = (project / ".github" / "workflows").is_dir()
    if not packages or (needs_act and shutil.which("act", path=environment()["PATH"]) is None):
        raise MissingExtraError("rehearse", "mlops-new rehearse")
