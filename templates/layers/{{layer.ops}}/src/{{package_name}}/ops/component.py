"""Command components and their ports, read from Azure ML CLI v2 YAML."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .azureml_yaml import CLOUD_ONLY, LITERAL_TYPES, PATH_TYPES, Node, Scalar, check_environment, read_yaml
from .errors import OpsError

_NAME = re.compile(r"\A[a-z][a-z0-9_]*\Z")
_REFERENCE = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_SHELL = re.compile(r"[|&;<>`\n]|\$\(|\$(?!\{\{|\[\[)")


@dataclass(frozen=True)
class Port:
    """A declared input or output of a component, or an input of a pipeline."""

    name: str
    type: str
    default: Scalar | None = None
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
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
    environment: str
    environment_variables: Mapping[str, str]
    is_deterministic: bool


def check_literal(node: Node, port: Port, value: Scalar) -> None:
    """Refuse a value that does not fit a port's type, bounds or choices."""
    kinds = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}[port.type]
    if not isinstance(value, kinds) or (isinstance(value, bool) and port.type != "boolean"):
        raise node.fail(f"{port.name} is {value!r}, which is no {port.type}", f"Give {port.name} as {port.type}.")
    if port.choices and value not in port.choices:
        raise node.fail(f"{port.name} is {value!r}", f"Choose one of {', '.join(map(str, port.choices))}.")
    if isinstance(value, int | float) and not isinstance(value, bool):
        low = float("-inf") if port.minimum is None else port.minimum
        high = float("inf") if port.maximum is None else port.maximum
        if not low <= value <= high:
            raise node.fail(f"{port.name} is {value}, outside {low} to {high}", "Give a value within the bounds.")


def parse_port(node: Node, name: str) -> Port:
    """Read the declaration of an input of a component."""
    node.only({"type", "default", "optional", "min", "max", "enum"}, {"description"})
    kind = node.text("type")
    if kind not in PATH_TYPES + LITERAL_TYPES:
        raise node.fail(f"the type {kind!r} is unknown here", f"Use one of {', '.join(PATH_TYPES + LITERAL_TYPES)}.")
    default = node.entry("default") if "default" in node.values else None
    bounds = {key: node.values.get(key) for key in ("min", "max")}
    enum = node.values.get("enum", [])
    if not isinstance(enum, list) or isinstance(default, Node):
        raise node.fail("enum must be a list and default a plain value", "Correct the declaration.")
    numbers = {key: float(str(value)) for key, value in bounds.items() if value is not None}
    optional = node.flag("optional", default=False)
    port = Port(name, kind, default, optional, numbers.get("min"), numbers.get("max"), tuple(enum))
    if default is not None and kind in LITERAL_TYPES:
        check_literal(node, port, default)
    return port


def _parse_output(node: Node, name: str) -> Port:
    node.only({"type"}, {"mode", "description"})
    kind = node.text("type")
    if kind not in PATH_TYPES:
        raise node.fail(f"the type {kind!r} is unknown here", f"Use one of {', '.join(PATH_TYPES)}.")
    return Port(name, kind)


def parse_ports(node: Node, key: str) -> dict[str, Port]:
    """Read the declared inputs or outputs of a component or a pipeline."""
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
    honoured = {"name", "command", "code", "environment", "environment_variables", "inputs", "outputs"}
    node.only(honoured | {"is_deterministic", "type"}, CLOUD_ONLY - {"compute", "identity", "type"})
    if node.text("type") != "command":
        raise node.fail(f"the type {node.text('type')!r} cannot be run here", "Use a command component.")
    if not _NAME.match(node.text("name")):
        raise node.fail("name must be lower-case letters, digits and underscores", "Rename the component.")
    check_environment(node, node.text("environment"))
    variables = {key: str(value) for key, value in node.child("environment_variables").values.items()}
    component = Component(
        path=path,
        name=node.text("name"),
        command=" ".join(node.text("command").split()),
        code=node.relative("code"),
        inputs=parse_ports(node, "inputs"),
        outputs=parse_ports(node, "outputs"),
        environment=node.text("environment"),
        environment_variables=variables,
        is_deterministic=node.flag("is_deterministic", default=True),
    )
    _check_command(node, component)
    return component


def _check_command(node: Node, component: Component) -> None:
    bare = _OPTIONAL.sub("", component.command)
    for text in (component.command, bare):
        for reference in _REFERENCE.findall(text):
            group, _, name = reference.partition(".")
            known = {"inputs": component.inputs, "outputs": component.outputs}.get(group, {})
            if name not in known:
                raise node.fail(f"the command names {reference}, which is not declared", "Declare it, or correct it.")
            if text is bare and group == "inputs" and component.inputs[name].optional:
                remedy = f"Write $[[... ${{{{{reference}}}}}]] around its flag."
                raise node.fail(f"the optional input {name} stands outside $[[ ]]", remedy)
    if _SHELL.search(_REFERENCE.sub("", component.command).replace("$[[", "[[")):
        raise node.fail("the command needs a shell", "Call one program; put the rest into a module.")
    words = component.command.split()
    if words[:2] == ["python", "-m"]:
        module = component.code / Path(*words[2].split("."))
        if not module.with_suffix(".py").is_file() and not (module / "__main__.py").is_file():
            raise node.fail(f"the module {words[2]} is not in {component.code}", "Correct the command or the code.")


def fill_command(component: Component, values: Mapping[str, str]) -> list[str]:
    """The words of a component's command, with each `inputs.x` and `outputs.y` of `values` in place.

    A value stays one word whatever it holds. An optional part, `$[[...]]`, falls away when its input has no value.
    """

    def optional(match: re.Match[str]) -> str:
        wanted = _REFERENCE.findall(match.group(1))
        return match.group(1) if all(name in values for name in wanted) else ""

    words = _OPTIONAL.sub(optional, component.command)
    words = _REFERENCE.sub(lambda match: "${{" + match.group(1) + "}}", words)
    filled = [_REFERENCE.sub(lambda match: values[match.group(1)], word) for word in words.split()]
    if not filled:
        raise OpsError(f"{component.path}: the command is empty.", "Give a command.")
    return filled
