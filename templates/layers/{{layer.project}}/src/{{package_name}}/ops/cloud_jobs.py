"""Jobs in Azure Machine Learning: submit, wait, download, read the gate, verify the schedules."""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import ci
from .azure_cli import (
    AzureCliError,
    Place,
    az,
    az_json,
    cancel_job,
    create_job,
    download_job,
    job_status,
    list_jobs,
    sign_in_again,
    tag_overrides,
)
from .errors import OpsError
from .evidence import Subject, write_evidence
from .files import read_mapping
from .project import project_root

DOWNLOADS = "downloads"
_ENDED = ("Completed", "Failed", "Canceled", "NotResponding")
_RENEW_AFTER_SECONDS = 2400
_FAILURES_IN_A_ROW = 5
_FREQUENCIES = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=31),
}
# A cron field that is narrowed repeats after so long: minute, hour, day of month, month, day of week.
_CRON = (timedelta(hours=1), timedelta(days=1), timedelta(days=31), timedelta(days=366), timedelta(weeks=1))


@dataclass(frozen=True)
class Patience:
    """How long to wait for a job, how often to look, and the clock that both are measured with."""

    limit_minutes: float = 300
    poll_seconds: float = 30
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class GateResult:
    """What the gate decided in a training job."""

    outcome: str
    reasons: tuple[str, ...]


def pipeline_file(name: str) -> Path:
    """The file of a pipeline.

    Raises:
        OpsError: The project has no such pipeline.
    """
    folder = project_root() / "azureml" / "pipelines"
    path = folder / f"{name}.yml"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.yml"))) or "none"
        raise OpsError(f"The project has no pipeline {name}.", f"Pipelines: {known}.")
    return path


def commit() -> str:
    """The commit that a job runs: the workflow's, else the checkout's; `unknown` outside git."""
    named = ci.commit()
    if named:
        return named
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def job_overrides(sets: Sequence[str], tags: Mapping[str, str]) -> list[str]:
    """What is set on a job besides its file: the caller's values, then the tags of project and commit.

    Raises:
        OpsError: A value that has no `=`.
    """
    for text in sets:
        if "=" not in text.strip("="):
            raise OpsError(f"--set {text!r} sets nothing.", "Write --set inputs.<name>=<value>.")
    return [*sets, *tag_overrides(tags)]


def submit(pipeline: str, place: Place, sets: Sequence[str], tags: Mapping[str, str]) -> str:
    """Submit a pipeline and give the job's name."""
    overrides = job_overrides(sets, {**tags, "git_sha": commit()})
    return az(create_job(pipeline_file(pipeline), overrides, place))


def wait(job: str, place: Place, patience: Patience) -> None:
    """Wait until a job has completed.

    Raises:
        OpsError: It failed (its logs are then downloaded), it took too long (it is then cancelled), or
            its state could not be read several times in a row.
    """
    begun = renewed = patience.now()
    status, failures = "", 0
    while status != "Completed":
        if patience.now() - renewed > _RENEW_AFTER_SECONDS:
            sign_in_again()
            renewed = patience.now()
        try:
            status, failures = _look(job, place, status), 0
        except AzureCliError:
            failures += 1
            if failures >= _FAILURES_IN_A_ROW:
                raise
        if status in _ENDED and status != "Completed":
            raise _failed(job, place, status)
        if status != "Completed":
            if patience.now() - begun > patience.limit_minutes * 60:
                az(cancel_job(job, place))
                problem = f"The job {job} took longer than {patience.limit_minutes:g} minutes and was cancelled."
                raise OpsError(problem, "Give --limit more minutes, or find what slowed it down.")
            patience.sleep(patience.poll_seconds)


def _look(job: str, place: Place, before: str) -> str:
    status = az(job_status(job, place))
    if status != before:
        print(f"{datetime.now(UTC):%H:%M:%S} {job} {status}", flush=True)
    return status


