"""Plays scenarios with a project: `Rehearsal(...).play(scenario)`.

Scenarios that begin with the same steps share them: what a step leads to is kept, and taken up again from there.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mlops_new import git
from mlops_new.errors import TargetError, ToolError
from mlops_new.rehearse.approve import REFUSED_FACT
from mlops_new.rehearse.az_jobs import Jobs, scheduled_name
from mlops_new.rehearse.az_project import Places, read_places
from mlops_new.rehearse.az_state import State
from mlops_new.rehearse.azure_devops import AzureDevOps
from mlops_new.rehearse.checks import REAL_FACT
from mlops_new.rehearse.delivery import Delivery, Run, Trigger
from mlops_new.rehearse.expectations import World, problems
from mlops_new.rehearse.github import GitHub
from mlops_new.rehearse.prepare import build_environment, fetch_packages, prepare
from mlops_new.rehearse.scenarios import Scenario, Step, prefixes
from mlops_new.rehearse.stand_ins import set_stage

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Played:
    """A step that was played: what it did, how it ended, and what was wrong with that."""

    title: str
    seconds: float
    problems: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """A scenario that was played: it passed where nothing was wrong."""

    scenario: Scenario
    steps: tuple[Played, ...]
    problems: tuple[str, ...]
    events: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def passed(self) -> bool:
        """Whether every step ended as it must, and in the state that it must."""
        return not self.problems


class Rehearsal:
    """One project's delivery, in a folder of its own."""

    def __init__(self, project: Path, folder: Path, *, runs_checks: bool = False) -> None:
        """Copy the project; it is left as it is.

        Raises:
            TargetError: There is no project of this kit with a CI system.
            ToolError: There is no uv, or it cannot build the project's environment.
        """
        self.places: Places = read_places(project)
        self.stage = set_stage(folder)
        self._world, self._kept = folder / "world", folder / "kept"
        self._base, self._runs_checks = folder / "base", runs_checks
        prepare(project, self._base)
        fetch_packages(self._base, self.stage.environment)
        self._known: dict[str, tuple[Played, ...]] = {}
        self.ci = _ci_of(project)
        self._delivery: Delivery = (GitHub if self.ci == "github_actions" else AzureDevOps)(self._origin, self.stage)

    def play(self, scenario: Scenario, shared: frozenset[str], tell: Tell) -> Result:
        """Play a scenario; `shared` are the beginnings that another one has too, and that are kept for it."""
        keys = prefixes(scenario)
        done = next((number for number in range(len(keys), 0, -1) if keys[number - 1] in self._known), 0)
        played = self._take_up(keys[done - 1] if done else None)
        for key, step in zip(keys[done:], scenario.steps[done:], strict=True):
            tell(_title(step))
            played = (*played, self._step(step))
            if key in shared:
                self._keep(key, played)
        state = State(self.stage.state)
        wrong = [problem for step in played for problem in step.problems]
        wrong += problems(state, self.places, scenario.state)
        return Result(scenario, played, tuple(wrong), tuple(state.events()))

    @property
    def _origin(self) -> Path:
        return self._world / "origin"

    def _take_up(self, key: str | None) -> tuple[Played, ...]:
        """Bring back what a beginning led to, or start with nothing."""
        for folder in (self._world, self.stage.state):
            shutil.rmtree(folder, ignore_errors=True)
        if key is None:
            self._world.mkdir()
            git.run("clone", "--quiet", "--no-hardlinks", str(self._base), str(self._origin))
            state = State(self.stage.state)
            if self._runs_checks:
                state.remember(REAL_FACT, "yes")
            return ()
        kept = self._kept / str(list(self._known).index(key))
        shutil.copytree(kept / "world", self._world, symlinks=True)
        shutil.copytree(kept / "state", self.stage.state, symlinks=True)
        return self._known[key]

    def _keep(self, key: str, played: tuple[Played, ...]) -> None:
        self._known[key] = played
        kept = self._kept / str(list(self._known).index(key))
        shutil.copytree(self._world, kept / "world", symlinks=True)
        shutil.copytree(self.stage.state, kept / "state", symlinks=True)

    def _step(self, step: Step) -> Played:
        started = time.monotonic()
        wrong, logs = list[str](), list[str]()
        if "change" in step:
            self._change(step)
        elif "fail" in step:
            place = self.places.workspaces.get(str(step.get("at", "")), "")
            State(self.stage.state).plan_failure(step["fail"], place, step["effect"], step.get("says", ""))
        elif "schedules" in step:
            self._start_schedules(step["schedules"])
        else:
            steps = step.get("runs", [step])
            before = {
                place: World(State(self.stage.state), self.places).fingerprint(place)
                for place in step.get("leaves", ())
            }
            for one, run in zip(steps, self._run(steps), strict=True):
                logs.append(str(run.log))
                wanted = one.get("ends", "success")
                if run.end != wanted:
                    wrong.append(f"{run.workflow} ended as {run.end}, and should as {wanted}: {_last_words(run)}")
            for place, mark in before.items():
                if World(State(self.stage.state), self.places).fingerprint(place) != mark:
                    wrong.append(f"{step['run']} changed {place}, and should leave it alone.")
        return Played(_title(step), round(time.monotonic() - started, 1), tuple(wrong), tuple(logs))

    def _run(self, steps: Sequence[Step]) -> list[Run]:
        State(self.stage.state).remember(
            REFUSED_FACT, " ".join(place for one in steps for place in one.get("refuse", ()))
        )

        def start(one: Step) -> Run:
            inputs = {name: str(value) for name, value in one.get("with", {}).items()}
            branch = one.get("branch", "main")
            base = git.commit_of(self._origin, "main") if one.get("by") == "pull_request" else ""
            commit = f"merge-{branch}" if branch != "main" else branch
            return self._delivery.start(one["run"], Trigger(one.get("by", "manual"), inputs, base), commit)

        with ThreadPoolExecutor(max(len(steps), 1)) as pool:
            return list(pool.map(start, steps))

    def _change(self, step: Step) -> None:
        """Set a value or write a file, and commit it to main or, merged with main, to a branch."""
        change, branch = step["change"], step.get("branch", "main")
        git.run("checkout", "--quiet", "-B", branch, "main", folder=self._origin)
        path = self._origin / change["file"]
        path.write_text(_changed(path, change), encoding="utf-8")
        git.commit_everything(self._origin, "A change")
        if branch != "main":
            git.run("checkout", "--quiet", "-B", f"merge-{branch}", "main", folder=self._origin)
            git.merge(self._origin, branch)
            git.run("checkout", "--quiet", "main", folder=self._origin)

    def _start_schedules(self, environment: str) -> None:
        """What the service does when their time has come."""
        state, place = State(self.stage.state), self.places.workspaces[environment]
        copy = self.stage.folder / "schedules"
        git.run("clone", "--quiet", "--no-hardlinks", str(self._origin), str(copy))
        build_environment(copy, self.stage.environment)
        jobs = Jobs(state, self.places, place, copy)
        for schedule in state.assets(place, "schedule"):
            file = copy / "azureml" / "schedules" / str(schedule.body["values"]["create_job"]["job"])
            jobs.create(file.resolve(), [], "the service", scheduled_name(schedule.name))
            state.event("schedule", environment=environment, name=schedule.name)
        shutil.rmtree(copy)


