"""Runs a pipeline on this machine: each step in its own process, in order, with a log and a cache.

A deterministic step is not run again while its definition, its inputs, its code, the pinned packages and its
finished outputs are all unchanged; Azure ML reuses steps by the same rule.
"""

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from .azureml_yaml import ASSET, LITERAL_TYPES, Node, Scalar, data_path
from .component import Port, check_literal, fill_command
from .errors import DONE, REFUSED, OpsError
from .files import copy, read_json, remove, sha256_of, write_json, write_text
from .pipeline_spec import FromInput, FromStep, Pipeline, PipelineInput, Step
from .project import project_root

_TAIL_LINES = 20


@dataclass
class StepRecord:
    """What became of a step."""

    name: str
    status: str = "waiting"
    seconds: float = 0.0
    cached: bool = False
    log: str = ""


@dataclass
class RunRecord:
    """What became of a run; written as `run.json` after each step."""

    pipeline: str
    run_id: str
    status: str = "running"
    inputs: dict[str, Scalar] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    steps: list[StepRecord] = field(default_factory=list)


def resolve_inputs(pipeline: Pipeline, overrides: Mapping[str, str]) -> dict[str, Scalar]:
    """The value of each input of the pipeline, with `overrides` in place; paths are absolute.

    Raises:
        OpsError: An override that names no input, or a value that is missing or does not fit.
    """
    unknown = sorted(set(overrides) - set(pipeline.inputs))
    if unknown:
        known = ", ".join(sorted(pipeline.inputs))
        raise OpsError(f"{pipeline.path} has no input {unknown[0]!r}.", f"Set one of {known}.")
    values: dict[str, Scalar] = {}
    for name, declared in pipeline.inputs.items():
        value = _override(declared, overrides[name]) if name in overrides else _declared(declared)
        if value is not None:
            values[name] = value
        elif not declared.port.optional:
            raise OpsError(f"{pipeline.path}: the input {name} has no value.", f"Give it with --set inputs.{name}=...")
    return values


def _declared(declared: PipelineInput) -> Scalar | None:
    if declared.value is None or declared.port.type in LITERAL_TYPES:
        return declared.value
    if ASSET.match(str(declared.value)):
        return str(data_path(declared.node, str(declared.value)))
    if str(declared.value).startswith("azureml:"):
        problem = f"{declared.value} names no version of a data asset"
        raise declared.node.fail(problem, "Write azureml:<name>:<version>.")
    return str(declared.node.relative("path"))


def _override(declared: PipelineInput, text: str) -> Scalar:
    port = declared.port
    if port.type not in LITERAL_TYPES:
        path = Path(text).resolve()
        if not path.exists():
            raise OpsError(f"The input {port.name} leads to {path}, which does not exist.", "Give an existing path.")
        return str(path)
    value = parse_scalar(port, text)
    check_literal(declared.node, port, value)
    return value


def parse_scalar(port: Port, text: str) -> Scalar:
    """A text from the command line as the type that a port declares."""
    try:
        match port.type:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise OpsError(f"{port.name} is {text!r}, which is no {port.type}.", "Give a value of that type.") from None
    return text


def _as_text(value: Scalar) -> str:
    return str(value)  # Azure ML passes booleans as True and False too


