"""What starts a workflow of a project in a rehearsal, and what becomes of it, on whichever CI system."""

import json
import os
import shutil
import signal
import subprocess
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mlops_new import git
from mlops_new.rehearse.az import RUNNER
from mlops_new.rehearse.az_state import State
from mlops_new.rehearse.stand_ins import Stage

Kind = Literal["pull_request", "push", "manual", "event", "schedule"]
JobEnd = Literal["success", "failure", "skipped"]
EXTENSION = "2.40.0"


@dataclass(frozen=True, slots=True)
class Trigger:
    """What starts a workflow; `inputs` are what a person gives, and `base` the commit that a change goes to."""

    kind: Kind
    inputs: Mapping[str, str] = field(default_factory=dict)
    base: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """How a job of a workflow ended."""

    name: str
    end: JobEnd


@dataclass(frozen=True, slots=True)
class Run:
    """How a workflow ended: `success`, `failure`, or `killed` where its runner was lost."""

    workflow: str
    end: Literal["success", "failure", "killed"]
    jobs: tuple[Job, ...]
    log: Path


class Delivery(ABC):
    """The workflows of a project; each run has a fresh working copy, and those that share a lock go one at a time."""

    def __init__(self, origin: Path, stage: Stage) -> None:
        """Know the project's repository, and where the rehearsal takes place."""
        self.origin, self.stage = origin, stage
        self._guard, self._count = threading.Lock(), 0
        self._locks: dict[str, threading.Lock] = {}

    @property
    def state(self) -> State:
        """What the stand-in for Azure knows now."""
        return State(self.stage.state)

    @abstractmethod
    def is_exclusive(self, workflow: str) -> bool:
        """Whether a second run of the workflow waits for the first."""

    @abstractmethod
    def command(self, workflow: str, trigger: Trigger, copy: Path) -> list[str]:
        """Make the working copy ready, and give the program that runs the workflow in it."""

    @abstractmethod
    def read(self, line: str) -> Job | None:
        """The end of a job, if a line of the program's output tells one."""

    def told(self, line: str) -> str:
        """What a line of the program's output tells a person."""
        return line

    def start(self, workflow: str, trigger: Trigger, commit: str = "main") -> Run:
        """Run a workflow to its end.

        Raises:
            ToolError: The CI system's own program cannot run it.
        """
        with self._guard:
            self._count += 1
            copy = self.stage.folder / "runs" / f"{self._count}-{workflow}" / "copy"
            lock = self._locks.setdefault(workflow, threading.Lock()) if self.is_exclusive(workflow) else nullcontext()
        copy.parent.mkdir(parents=True)
        git.run("clone", "--quiet", "--no-hardlinks", str(self.origin), str(copy))
        git.run("checkout", "--quiet", "-B", "rehearsed", f"origin/{commit}", folder=copy)
        with lock:
            self.state.event("starts", workflow=workflow, trigger=trigger.kind)
            run = self._run(workflow, self.command(workflow, trigger, copy), copy)
            self.state.event("ends", workflow=workflow, end=run.end)
        for folder in (path for path in copy.parent.iterdir() if path.is_dir() and path.name != "artifacts"):
            shutil.rmtree(folder, ignore_errors=True)  # each job's environment is large, and the log tells the rest
        return run

    def _run(self, workflow: str, command: list[str], copy: Path) -> Run:
        log, jobs = copy.parent / "log.txt", list[Job]()
        with log.open("w", encoding="utf-8") as stream:
            process = subprocess.Popen(
                command,
                cwd=copy,
                env=dict(self.stage.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=True,
            )
            (self.stage.state / RUNNER).write_text(str(process.pid), encoding="utf-8")
            try:
                for line in process.stdout or ():
                    stream.write(self.told(line))
                    stream.flush()
                    if job := self.read(line):
                        jobs.append(job)
                        self.state.event("job", workflow=workflow, job=job.name, end=job.end)
                code = process.wait()
            finally:
                _end(process)
        end: Literal["success", "failure", "killed"] = "killed" if code < 0 else "failure" if code else "success"
        return Run(workflow, end, tuple(jobs), log)


def _end(process: subprocess.Popen[str]) -> None:
    """Leave no child of a run behind."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def as_json(line: str) -> dict[str, Any]:
    """A line of JSON, or nothing."""
    try:
        value = json.loads(line)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
