"""Command components and their ports, read from Azure ML CLI v2 YAML."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from .assets import check_environment
from .azureml_yaml import CLOUD_ONLY, LITERAL_TYPES, PATH_TYPES, Node, Scalar, check_resources, read_yaml
from .command import check_command, normal_command

_NAME: Final = re.compile(r"\A[a-z][a-z0-9_]*\Z")
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}


@dataclass(frozen=True)
class Port:
    """A declared input or output of a component, or an input of a pipeline."""

    name: str
    type: str
    default: Scalar | None = None
    optional: bool = False
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Component:
    """A command component: what runs, where its code stands, what it reads and writes."""

    path: Path
    name: str
    command: str
    code: Path
    inputs: Mapping[str, Port]
    outputs: Mapping[str, Port]
    is_deterministic: bool


def check_literal(node: Node, port: Port, value: Scalar) -> None:
    """Refuse a value that does not fit a port's type, bounds or choices."""
    if not isinstance(value, _KINDS[port.type]) or (isinstance(value, bool) and port.type != "boolean"):
        raise node.fail(f"{port.name} is {value!r}, which is no {port.type}", f"Give {port.name} as {port.type}.")
    if port.choices and value not in port.choices:
        raise node.fail(f"{port.name} is {value!r}", f"Choose one of {', '.join(map(str, port.choices))}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise node.fail(f"{port.name} is {value}", "Give a finite number.")
    if isinstance(value, int | float) and not port.minimum <= value <= port.maximum:
        problem = f"{port.name} is {value}, outside {port.minimum:g} to {port.maximum:g}"
        raise node.fail(problem, "Give a value within the bounds.")


def parse_port(node: Node, name: str) -> Port:
    """Read the declaration of an input."""
    kind = node.text("type")
    if kind in PATH_TYPES:
        node.only({"type", "optional"}, {"description"})
        return Port(name, kind, optional=node.flag("optional", default=False))
    if kind not in LITERAL_TYPES:
        raise node.fail(f"the type {kind!r} is unknown here", f"Use one of {', '.join(PATH_TYPES + LITERAL_TYPES)}.")
    node.only({"type", "default", "optional", "min", "max", "enum"}, {"description"})
    if kind not in ("integer", "number") and not {"min", "max"}.isdisjoint(node.values):
        raise node.fail(f"a {kind} has no min and max", "Remove them.")
    default = node.entry("default") if "default" in node.values else None
    choices = node.values.get("enum", [])
    if not isinstance(choices, list) or isinstance(default, Node):
        raise node.fail("enum must be a list and default a plain value", "Correct the declaration.")
    minimum, maximum = node.number("min"), node.number("max")
    port = Port(
        name,
        kind,
        default,
        optional=node.flag("optional", default=False),
        minimum=-math.inf if minimum is None else minimum,
        maximum=math.inf if maximum is None else maximum,
        choices=tuple(choices),
    )
    for value in (*port.choices, *([] if default is None else [default])):
        check_literal(node, port, value)
    return port


def _parse_output(node: Node, name: str) -> Port:
    node.only({"type"}, {"mode", "description"})
    kind = node.text("type")
    if kind not in PATH_TYPES:
        raise node.fail(f"the type {kind!r} is unknown here", f"Use one of {', '.join(PATH_TYPES)}.")
    return Port(name, kind)


def parse_ports(node: Node, key: str) -> dict[str, Port]:
    """Read what is declared under `inputs` or `outputs`."""
    ports: dict[str, Port] = {}
    for name, entry in node.children(key).items():
        if not isinstance(entry, Node):
            raise node.fail(f"{key}.{name} must be a mapping", "Give its type.")
        ports[name] = parse_port(entry, name) if key == "inputs" else _parse_output(entry, name)
    return ports


def load_component(path: Path) -> Component:
    """Read a command component, and check that its command names only what it declares.

    Raises:
        OpsError: A key, reference, script or environment that cannot be honoured.
    """
    node = read_yaml(path)
    if "environment_variables" in node.values:
        problem = "environment_variables would do nothing, because Azure ML drops it from components"
        raise node.fail(problem, "Set it in the step of the pipeline.")
    honoured = {"name", "command", "code", "environment", "inputs", "outputs", "is_deterministic", "type"}
    node.only(honoured, CLOUD_ONLY - {"compute", "experiment_name", "identity", "queue_settings"})
    if node.text("type") != "command":
        raise node.fail(f"the type {node.text('type')!r} cannot be run here", "Use a command component.")
    if not _NAME.match(node.text("name")):
        raise node.fail("name must be lower-case letters, digits and underscores", "Rename the component.")
    check_resources(node)
    check_environment(node, node.text("environment"))
    code = node.relative("code")
    if not code.is_dir():
        raise node.fail(f"code leads to {code}, which is no folder", "Name the folder that holds the code.")
    inputs, outputs = parse_ports(node, "inputs"), parse_ports(node, "outputs")
    command = normal_command(node.text("command"))
    check_command(node, command, code, {name: port.optional for name, port in inputs.items()}, set(outputs))
    is_deterministic = node.flag("is_deterministic", default=True)
    return Component(path, node.text("name"), command, code, inputs, outputs, is_deterministic)