class Runner:
    """One run of a pipeline; its files stand in `.runs/<pipeline>/<run id>/`."""

    def __init__(self, pipeline: Pipeline, inputs: Mapping[str, Scalar], *, force: bool = False) -> None:
        """Prepare a run under a new, sortable id."""
        self.pipeline = pipeline
        self.force = force or pipeline.force_rerun
        self.root = project_root()
        self.home = self.root / ".runs" / pipeline.name
        run_id = datetime.now(UTC).strftime("%Y%m%dT%H%M%S") + "-" + secrets.token_hex(3)
        self.folder = self.home / run_id
        records = [StepRecord(step.name) for step in pipeline.steps]
        self.record = RunRecord(pipeline.name, run_id, inputs=dict(inputs), steps=records)

    def run(self) -> RunRecord:
        """Run every step; the record on disk tells at any time how far the run has come."""
        self._save()
        try:
            for step, record in zip(self.pipeline.steps, self.record.steps, strict=True):
                self._run_step(step, record)
                if record.status == "refused":
                    self.record.status = "refused"
                    break
        except BaseException as error:
            self.record.status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            self._save()
            raise
        for step in self.pipeline.steps:
            for output, name in step.outputs.items():
                if self._output(step.name, output).exists():
                    self.record.outputs[name] = str(self._output(step.name, output))
        if self.record.status == "running":
            self.record.status = "completed"
            write_text(self.home / "latest", self.record.run_id + "\n")
        self._save()
        return self.record

    def _save(self) -> None:
        write_json(self.folder / "run.json", asdict(self.record))

    def _output(self, step: str, output: str) -> Path:
        return self.folder / step / output

    def _values(self, step: Step) -> dict[str, str]:
        values: dict[str, str] = {}
        for name, port in step.component.inputs.items():
            binding = step.inputs.get(name, port.default)
            match binding:
                case FromInput(source):
                    value = self.record.inputs.get(source)
                case FromStep(source, output):
                    value = str(self._output(source, output))
                case _:
                    value = binding
                    if value is not None and port.type not in LITERAL_TYPES:
                        value = str((self.pipeline.path.parent / str(value)).resolve())
            if value is not None:
                node = Node(self.pipeline.path, f"jobs.{step.name}.inputs", {})
                if port.type in LITERAL_TYPES:
                    check_literal(node, port, value)
                values[f"inputs.{name}"] = _as_text(value)
        return values

    def _run_step(self, step: Step, record: StepRecord) -> None:
        values = self._values(step)
        key = self._cache_key(step, values)
        record.log = str(self.folder / step.name / "log.txt")
        started = time.monotonic()
        if step.component.is_deterministic and not self.force and self._restore(step, key):
            record.status, record.cached = "completed", True
            print(f"{step.name}: unchanged, reused", file=sys.stderr, flush=True)
        else:
            print(f"{step.name}: running", file=sys.stderr, flush=True)
            try:
                refused = self._execute(step, values, Path(record.log))
            except BaseException as error:
                record.status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
                raise
            finally:
                record.seconds = round(time.monotonic() - started, 3)
            record.status = "refused" if refused else "completed"
            if step.component.is_deterministic and not refused:
                self._remember(step, key)
            verdict = f"said no; see {record.log}" if refused else "done"
            print(f"{step.name}: {verdict} in {record.seconds:.1f} s", file=sys.stderr, flush=True)
        self._save()

    def _execute(self, step: Step, values: dict[str, str], log: Path) -> bool:
        """Run a step; gives whether its check said no, in which case what it wrote is kept as the evidence."""
        log.parent.mkdir(parents=True, exist_ok=True)
        for name, port in step.component.outputs.items():
            path = self._output(step.name, name)
            if port.type != "uri_file":
                path.mkdir(parents=True, exist_ok=True)
            values[f"outputs.{name}"] = str(path)
        command = fill_command(step.component, values)
        if command[0] == "python":
            command[0] = sys.executable
        code = _run_process(command, step, self._environment(step), log)
        if code == REFUSED:
            return True
        problem = "" if code == DONE else f"left with exit code {code}"
        for name in step.component.outputs:
            if not problem and not self._output(step.name, name).exists():
                problem = f"did not write its output {name}"
        if problem:
            for name in step.component.outputs:
                remove(self._output(step.name, name))
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-_TAIL_LINES:])
            raise OpsError(
                f"The step {step.name} of {self.pipeline.path} {problem}.\nCommand: {' '.join(command)}\n{tail}\n",
                f"The whole log is {log}; mend the cause and run again, finished steps are reused.",
            )
        return False

    def _environment(self, step: Step) -> dict[str, str]:
        defaults = {"MLFLOW_TRACKING_URI": f"sqlite:///{(self.root / 'mlflow.db').as_posix()}"}
        fixed = {
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PIPELINE_RUN_ID": self.record.run_id,
            "PROJECT_ROOT": str(self.root),
            "PYTHONHASHSEED": "0",
            "PYTHONPATH": str(step.component.code),
        }
        return {**defaults, **os.environ, **step.component.environment_variables, **fixed}

    def _cache_key(self, step: Step, values: Mapping[str, str]) -> dict[str, str]:
        component = step.component
        key = {"component": sha256_of(component.path), "code": sha256_of(component.code)}
        pins = self.root / "requirements.txt"
        key["environment"] = sha256_of(pins) if pins.is_file() else ""
        for name, port in component.inputs.items():
            value = values.get(f"inputs.{name}")
            if value is not None:
                key[f"inputs.{name}"] = value if port.type in LITERAL_TYPES else sha256_of(Path(value))
        return key

    def _entry(self, step: Step) -> Path:
        return self.home / "cache" / f"{step.name}.json"

    def _remember(self, step: Step, key: Mapping[str, str]) -> None:
        outputs = {name: str(self._output(step.name, name)) for name in step.component.outputs}
        hashes = {name: sha256_of(Path(path)) for name, path in outputs.items()}
        write_json(self._entry(step), {"key": dict(key), "outputs": outputs, "hashes": hashes})

    def _restore(self, step: Step, key: Mapping[str, str]) -> bool:
        entry = self._entry(step)
        known = read_json(entry) if entry.is_file() else None
        if not isinstance(known, dict) or known["key"] != dict(key):
            return False
        outputs = {name: Path(path) for name, path in known["outputs"].items()}
        if any(not path.exists() or sha256_of(path) != known["hashes"][name] for name, path in outputs.items()):
            return False
        for name, path in outputs.items():
            copy(path, self._output(step.name, name))
        write_text(self.folder / step.name / "log.txt", "Reused: nothing that this step depends on has changed.\n")
        self._remember(step, key)
        return True


def _run_process(command: list[str], step: Step, environment: Mapping[str, str], log: Path) -> int:
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command, cwd=step.component.code, env=dict(environment), stdout=stream, stderr=subprocess.STDOUT
        )
        try:
            return process.wait(timeout=step.timeout)
        except subprocess.TimeoutExpired:
            raise OpsError(
                f"The step {step.name} ran longer than its limit of {step.timeout:g} s; its log is {log}.",
                "Raise limits.timeout, or make the step faster.",
            ) from None
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