def _ci_of(project: Path) -> str:
    found = {".github/workflows": "github_actions", ".azuredevops": "azure_devops"}
    for folder, ci in found.items():
        if (project / folder).is_dir():
            return ci
    raise TargetError(f"{project} has no workflows of GitHub Actions or Azure DevOps.", "Render it with a CI system.")


def _title(step: Step) -> str:
    """What a step does, in few words."""
    if "change" in step:
        change = step["change"]
        return f"change {change.get('key', change['file'])}"
    if "fail" in step:
        return f"let {step['fail']} fail ({step['effect']})"
    if "schedules" in step:
        return f"schedules of {step['schedules']}"
    if "runs" in step:
        return " and ".join(_title(one) for one in step["runs"]) + " at once"
    given = " ".join(str(value) for value in step.get("with", {}).values())
    return f"{step['run']} {given}".strip()


def _changed(path: Path, change: Mapping[str, Any]) -> str:
    if "text" in change:
        return str(change["text"])
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    node = values
    *parents, last = change["key"].split(".")
    for name in parents:
        node = node[name]
    if last not in node:
        raise ToolError(f"{path.name} of the project has no {change['key']}.", "Mend the scenario, or the project.")
    node[last] = change["value"]
    return str(yaml.safe_dump(values, sort_keys=False))


def _last_words(run: Run) -> str:
    """The last lines that a step said; the whole log stays where somebody asks for it."""
    lines = run.log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [" ".join(line.split())[-300:] for line in lines if line.strip() and not line.startswith(("[", "{"))]
    name = f"{run.log.parent.parent.name}/{run.log.parent.name}/{run.log.name}"
    return f"{name}, which --keep leaves, ends with: " + " / ".join(said[-4:])
