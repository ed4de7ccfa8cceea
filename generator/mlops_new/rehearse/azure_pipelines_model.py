"""What a run of a pipeline is given, and what becomes of it."""

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mlops_new.errors import KitError
from mlops_new.model import Place

JobState = Literal["Succeeded", "Failed", "Skipped", "Rejected", "Canceled"]
StepState = Literal["Succeeded", "Failed", "Skipped", "Canceled"]


class PipelineError(KitError):
    """A pipeline that this interpreter does not understand, or that was given something wrong."""


def fault(place: Place, problem: str, remedy: str) -> PipelineError:
    """An error at a line of a pipeline; the problem is a sentence without its end."""
    return PipelineError(f"{place}: {problem}.", remedy)


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step; `code` is None where no script ran, and `output` holds all that it said."""

    name: str
    code: int | None
    output: str
    seconds: float
    result: StepState = "Succeeded"


@dataclass(frozen=True, slots=True)
class JobResult:
    """What became of a job.

    `outputs` are named as the service names them: `step.variable`, of a deployment `job.step.variable`. `issues` are
    the faults that did not fail it, and what its steps reported.
    """

    stage: str
    job: str
    environment: str | None
    result: JobState
    steps: tuple[StepResult, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    issues: tuple[str, ...] = ()
    attachments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepEvent:
    """A step that starts, while `result` is None, or that has ended."""

    stage: str
    job: str
    name: str
    result: StepResult | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a service connection signs in as."""

    connection: str
    client: str
    tenant: str
    subscription: str
    token: str

    @classmethod
    def named(cls, connection: str) -> "Identity":
        """An identity that follows from the connection's name alone."""
        ids = {kind: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{connection}")) for kind in ("client", "connection")}
        one = {kind: str(uuid.uuid5(uuid.NAMESPACE_URL, kind)) for kind in ("tenant", "subscription")}
        return cls(ids["connection"], ids["client"], one["tenant"], one["subscription"], f"rehearsal:{connection}")


def approve_all(_environment: str) -> bool:
    """Nobody needs to be asked."""
    return True


def tell_nobody(_event: StepEvent) -> None:
    """Nobody wants to know."""


def hold_nothing(_locks: Sequence[str]) -> AbstractContextManager[None]:
    """No other run goes at the same time."""
    return nullcontext()


@dataclass(frozen=True, kw_only=True)
class PipelineRun:
    """All that a run depends on besides the project's files.

    Attributes:
        folder: Empty; gets the artifacts (`artifacts/`) and each job's working copy (`jobs/`).
        environ: The environment of scripts; first on its PATH stands what takes the place of `az`.
        parameters: What the person who starts the run gives.
        reason: Build.Reason, such as PullRequest, IndividualCI, Schedule, Manual.
        branch: Build.SourceBranch, such as refs/heads/main or refs/pull/1/merge.
        commit: What is checked out: a commit, branch or tag of the project.
        variables: Further variables of the run, such as Build.BuildId; they win over the interpreter's own.
        groups: The variable groups by name.
        approve: Asked for each environment of a stage before the stage starts; True where nobody needs to be asked.
        connect: Who a service connection signs in as; raises KitError for one that is not there.
        hold: Gives a context that holds locks, the names of variable groups, while a stage runs.
        on_step: Told of each step's start and end. What it raises ends the run at once, like a runner that is lost.
        cancel: Set it, and the run ends as if a person had cancelled it.
        minute: How many seconds a minute of a limit has.
    """

    folder: Path
    environ: Mapping[str, str]
    parameters: Mapping[str, str] = field(default_factory=dict)
    reason: str = "Manual"
    branch: str = "refs/heads/main"
    commit: str = "HEAD"
    variables: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    approve: Callable[[str], bool] = approve_all
    connect: Callable[[str], Identity] = Identity.named
    hold: Callable[[Sequence[str]], AbstractContextManager[None]] = hold_nothing
    on_step: Callable[[StepEvent], None] = tell_nobody
    cancel: threading.Event = field(default_factory=threading.Event)
    minute: float = 60.0
