"""What a pipeline is made of, read from Azure ML CLI v2 YAML and checked as a whole before anything runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from .azureml_yaml import CLOUD_ONLY, LITERAL_TYPES, PATH_TYPES, Node, Scalar, read_yaml
from .component import Component, Port, check_literal, load_component, parse_port, parse_ports

_PARENT = re.compile(r"\A\$\{\{\s*parent\.(.+?)\s*\}\}\Z")


@dataclass(frozen=True)
class FromInput:
    """A step's input that is an input of the pipeline."""

    name: str


@dataclass(frozen=True)
class FromStep:
    """A step's input that is an output of another step."""

    step: str
    output: str


@dataclass(frozen=True)
class Step:
    """A node of the pipeline; `timeout` is in seconds."""

    name: str
    component: Component
    inputs: Mapping[str, Scalar | FromInput | FromStep]
    outputs: Mapping[str, str]
    timeout: float | None


@dataclass(frozen=True)
class PipelineInput:
    """An input of the pipeline: its type, and the value or path as the YAML gives it."""

    port: Port
    value: Scalar | None
    node: Node


@dataclass(frozen=True)
class Pipeline:
    """A pipeline whose every reference leads somewhere; steps stand in the order in which they can run."""

    path: Path
    inputs: Mapping[str, PipelineInput]
    outputs: Mapping[str, Port]
    steps: tuple[Step, ...]
    force_rerun: bool

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem


def _parse_binding(node: Node, key: str, value: object) -> Scalar | FromInput | FromStep:
    if isinstance(value, dict):
        inner = Node(node.path, f"{node.place}.{key}", value)
        inner.only({"path"}, {"type", "mode"})
        value = inner.text("path")
    if not isinstance(value, str | int | float | bool):
        raise node.fail(f"{key} is no plain value", "Give a value or a ${{parent...}} reference.")
    match = _PARENT.match(value) if isinstance(value, str) else None
    if match is None:
        if isinstance(value, str) and "${{" in value:
            raise node.fail(f"{key} is {value!r}, which is no reference on its own", "Use ${{parent...}} alone.")
        return value
    parts = match.group(1).split(".")
    if parts[0] == "inputs" and len(parts) == 2:
        return FromInput(parts[1])
    if parts[0] == "jobs" and len(parts) == 4 and parts[2] == "outputs":
        return FromStep(parts[1], parts[3])
    raise node.fail(f"{key} is {value!r}", "Refer to parent.inputs.<name> or parent.jobs.<step>.outputs.<name>.")


def _parse_step(node: Node, name: str) -> Step:
    node.only({"type", "component", "inputs", "outputs", "limits"}, CLOUD_ONLY - {"type", "version", "experiment_name"})
    if node.text("type", "command") != "command":
        raise node.fail(f"the type {node.text('type')!r} cannot be run here", "Use a command component.")
    component = load_component(node.relative("component"))
    given = node.child("inputs")
    inputs = {key: _parse_binding(given, key, value) for key, value in given.values.items()}
    outputs: dict[str, str] = {}
    for key, value in node.child("outputs").values.items():
        match = _PARENT.match(value) if isinstance(value, str) else None
        if match is None or not match.group(1).startswith("outputs."):
            raise node.fail(f"outputs.{key} is {value!r}", "Bind it to ${{parent.outputs.<name>}}.")
        outputs[key] = match.group(1).removeprefix("outputs.")
    limits = node.child("limits")
    limits.only({"timeout"})
    timeout = limits.values.get("timeout")
    return Step(name, component, inputs, outputs, None if timeout is None else float(str(timeout)))


def _pipeline_input(node: Node, name: str, entry: Node | Scalar) -> PipelineInput:
    if not isinstance(entry, Node):
        kind = {bool: "boolean", int: "integer", float: "number"}.get(type(entry), "string")
        return PipelineInput(Port(name, kind), entry, node)
    entry.only({"type", "path", "default", "optional", "min", "max", "enum"}, {"mode", "description"})
    declared = Node(entry.path, entry.place, {k: v for k, v in entry.values.items() if k not in ("path", "mode")})
    port = parse_port(declared, name)
    return PipelineInput(port, entry.text("path") if port.type in PATH_TYPES else port.default, entry)


