"""Runs a pipeline on this machine: each step in its own process, in order, with a log and a cache.

A deterministic step is not run again while its definition, its inputs, its code, the pinned packages and its
finished outputs are all unchanged; Azure ML reuses steps by the same rule.
"""

import os
import platform
import secrets
import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from .assets import local_path
from .azureml_yaml import LITERAL_TYPES, Scalar
from .bindings import FromInput, FromPath, FromStep
from .command import fill_command
from .component import Port
from .errors import DONE, REFUSED, OpsError
from .files import remove, sha256_of, write_json, write_text
from .pipeline_cache import Entry, StepCache
from .pipeline_spec import Pipeline, Step
from .process import run_process, tail
from .project import project_root

_SQLITE: Final = "sqlite:///"


@dataclass
class StepRecord:
    """What became of a step: `waiting`, `running`, `completed`, `refused`, `failed` or `interrupted`."""

    name: str
    status: str = "waiting"
    seconds: float = 0.0
    cached: bool = False
    log: str = ""


@dataclass
class RunRecord:
    """What became of a run; written as `run.json` whenever it changes."""

    pipeline: str
    run_id: str
    status: str = "running"
    inputs: dict[str, Scalar] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)


class Runner:
    """One run of a pipeline; its files stand in `.runs/<pipeline>/<run id>/`."""

    def __init__(self, pipeline: Pipeline, inputs: Mapping[str, Scalar], *, force: bool = False) -> None:
        """Prepare a run under a new, sortable id."""
        self.pipeline = pipeline
        self.force = force or pipeline.force_rerun
        self.root = project_root()
        home = self.root / ".runs" / pipeline.name
        self.latest = home / "latest"
        self.cache = StepCache(home / "cache")
        run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S") + "-" + secrets.token_hex(3)
        self.folder = home / run_id
        records = [StepRecord(step.name) for step in pipeline.steps]
        self.record = RunRecord(pipeline.name, run_id, inputs=dict(inputs), steps=records)

    def run(self) -> RunRecord:
        """Run every step; the record on disk tells at any time how far the run has come.

        A step whose check says no ends the run: its status is `refused`, and what it wrote is kept.

        Raises:
            OpsError: A step failed; the message names it, its command and its log.
        """
        self._save()
        status = "failed"
        try:
            for step, record in zip(self.pipeline.steps, self.record.steps, strict=True):
                self._run_step(step, record)
                if record.status == "refused":
                    break
            status = record.status
        except KeyboardInterrupt:
            status = "interrupted"
            raise
        finally:
            self.record.status = status
            self._collect_outputs()
            self._save()
        if status == "completed":
            write_text(self.latest, self.record.run_id + "\n")
        return self.record

    def _save(self) -> None:
        write_json(self.folder / "run.json", asdict(self.record))

    def _collect_outputs(self) -> None:
        for step in self.pipeline.steps:
            for output, name in step.outputs.items():
                if self._output(step.name, output).exists():
                    self.record.outputs[name] = str(self._output(step.name, output))

    def _output(self, step: str, output: str) -> Path:
        return self.folder / step / output

    def _outputs(self, step: Step) -> dict[str, Path]:
        return {name: self._output(step.name, name) for name in step.component.outputs}

    def _run_step(self, step: Step, record: StepRecord) -> None:
        started = time.monotonic()
        record.status, record.log = "running", str(self.folder / step.name / "log.txt")
        self._save()
        try:
            inputs = self._inputs(step)
            key = self._cache_key(step, inputs)
            reusable = step.component.is_deterministic and not self.force
            outputs = self._outputs(step)
            record.cached = reusable and self.cache.restore(step.name, key, outputs, self._tracking())
            if record.cached:
                record.status = "completed"
                write_text(Path(record.log), "Reused: nothing that this step depends on has changed.\n")
                _tell(step, "unchanged, reused")
            else:
                _tell(step, "running")
                record.status = self._execute(step, inputs, Path(record.log))
                if step.component.is_deterministic and record.status == "completed":
                    self.cache.remember(step.name, key, Entry.of(outputs, self._tracking()))
                verdict = "done" if record.status == "completed" else "its check said no"
                _tell(step, f"{verdict} after {time.monotonic() - started:.1f} s")
        except KeyboardInterrupt:
            record.status = "interrupted"
            _tell(step, f"interrupted and stopped; its log is {record.log}")
            raise
        except BaseException:
            record.status = "failed"
            raise
        finally:
            if record.status in ("failed", "interrupted"):
                for path in self._outputs(step).values():
                    remove(path)
            record.seconds = round(time.monotonic() - started, 3)
            self._save()

    def _inputs(self, step: Step) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, port in step.component.inputs.items():
            value = self._input(step, port)
            if value is not None:
                values[f"inputs.{name}"] = str(value)  # Azure ML hands booleans over as True and False too
        return values

    def _input(self, step: Step, port: Port) -> Scalar | None:
        match step.inputs.get(port.name):
            case FromInput(source):
                return self.record.inputs.get(source, port.default)
            case FromStep(source, output):
                return str(self._output(source, output))
            case FromPath(text, node):
                return str(local_path(node, port.type, text))
            case None:
                return port.default
            case value:
                return value

    def _execute(self, step: Step, inputs: Mapping[str, str], log: Path) -> str:
        """Run a step that is not reused; gives its status."""
        log.parent.mkdir(parents=True, exist_ok=True)
        outputs = self._outputs(step)
        for name, port in step.component.outputs.items():
            if port.type != "uri_file":
                outputs[name].mkdir()
        written = {f"outputs.{name}": str(path) for name, path in outputs.items()}
        command = fill_command(step.component.command, {**inputs, **written})
        if command[0] in ("python", "python3"):
            command[0] = sys.executable
        if self._start(step, command, log) == REFUSED:
            print(tail(log), file=sys.stderr, flush=True)
            return "refused"
        for name, path in outputs.items():
            if not path.exists():
                raise self._failure(step, f"did not write its output {name}", command, log)
        return "completed"

    def _start(self, step: Step, command: list[str], log: Path) -> int:
        """Run a command to its end; gives its exit code, which is `DONE` or `REFUSED`."""
        try:
            code = run_process(command, step.component.code, self._environment(step), log, step.timeout)
        except TimeoutError as error:
            raise self._failure(step, str(error), command, log) from None
        if code not in (DONE, REFUSED):
            problem = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
            raise self._failure(step, problem, command, log)
        return code

    def _failure(self, step: Step, problem: str, command: list[str], log: Path) -> OpsError:
        return OpsError(
            f"The step {step.name} of {self.pipeline.path} {problem}.\nCommand: {shlex.join(command)}\n{tail(log)}\n",
            f"The whole log is {log}; mend the cause and run again, finished steps are reused.",
        )

    def _tracking_uri(self) -> str:
        return os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}{(self.root / 'mlflow.db').as_posix()}"

    def _tracking(self) -> str:
        """The tracking server, empty while it has no store."""
        uri = self._tracking_uri()
        is_there = not uri.startswith(_SQLITE) or Path(uri.removeprefix(_SQLITE)).is_file()
        return uri if is_there else ""

    def _environment(self, step: Step) -> dict[str, str]:
        fixed = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_TRACKING_URI": self._tracking_uri(),
            "PIPELINE_RUN_ID": self.record.run_id,
            "PROJECT_ROOT": str(self.root),
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(step.component.code),
            "PYTHONUNBUFFERED": "1",
        }
        return {**os.environ, **step.environment_variables, **fixed}

    def _cache_key(self, step: Step, inputs: Mapping[str, str]) -> dict[str, str]:
        component = step.component
        pins = self.root / "requirements.txt"
        key = {
            "component": sha256_of(component.path),
            "code": sha256_of(component.code),
            "environment": sha256_of(pins) if pins.is_file() else "",
            "python": platform.python_version(),
        }
        for name, value in step.environment_variables.items():
            key[f"environment_variables.{name}"] = value
        for name, value in inputs.items():
            port = component.inputs[name.removeprefix("inputs.")]
            key[name] = value if port.type in LITERAL_TYPES else sha256_of(Path(value))
        return key


def _tell(step: Step, what: str) -> None:
    print(f"{step.name}: {what}", file=sys.stderr, flush=True)
