"""What the inputs and outputs of a step are bound to."""

import re
from dataclasses import dataclass
from typing import Final

from .assets import check_path
from .azureml_yaml import PATH_TYPES, Node, Scalar
from .component import Component, Port, check_literal

_PARENT: Final = re.compile(r"\A\$\{\{\s*parent\.([A-Za-z0-9_.]+)\s*\}\}\Z")


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
class FromPath:
    """A step's input that is a file, a folder or a data asset of the project."""

    text: str
    node: Node


Binding = Scalar | FromInput | FromStep | FromPath


def parse_input(node: Node, port: Port) -> Binding:
    """What an input of a step is bound to; `node` holds the inputs of the step."""
    entry = node.entry(port.name)
    if isinstance(entry, Node):
        entry.only({"path", "type"}, {"mode"})
        if entry.text("type", port.type) != port.type:
            raise entry.fail(f"the type is {entry.text('type')}, but the component wants {port.type}", "Correct it.")
        reference = _reference(entry, "path", entry.text("path"))
        if reference is None and port.type in PATH_TYPES:
            check_path(entry, port.type, entry.text("path"))
            return FromPath(entry.text("path"), entry)
        if reference is None:
            raise entry.fail(f"a {port.type} has no path", "Give the value itself.")
        return reference
    reference = _reference(node, port.name, entry) if isinstance(entry, str) else None
    if reference is None and port.type in PATH_TYPES:
        raise node.fail(f"{port.name} is a {port.type}, but gets the value {entry!r}", "Give a mapping with its path.")
    if reference is None:
        check_literal(node, port, entry)
    return entry if reference is None else reference


def _reference(node: Node, key: str, text: str) -> FromInput | FromStep | None:
    if "${{" not in text and "$[[" not in text:
        return None
    match = _PARENT.match(text)
    parts = match.group(1).split(".") if match else []
    if len(parts) == 2 and parts[0] == "inputs":
        return FromInput(parts[1])
    if len(parts) == 4 and parts[0] == "jobs" and parts[2] == "outputs":
        return FromStep(parts[1], parts[3])
    known = "${{parent.inputs.<name>}} or ${{parent.jobs.<step>.outputs.<name>}}"
    raise node.fail(f"{key} is {text!r}, which is no reference on its own", f"Write {known}.")


def parse_outputs(node: Node, component: Component) -> dict[str, str]:
    """The output of the pipeline that each bound output of a step becomes; `node` holds the outputs of the step."""
    bound: dict[str, str] = {}
    for key, value in node.values.items():
        match = _PARENT.match(value) if isinstance(value, str) else None
        if match is None or not match.group(1).startswith("outputs."):
            raise node.fail(f"{key} is {value!r}", "Bind it to ${{parent.outputs.<name>}}.")
        if key not in component.outputs:
            raise node.fail(f"{key} is no output of {component.name}", "Remove or rename it.")
        bound[key] = match.group(1).removeprefix("outputs.")
    return bound
