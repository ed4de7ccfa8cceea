"""What a pipeline is made of, read from Azure ML CLI v2 YAML and checked as a whole before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Final

from .azureml_yaml import CLOUD_ONLY, LITERAL_TYPES, PATH_TYPES, Node, Scalar, check_resources, read_yaml
from .bindings import Binding, FromInput, FromStep, parse_input, parse_outputs
from .component import Component, Port, check_literal, load_component, parse_port, parse_ports

# The runner gives these to every step; a step's own would have no effect.
RUNNERS_VARIABLES: Final = frozenset(
    {"MLFLOW_DISABLE_TELEMETRY", "MLFLOW_TRACKING_URI", "PIPELINE_RUN_ID", "PROJECT_ROOT"}
    | {"PYTHONHASHSEED", "PYTHONPATH", "PYTHONUNBUFFERED"}
)
_FOLDERS: Final = frozenset({"uri_folder", "mlflow_model", "custom_model"})


@dataclass(frozen=True)
class Step:
    """A node of the pipeline; `timeout` is in seconds."""

    name: str
    node: Node
    component: Component
    inputs: Mapping[str, Binding]
    outputs: Mapping[str, str]
    environment_variables: Mapping[str, str]
    timeout: float | None


@dataclass(frozen=True)
class PipelineInput:
    """An input of the pipeline: its type, and the value or path as the YAML gives it."""

    port: Port
    value: Scalar | None
    node: Node

    @property
    def is_path(self) -> bool:
        """Whether the value is a path or the name of a data asset."""
        return self.port.type in PATH_TYPES


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


def load_pipeline(path: Path) -> Pipeline:
    """Read a pipeline with its components, and check every reference.

    Raises:
        OpsError: Something in the YAML that cannot be honoured, with the file and the key.
    """
    node = read_yaml(path)
    node.only({"inputs", "outputs", "jobs", "settings", "type"}, (CLOUD_ONLY - {"resources", "version"}) | {"name"})
    if node.text("type") != "pipeline":
        raise node.fail(f"the type {node.text('type')!r} is no pipeline", "Give a pipeline job.")
    force_rerun = check_settings(node.child("settings"))
    steps: dict[str, Step] = {}
    for name, entry in node.children("jobs").items():
        if not isinstance(entry, Node):
            raise node.fail(f"jobs.{name} must be a mapping", "Give its type and component.")
        steps[name] = _parse_step(entry, name)
    if not steps:
        raise node.fail("jobs holds no step", "Give at least one.")
    declared = {name: _pipeline_input(node, name, entry) for name, entry in node.children("inputs").items()}
    for step in steps.values():
        _check_declared(step, declared)
    inputs = {name: _typed_by_use(entry, steps) for name, entry in declared.items()}
    for step in steps.values():
        for key, port in step.component.inputs.items():
            _check_input(step, port, step.inputs.get(key), inputs, steps)
    outputs = parse_ports(node, "outputs")
    _check_outputs(node, outputs, steps)
    return Pipeline(path, inputs, outputs, _ordered(node, steps), force_rerun)


def check_settings(settings: Node) -> bool:
    """Refuse settings that cannot be honoured; gives whether every step is to run anew."""
    settings.only({"continue_on_step_failure", "force_rerun"}, {"default_compute", "default_datastore"})
    if settings.flag("continue_on_step_failure", default=False):
        raise settings.fail("a failed step always ends a run here", "Set continue_on_step_failure to false.")
    return settings.flag("force_rerun", default=False)


def _pipeline_input(node: Node, name: str, entry: Node | Scalar) -> PipelineInput:
    if not isinstance(entry, Node):
        kind = {bool: "boolean", int: "integer", float: "number"}.get(type(entry), "string")
        return PipelineInput(Port(name, kind), entry, node)
    if entry.text("type") not in PATH_TYPES:
        port = parse_port(entry, name)
        return PipelineInput(port, port.default, entry)
    entry.only({"type", "path", "optional"}, {"mode", "description"})
    port = Port(name, entry.text("type"), optional=entry.flag("optional", default=False))
    return PipelineInput(port, entry.text("path") if "path" in entry.values else None, entry)


def _typed_by_use(declared: PipelineInput, steps: Mapping[str, Step]) -> PipelineInput:
    """The input, with the type that the steps want where the YAML gives a bare value."""
    name, node = declared.port.name, declared.node
    uses = [(step, key) for step in steps.values() for key, bound in step.inputs.items() if bound == FromInput(name)]
    if not uses:
        raise node.fail(f"no step uses the input {name}", "Hand it to a step, or remove it.")
    kinds = [step.component.inputs[key].type for step, key in uses]
    wanted = "integer" if "integer" in kinds else kinds[0]  # a whole number does for a fraction too
    if node.place or wanted not in LITERAL_TYPES:
        return declared
    return replace(declared, port=replace(declared.port, type=wanted))


def _parse_step(node: Node, name: str) -> Step:
    honoured = {"type", "component", "inputs", "outputs", "limits", "environment_variables"}
    node.only(honoured, CLOUD_ONLY - {"$schema", "type", "version", "experiment_name"})
    if node.text("type", "command") != "command":
        raise node.fail(f"the type {node.text('type')!r} cannot be run here", "Use a command component.")
    check_resources(node)
    component = load_component(node.relative("component"))
    given = node.child("inputs")
    for key in given.values:
        if key not in component.inputs:
            raise given.fail(f"{key} is no input of {component.name}", "Remove or rename it.")
    return Step(
        name=name,
        node=node,
        component=component,
        inputs={key: parse_input(given, component.inputs[key]) for key in given.values},
        outputs=parse_outputs(node.child("outputs"), component),
        environment_variables=_variables(node),
        timeout=_timeout(node.child("limits")),
    )


def _variables(node: Node) -> dict[str, str]:
    variables: dict[str, str] = {}
    for key, value in node.children("environment_variables").items():
        if not isinstance(value, str):
            raise node.fail(f"environment_variables.{key} is no text", "Put it in quotes.")
        if key in RUNNERS_VARIABLES:
            raise node.fail(f"environment_variables.{key} is what the runner sets", "Use another name.")
        variables[key] = value
    return variables


def _timeout(limits: Node) -> float | None:
    limits.only({"timeout"})
    timeout = limits.number("timeout")
    if timeout is not None and timeout <= 0:
        raise limits.fail(f"timeout is {timeout:g}", "Give a number of seconds above zero.")
    return timeout


def _check_declared(step: Step, declared: Mapping[str, PipelineInput]) -> None:
    """Before anything else: a misspelt reference would make the input that was meant look unused."""
    for key, binding in step.inputs.items():
        if isinstance(binding, FromInput) and binding.name not in declared:
            raise step.node.fail(f"{key} refers to the input {binding.name}, which is not declared", "Declare it.")


def _check_input(
    step: Step,
    port: Port,
    binding: Binding | None,
    inputs: Mapping[str, PipelineInput],
    steps: Mapping[str, Step],
) -> None:
    node = step.node
    match binding:
        case FromInput(name):
            source = inputs[name].port
            may_lack = source.optional and not port.optional and port.default is None
            if may_lack and inputs[name].value is None:
                raise node.fail(f"{port.name} is required, but the input {name} is optional", "Make them the same.")
            value = inputs[name].value
        case FromStep(name, output):
            if name not in steps or output not in steps[name].component.outputs:
                raise node.fail(f"{port.name} refers to {name}.{output}, which no step writes", "Correct it.")
            source, value = steps[name].component.outputs[output], None
        case None:
            if port.default is None and not port.optional:
                raise node.fail(f"the input {port.name} has no value", "Give it one.")
            return
        case _:
            return
    fits = source.type == port.type or {source.type, port.type} <= _FOLDERS
    if not fits and (source.type, port.type) != ("integer", "number"):
        problem = f"the input {port.name} is a {port.type}, but gets a {source.type}"
        raise node.fail(problem, "Make the two types the same.")
    if value is not None and port.type in LITERAL_TYPES:
        check_literal(node, port, value)


def _check_outputs(node: Node, outputs: Mapping[str, Port], steps: Mapping[str, Step]) -> None:
    written: set[str] = set()
    for step in steps.values():
        for key, target in step.outputs.items():
            kind = step.component.outputs[key].type
            if target not in outputs or target in written:
                problem = "is written by two steps" if target in written else "is not declared"
                raise step.node.fail(f"the output {target} of the pipeline {problem}", "Correct the binding.")
            if outputs[target].type != kind:
                raise step.node.fail(
                    f"{key} is a {kind}, {target} a {outputs[target].type}", "Make the types the same."
                )
            written.add(target)
    if set(outputs) - written:
        raise node.fail(
            f"no step writes the outputs {', '.join(sorted(set(outputs) - written))}", "Bind or remove them."
        )


def _ordered(node: Node, steps: Mapping[str, Step]) -> tuple[Step, ...]:
    needs = {
        name: [binding.step for binding in step.inputs.values() if isinstance(binding, FromStep)]
        for name, step in steps.items()
    }
    try:
        return tuple(steps[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise node.fail(f"the steps wait for each other: {' -> '.join(error.args[1])}", "Break the circle.") from None
