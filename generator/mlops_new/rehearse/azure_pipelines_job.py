"""Runs the steps of one job, in a working copy and with variables of its own."""

import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlops_new.rehearse.azure_pipelines_commands import Told
from mlops_new.rehearse.azure_pipelines_evaluate import evaluate
from mlops_new.rehearse.azure_pipelines_functions import truth
from mlops_new.rehearse.azure_pipelines_model import JobResult, JobState, PipelineRun, StepEvent, StepResult, fault
from mlops_new.rehearse.azure_pipelines_plan import Job
from mlops_new.rehearse.azure_pipelines_plan_steps import SCRIPTS, Step
from mlops_new.rehearse.azure_pipelines_processes import Ended, Limits, Processes
from mlops_new.rehearse.azure_pipelines_tasks import Bench, perform
from mlops_new.rehearse.azure_pipelines_variables import Variables

# The agent lets a script end itself for so long.
_GRACE_SECONDS = 10
_NO_LIMIT_MINUTES = 360
_STATUS = "Agent.JobStatus"


@dataclass(frozen=True, slots=True)
class Setting:
    """What a job is run with: the run, the project, its commit, the stage's name and the job's own folder."""

    run: PipelineRun
    project: Path
    commit: str
    stage: str
    folder: Path


class JobRunner:
    """Runs one job."""

    def __init__(self, setting: Setting, job: Job, variables: Variables) -> None:
        """Prepare the folders; nothing runs yet."""
        self._setting, self._job, self._variables = setting, job, variables
        self._state: JobState = "Succeeded"
        self._told = Told(variables)
        # A job that starts although the run was cancelled is not cancelled itself.
        self._cancel = threading.Event() if setting.run.cancel.is_set() else setting.run.cancel
        self._names = {step.name for step in job.steps if step.name}
        self._processes = Processes()
        self._deadline = time.monotonic() + (job.minutes or _NO_LIMIT_MINUTES) * setting.run.minute
        for name in ("s", "a", "b", "_temp"):
            (setting.folder / name).mkdir(parents=True)
        variables.update(_places(setting, job))
        variables.settle()

    def run(self) -> JobResult:
        """Run the steps whose conditions hold.

        Raises:
            PipelineError: A step says something that the rehearsal does not know.
        """
        try:
            steps = tuple(self._step(step) for step in self._job.steps)
        finally:
            self._processes.end()
        job, told = self._job, self._told
        outputs = {f"{job.name}.{name}" if job.environment else name: text for name, text in told.outputs.items()}
        name = self._setting.stage
        return JobResult(
            name, job.name, job.environment, self._state, steps, outputs, tuple(told.issues), told.attachments
        )

    def _step(self, step: Step) -> StepResult:
        self._variables.set(_STATUS, self._state)
        title = self._variables.expand(step.title)
        self._know(step)
        if not self._is_wanted(step):
            return StepResult(title, None, "", 0.0, "Skipped")
        event = StepEvent(self._setting.stage, self._job.name, title)
        self._setting.run.on_step(event)
        started = time.monotonic()
        ended = self._perform(step)
        self._told.follow(ended.output, step.name, step.place)
        result = self._judge(step, title, ended, time.monotonic() - started)
        self._setting.run.on_step(StepEvent(event.stage, event.job, title, result))
        return result

    def _know(self, step: Step) -> None:
        """Refuse what no variable has: the service would hand over the text `$(name)` itself, without a word.

        The output of a step that did not run is handed over like this, and so is what a person wrote.
        """
        texts = [*step.env.values(), *(text for key, text in step.inputs.items() if key not in SCRIPTS)]
        given = self._variables.unknown(" ".join(self._setting.run.parameters.values()))
        for name in (name for text in texts for name in self._variables.unknown(text)):
            if name.split(".")[0] not in self._names and name not in given:
                raise fault(step.place, f"no variable is named {name}", "Correct the name, or give it to the run.")

    def _is_wanted(self, step: Step) -> bool:
        if self._cancel.is_set():
            self._state = "Canceled"
        if step.condition is None:
            return self._state == "Succeeded"
        roots = {"variables": self._variables.data()}
        return truth(evaluate(step.condition.expression, roots, self._status))

    def _status(self, name: str, _arguments: Sequence[str]) -> bool:
        states = {
            "always": True,
            "canceled": self._state == "Canceled",
            "failed": self._state == "Failed",
            "succeeded": self._state == "Succeeded",
            "succeededorfailed": self._state in {"Succeeded", "Failed"},
        }
        return states[name]

    def _perform(self, step: Step) -> Ended:
        setting, minute = self._setting, self._setting.run.minute
        # What still runs after the job was stopped has some minutes of its own, and is not stopped again.
        is_over = self._state == "Canceled"
        deadline = time.monotonic() + self._job.grace * minute if is_over else self._deadline
        if step.minutes:
            deadline = min(deadline, time.monotonic() + step.minutes * minute)
        cancel = threading.Event() if is_over else self._cancel
        limits = Limits(deadline, cancel, _GRACE_SECONDS * minute / 60)
        environ = self._environ(step)
        bench = Bench(
            setting.run,
            setting.project,
            setting.commit,
            setting.folder,
            self._variables,
            self._processes,
            limits,
            environ,
        )
        return perform(bench, step)

    def _environ(self, step: Step) -> Mapping[str, str]:
        base = self._setting.run.environ
        path = os.pathsep.join([*self._told.paths, base.get("PATH", "")])
        env = {name: self._variables.expand(text) for name, text in step.env.items()}
        return {**base, **self._variables.environment(), "TF_BUILD": "True", "PATH": path, **env}

    def _judge(self, step: Step, title: str, ended: Ended, seconds: float) -> StepResult:
        """What became of the step, and so of the job."""
        said, told = ended.output, self._told
        if ended.how == "ended":
            result = "Failed" if told.failure else told.result or ("Succeeded" if ended.is_good else "Failed")
            said += f"{told.failure}\n" if told.failure else ""
        elif ended.how == "canceled" or time.monotonic() >= self._deadline:
            result, self._state = "Canceled", "Canceled"
            said += "The job was stopped: it took longer than its limit, or the run was cancelled.\n"
        else:
            result = "Failed"
            said += f"The step was stopped: it took longer than {step.minutes} minutes.\n"
        if result == "Failed" and step.continues:
            told.issues.append(f"error: {title} failed, and the job went on.")
        elif result == "Failed" and self._state == "Succeeded":
            self._state = "Failed"
        return StepResult(title, ended.code, self._variables.masked(said), seconds, result)


def _places(setting: Setting, job: Job) -> dict[str, str]:
    """The variables that the agent sets for a job."""
    folder = setting.folder
    sources, staging = str(folder / "s"), str(folder / "a")
    deploys = {"Environment.Name": job.environment, "Strategy.Name": "runOnce"} if job.environment else {}
    return deploys | {
        "Agent.BuildDirectory": str(folder),
        "Agent.JobName": job.title,
        "Agent.OS": "Linux",
        "Agent.TempDirectory": str(folder / "_temp"),
        "Agent.WorkFolder": str(folder.parent),
        "Build.ArtifactStagingDirectory": staging,
        "Build.BinariesDirectory": str(folder / "b"),
        "Build.Repository.LocalPath": sources,
        "Build.SourcesDirectory": sources,
        "Build.StagingDirectory": staging,
        "Pipeline.Workspace": str(folder),
        "System.DefaultWorkingDirectory": sources,
        "System.JobAttempt": "1",
        "System.JobDisplayName": job.title,
        "System.JobName": job.name,
        "System.PhaseName": job.name,
        "System.StageAttempt": "1",
        "System.StageName": setting.stage,
    }
