"""Runs the pipelines of Azure DevOps on this machine, with the interpreter of `azure_pipelines.py` in its own process.

As a program, `python -m mlops_new.rehearse.azure_devops SPECIFICATION`, it runs one pipeline and prints a line of JSON
for the end of each job.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from mlops_new.errors import DONE, FAILED, KitError, ToolError
from mlops_new.rehearse.approve import approve
from mlops_new.rehearse.az import FOLDER, TOKEN
from mlops_new.rehearse.az_project import read_places
from mlops_new.rehearse.az_state import State
from mlops_new.rehearse.azure_pipelines import Identity, JobResult, PipelineRun, run_pipeline
from mlops_new.rehearse.delivery import EXTENSION, Delivery, Job, JobEnd, Trigger, as_json

_FOLDER: Final = ".azuredevops"
_REASONS: Final = {"push": "IndividualCI", "pull_request": "PullRequest", "schedule": "Schedule"}
_ENDS: Final[dict[str, JobEnd]] = {"Succeeded": "success", "Skipped": "skipped"}


class AzureDevOps(Delivery):
    """The pipelines of a project on Azure DevOps."""

    def is_exclusive(self, workflow: str) -> bool:
        """Whether its runs wait for each other."""
        return self._pipeline(workflow).get("lockBehavior") == "sequential"

    def command(self, workflow: str, trigger: Trigger, copy: Path) -> list[str]:
        """Write down what the interpreter is to run."""
        self._pipeline(workflow)
        is_change = trigger.kind == "pull_request"
        inputs = {"event": "aml-data-drift"} if trigger.kind == "event" else dict(trigger.inputs)
        specification = {
            "file": f"{_FOLDER}/{workflow}.yml",
            "folder": str(copy.parent / "run"),
            "parameters": inputs,
            "reason": _REASONS.get(trigger.kind, "Manual"),
            "branch": "refs/pull/1/merge" if is_change else "refs/heads/main",
            "number": copy.parent.name.partition("-")[0],
        }
        path = copy.parent / "specification.json"
        path.write_text(json.dumps(specification), encoding="utf-8")
        return [sys.executable, "-m", "mlops_new.rehearse.azure_devops", str(path)]

    def read(self, line: str) -> Job | None:
        """A job's end, as the interpreter's process tells it."""
        entry = as_json(line)
        return Job(entry["job"], _ENDS.get(entry["result"], "failure")) if "job" in entry else None

    def _pipeline(self, name: str) -> dict[str, Any]:
        path = self.origin / _FOLDER / f"{name}.yml"
        if not path.is_file():
            known = ", ".join(sorted(found.stem for found in path.parent.glob("*.yml")))
            raise ToolError(f"The project has no pipeline {name}.", f"It has {known}.")
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def _run(specification: dict[str, Any], project: Path) -> tuple[JobResult, ...]:
    state, places = State(Path(os.environ[FOLDER])), read_places(project)
    name = _project_name(project)
    locks = {
        f"{name}-lock-{lock}-{place}": {"LOCK": ""}
        for lock in ("train", "release", "infra")
        for place in places.workspaces
    }

    def connect(connection: str) -> Identity:
        identity = connection.removeprefix(f"{name}-")
        return Identity(connection, f"client-{identity}", "tenant", "subscription", f"{TOKEN}{identity}")

    Path(specification["folder"]).mkdir()
    run = PipelineRun(
        folder=Path(specification["folder"]),
        environ=dict(os.environ),
        parameters=specification["parameters"],
        reason=specification["reason"],
        branch=specification["branch"],
        variables={"Build.BuildId": specification["number"], "Build.RequestedFor": "ada"},
        groups={name: {"AML_EXT_VERSION": EXTENSION}, **locks},
        approve=lambda environment: approve(state, places, environment.removeprefix(f"{name}-")),
        connect=connect,
    )
    return run_pipeline(project, specification["file"], run)


def _project_name(project: Path) -> str:
    """The name that connections, environments and groups begin with: that of the pipelines' variable group."""
    values = yaml.safe_load((project / _FOLDER / "main.yml").read_text(encoding="utf-8"))
    return str(next(entry["group"] for entry in values["variables"] if "group" in entry))


def main() -> int:
    """Run a pipeline in the working copy here."""
    specification = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    try:
        results = _run(specification, Path.cwd())
    except KitError as error:
        print(error, file=sys.stderr)  # noqa: T201 - read by the parent process
        return FAILED
    for result in results:
        for step in result.steps:
            print(f"{result.stage}/{result.job}: {step.name}: {step.result}\n{step.output}")  # noqa: T201
        print(json.dumps({"job": f"{result.stage}/{result.job}", "result": result.result}))  # noqa: T201
    return DONE if all(result.result in _ENDS for result in results) else FAILED


if __name__ == "__main__":
    sys.exit(main())