def _failed(job: str, place: Place, status: str) -> OpsError:
    logs = project_root() / DOWNLOADS / job
    try:
        az(download_job(job, None, logs, place))
        remedy = f"Read its logs in {logs}."
    except AzureCliError as error:
        remedy = f"Its logs could not be downloaded: {error.message}"
    return OpsError(f"The job {job} ended as {status}.", remedy)


def download(job: str, output: str, place: Place, target: Path | None = None) -> Path:
    """Download a named output and give the folder that holds it."""
    folder = target or project_root() / DOWNLOADS / job
    az(download_job(job, output, folder, place))
    found = [path for path in folder.rglob(output) if path.is_dir()]
    if len(found) != 1:
        problem = f"The job {job} gave {len(found)} folders for its output {output}, not one."
        raise OpsError(problem, f"Look in {folder}, and empty it before the next download.")
    return found[0]


def gate(job: str, place: Place) -> GateResult:
    """Read the decision that the gate wrote in a training job."""
    values = read_mapping(download(job, "evaluation", place) / "decision.json")
    outcome, reasons = values.get("outcome"), values.get("reasons")
    if not isinstance(outcome, str) or not isinstance(reasons, list):
        raise OpsError(f"The decision of {job} cannot be read.", "Run the training again with this version of ops.")
    return GateResult(outcome, tuple(str(reason) for reason in reasons))


def evidence(job: str, place: Place) -> Path:
    """Write the evidence of a training job's model, with its card, and give the folder."""
    model, evaluation = download(job, "model", place), download(job, "evaluation", place)
    target = project_root() / "evidence" / job
    write_evidence(project_root(), Subject(model, evaluation, f"the model of the job {job}"), target)
    return target


def overdue(place: Place, grace: timedelta, now: datetime) -> list[str]:
    """What is wrong with the scheduled runs, a sentence each: none yet, too old, or not completed.

    A run is too old when the schedule should have started another one, and `grace` has passed since. A scheduled
    job's name is the schedule's, followed by a time.
    """
    answer = az_json(list_jobs(500, place))
    jobs = [job for job in answer if isinstance(job, dict)] if isinstance(answer, list) else []
    problems: list[str] = []
    for file in sorted((project_root() / "azureml" / "schedules").glob("*.yml")):
        schedule = read_mapping(file)
        name = str(schedule.get("name"))
        mine = [job for job in jobs if str(job.get("name")).startswith(name)]
        if not mine:
            problems.append(f"The schedule {name} has not run.")
            continue
        last = max(mine, key=lambda job: str(job.get("created")))
        age = now - datetime.fromisoformat(str(last["created"]))
        if age > period(schedule) + grace:
            problems.append(f"The schedule {name} ran last {age.total_seconds() / 3600:.0f} hours ago: {last['name']}.")
        elif last.get("status") in _ENDED and last["status"] != "Completed":
            problems.append(f"The last run of {name} ended as {last['status']}: {last['name']}.")
    return problems


def period(schedule: Mapping[str, object]) -> timedelta:
    """The longest time between two runs of a schedule of Azure Machine Learning.

    Raises:
        OpsError: Its trigger cannot be read.
    """
    trigger = schedule.get("trigger")
    values = trigger if isinstance(trigger, dict) else {}
    frequency, interval = str(values.get("frequency")), values.get("interval", 1)
    if values.get("type") == "recurrence" and frequency in _FREQUENCIES and isinstance(interval, int):
        return interval * _FREQUENCIES[frequency]
    fields = str(values.get("expression")).split()
    if values.get("type") == "cron" and len(fields) == len(_CRON):
        narrowed = [length for field, length in zip(fields, _CRON, strict=True) if not field.startswith("*")]
        return max(narrowed, default=_FREQUENCIES["hour"])
    raise OpsError(f"The trigger of the schedule {schedule.get('name')} cannot be read.", "Use recurrence or cron.")