def load_pipeline(path: Path) -> Pipeline:
    """Read a pipeline with its components, and check every reference.

    Raises:
        OpsError: Something in the YAML that cannot be honoured, with the file and the key.
    """
    node = read_yaml(path)
    node.only({"inputs", "outputs", "jobs", "settings", "type"}, CLOUD_ONLY - {"type", "version"} | {"name"})
    if node.text("type") != "pipeline":
        raise node.fail(f"the type {node.text('type')!r} is no pipeline", "Give a pipeline job.")
    settings = node.child("settings")
    settings.only({"force_rerun"}, {"default_compute", "default_datastore", "continue_on_step_failure"})
    if settings.flag("continue_on_step_failure", default=False):
        raise settings.fail("a failed step always ends a run here", "Set continue_on_step_failure to false.")
    inputs = {name: _pipeline_input(node, name, entry) for name, entry in node.children("inputs").items()}
    steps: dict[str, Step] = {}
    for name, entry in node.children("jobs").items():
        if not isinstance(entry, Node):
            raise node.fail(f"jobs.{name} must be a mapping", "Give its type and component.")
        steps[name] = _parse_step(entry, name)
    outputs = parse_ports(node, "outputs")
    for step in steps.values():
        _check_step(node, step, inputs, outputs, steps)
    unbound = set(outputs) - {name for step in steps.values() for name in step.outputs.values()}
    if unbound:
        raise node.fail(f"no step writes the outputs {', '.join(sorted(unbound))}", "Bind or remove them.")
    return Pipeline(path, inputs, outputs, _ordered(node, steps), settings.flag("force_rerun", default=False))


def _check_step(
    node: Node,
    step: Step,
    inputs: Mapping[str, PipelineInput],
    outputs: Mapping[str, Port],
    steps: Mapping[str, Step],
) -> None:
    component = step.component
    for key, binding in step.inputs.items():
        if key not in component.inputs:
            raise node.fail(f"jobs.{step.name}.inputs.{key} is no input of {component.name}", "Remove or rename it.")
        _check_types(node, step, component.inputs[key], _source(node, step, binding, inputs, steps), binding)
    for key, port in component.inputs.items():
        if key not in step.inputs and port.default is None and not port.optional:
            raise node.fail(f"jobs.{step.name} lacks the input {key}", "Give it a value.")
    for key, target in step.outputs.items():
        if key not in component.outputs or target not in outputs:
            raise node.fail(f"jobs.{step.name}.outputs.{key} leads nowhere", "Declare it in both places.")


def _source(
    node: Node,
    step: Step,
    binding: Scalar | FromInput | FromStep,
    inputs: Mapping[str, PipelineInput],
    steps: Mapping[str, Step],
) -> Port | None:
    match binding:
        case FromInput(name):
            if name not in inputs:
                raise node.fail(f"jobs.{step.name} refers to the input {name}, which is not declared", "Declare it.")
            return inputs[name].port
        case FromStep(name, output):
            if name not in steps or output not in steps[name].component.outputs:
                raise node.fail(f"jobs.{step.name} refers to {name}.{output}, which no step writes", "Correct it.")
            return steps[name].component.outputs[output]
        case _:
            return None


def _check_types(node: Node, step: Step, port: Port, source: Port | None, binding: object) -> None:
    if source is None:
        if port.type in LITERAL_TYPES and isinstance(binding, str | int | float | bool):
            check_literal(node, port, binding)
        return
    folders = {"uri_folder", "mlflow_model", "custom_model"}
    fits = source.type == port.type or {source.type, port.type} <= folders
    if not fits and not (source.type == "integer" and port.type == "number"):
        problem = f"jobs.{step.name}.inputs.{port.name} is a {port.type}, but gets a {source.type}"
        raise node.fail(problem, "Make the two types the same.")


def _ordered(node: Node, steps: Mapping[str, Step]) -> tuple[Step, ...]:
    needs = {
        name: {binding.step for binding in step.inputs.values() if isinstance(binding, FromStep)}
        for name, step in steps.items()
    }
    try:
        return tuple(steps[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise node.fail(f"the steps wait for each other: {' -> '.join(error.args[1])}", "Break the circle.") from None
