"""Runs a pipeline of Azure DevOps on this machine: `run_pipeline`.

It knows what the kit renders, and refuses everything else by file and line before the first step runs; only what a
script tells the agent can be refused later. Stages and jobs run one after another, each after those it waits for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from mlops_new import git
from mlops_new.errors import KitError, nearest
from mlops_new.rehearse.azure_pipelines_evaluate import evaluate
from mlops_new.rehearse.azure_pipelines_functions import Data, words
from mlops_new.rehearse.azure_pipelines_graph import Graph
from mlops_new.rehearse.azure_pipelines_job import JobRunner, Setting
from mlops_new.rehearse.azure_pipelines_model import (
    Identity,
    JobResult,
    JobState,
    PipelineError,
    PipelineRun,
    StepEvent,
    StepResult,
    fault,
)
from mlops_new.rehearse.azure_pipelines_plan import Job, Pipeline, Stage, Variable, plan
from mlops_new.rehearse.azure_pipelines_plan_steps import AZURE_CLI
from mlops_new.rehearse.azure_pipelines_predefined import predefined
from mlops_new.rehearse.azure_pipelines_templates import expand
from mlops_new.rehearse.azure_pipelines_variables import Variables

__all__ = ["Identity", "JobResult", "PipelineError", "PipelineRun", "StepEvent", "StepResult", "run_pipeline"]


def run_pipeline(project: Path, file: str, run: PipelineRun) -> tuple[JobResult, ...]:
    """Run a pipeline of a project; `file` is its path in the project.

    Raises:
        PipelineError: The pipeline, or what it is run with, is wrong or not known to the rehearsal.
        ToolError: git failed.
    """
    project, run = project.resolve(), replace(run, folder=run.folder.resolve())
    pipeline = plan(expand(project, file, run.parameters))
    _check(pipeline, run, file)
    if not git.is_repository(project):
        raise PipelineError(f"{project} is no git repository.", "Give a project that is committed.")
    runner = _Runner(project, git.commit_of(project, run.commit), pipeline, run)
    for name in ("artifacts", "jobs"):
        (run.folder / name).mkdir(parents=True)
    return runner.run()


def _check(pipeline: Pipeline, run: PipelineRun, file: str) -> None:
    """Refuse groups and service connections that are not there, as the service does before it starts a run."""
    if any((run.folder / name).exists() for name in ("artifacts", "jobs")):
        raise PipelineError(f"{run.folder} holds an earlier run.", f"Give an empty folder for the run of {file}.")
    jobs = [job for stage in pipeline.stages for job in stage.jobs]
    lists = [pipeline.variables, *(stage.variables for stage in pipeline.stages), *(job.variables for job in jobs)]
    for variable in (one for variables in lists for one in variables if one.is_group):
        if variable.name not in run.groups:
            hint = nearest(variable.name, run.groups) if run.groups else "There is none."
            raise fault(variable.place, f"there is no variable group {variable.name}", hint)
    for step in (step for job in jobs for step in job.steps if step.task == AZURE_CLI):
        try:
            run.connect(step.inputs["azureSubscription"])
        except KitError as error:
            raise fault(step.place, error.message.rstrip("."), error.remedy) from None


class _Runner:
    def __init__(self, project: Path, commit: str, pipeline: Pipeline, run: PipelineRun) -> None:
        self._project, self._commit, self._pipeline, self._run = project, commit, pipeline, run
        self._known = predefined(run, commit, pipeline.place, pipeline.name)
        self._stages = Graph({stage.name: stage.needs for stage in pipeline.stages}, run.cancel)
        self._results: list[JobResult] = []

    def run(self) -> tuple[JobResult, ...]:
        for stage in self._pipeline.stages:
            self._stage(stage)
        return tuple(self._results)

    def _stage(self, stage: Stage) -> None:
        variables = self._variables(self._known, self._pipeline.variables, {})
        before = {need: self._dependency(need) for need in stage.needs}
        roots: dict[str, Data] = {"variables": variables.data(), "dependencies": before}
        jobs = Graph({job.name: job.needs for job in stage.jobs}, self._run.cancel)
        if not self._stages.is_wanted(stage.name, stage.condition, roots):
            self._skip(stage, jobs, "Canceled" if self._run.cancel.is_set() else "Skipped")
        else:
            variables = self._variables(variables, stage.variables, {"stagedependencies": self._earlier(stage)})
            with self._run.hold(_groups(self._pipeline, stage)):
                refused = self._refused(stage)
                if refused:
                    self._skip(stage, jobs, "Skipped", refused)
                else:
                    for job in stage.jobs:
                        self._job(stage, job, jobs, variables)
        self._stages.settle(stage.name, jobs.summary())

    def _refused(self, stage: Stage) -> str | None:
        """The environment whose approver said no; each is asked once, before any job of the stage starts."""
        places = dict.fromkeys(job.environment for job in stage.jobs if job.environment)
        return next((place for place in places if not self._run.approve(place)), None)

    def _skip(self, stage: Stage, jobs: Graph, state: JobState, refused: str | None = None) -> None:
        for job in stage.jobs:
            is_refused = refused is not None and job.environment == refused
            self._end(jobs, JobResult(stage.name, job.name, job.environment, "Rejected" if is_refused else state))

    def _job(self, stage: Stage, job: Job, jobs: Graph, outer: Variables) -> None:
        before: dict[str, Data] = {need: self._job_data(stage.name, need, jobs) for need in job.needs}
        roots: dict[str, Data] = {"dependencies": before, "stagedependencies": self._earlier(stage)}
        variables = self._variables(outer, job.variables, roots)
        if not jobs.is_wanted(job.name, job.condition, {**roots, "variables": variables.data()}):
            state: JobState = "Canceled" if self._run.cancel.is_set() else "Skipped"
            self._end(jobs, JobResult(stage.name, job.name, job.environment, state))
            return
        folder = self._run.folder / "jobs" / f"{len(self._results) + 1}-{stage.name}-{job.name}"
        setting = Setting(self._run, self._project, self._commit, stage.name, folder)
        self._end(jobs, JobRunner(setting, job, variables).run())

    def _end(self, jobs: Graph, result: JobResult) -> None:
        self._results.append(result)
        jobs.settle(result.job, _word(result))

    def _variables(self, outer: Variables, declared: Sequence[Variable], roots: Mapping[str, Data]) -> Variables:
        variables = outer.copy()
        for variable in declared:
            if variable.is_group:
                variables.update(self._run.groups[variable.name])
            elif variable.expression:
                known = {**roots, "variables": variables.data()}
                variables.set(variable.name, words(evaluate(variable.expression.expression, known)))
            else:
                variables.set(variable.name, variable.text)
        return variables

    def _outputs_of(self, stage: str, job: str) -> Mapping[str, str]:
        return next((one.outputs for one in self._results if (one.stage, one.job) == (stage, job)), {})

    def _job_data(self, stage: str, job: str, jobs: Graph) -> Data:
        return {"result": jobs.result(job), "outputs": self._outputs_of(stage, job)}

    def _dependency(self, stage: str) -> Data:
        """An earlier stage as the condition of a stage sees it."""
        outputs = {
            f"{one.job}.{name}": text
            for one in self._results
            if one.stage == stage
            for name, text in one.outputs.items()
        }
        return {"result": self._stages.result(stage), "outputs": outputs}

    def _earlier(self, stage: Stage) -> Data:
        """The jobs of earlier stages as jobs see them."""
        return {
            need: {
                one.job: {"result": _word(one), "outputs": one.outputs} for one in self._results if one.stage == need
            }
            for need in stage.needs
        }


def _word(result: JobResult) -> str:
    """The service's word for what became of a job."""
    if result.result == "Succeeded" and any(step.result == "Failed" for step in result.steps):
        return "SucceededWithIssues"
    return "Failed" if result.result == "Rejected" else result.result


def _groups(pipeline: Pipeline, stage: Stage) -> list[str]:
    """The variable groups that a stage uses."""
    lists = (pipeline.variables, stage.variables, *(job.variables for job in stage.jobs))
    return list(dict.fromkeys(one.name for variables in lists for one in variables if one.is_group))
