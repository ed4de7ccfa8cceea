"""What a Bicep file takes from other files: modules with their parameters and outputs, and loaded contents."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mlops_new.lint.bicep_tree import (
    Node,
    body_of,
    first,
    inner,
    key_of,
    line_of,
    literal,
    meant,
    parse,
    properties,
    text_of,
    value_of,
    walk,
)

Fault = tuple[int, str]

_REMOTE: Final = ("br:", "br/", "ts:", "ts/")
_LOADING: Final = frozenset(["loadJsonContent", "loadYamlContent", "loadTextContent", "loadFileAsBase64"])
_TAKEN: Final = frozenset(["name", "scope", "params", "dependsOn", "identity", "extensionConfigs"])
_PLAIN: Final = {"string": "string", "int": "number", "bool": "boolean", "array": "array", "object": "object"}


def module_faults(path: Path, root: Node) -> Iterator[Fault]:
    """Modules that are not there, that are given what they do not take, or asked for what they do not hand out."""
    modules: dict[str, Node] = {}
    for node in root.children:
        source = literal(first(node, "string")) if node.type == "module_declaration" else None
        if source is None or source.startswith(_REMOTE):
            continue
        file = path.parent / source
        if not file.is_file():
            yield line_of(node), f"The module {source} does not exist: correct its path."
            continue
        own = parse(file.read_bytes())
        modules[text_of(first(node, "identifier"))] = own
        yield from _call_faults(node, source, own)
    for node in walk(root):
        yield from _output_faults(node, modules)


def _parameters(own: Node) -> dict[str, Node]:
    found = (node for node in own.children if node.type == "parameter_declaration")
    return {text_of(first(node, "identifier")): node for node in found}


def _call_faults(node: Node, source: str, own: Node) -> Iterator[Fault]:
    body = body_of(node)
    entries = {key_of(key): (key, value) for key, value in properties(body)} if body is not None else {}
    for name, (key, _) in entries.items():
        if name not in _TAKEN:
            yield line_of(key), f"A module takes no {name!r}. {meant(str(name), _TAKEN)}"
    value = entries["params"][1] if "params" in entries else None
    if value is None or value.type == "object":
        yield from _given_faults(node, value, source, _parameters(own))


def _given_faults(node: Node, value: Node | None, source: str, parameters: dict[str, Node]) -> Iterator[Fault]:
    given = {key_of(key): (key, content) for key, content in properties(value)} if value is not None else {}
    for name, (key, content) in given.items():
        if name not in parameters:
            if name not in {None, "_spread"}:
                yield line_of(key), f"{source} has no parameter {name!r}. {meant(str(name), parameters)}"
            continue
        wanted = _PLAIN.get(text_of(first(parameters[name], "type") or parameters[name]))
        if wanted and content.type in _PLAIN.values() and content.type != wanted:
            yield line_of(content), f"{source} takes another type for {name!r} than {text_of(content)[:40]}."
    for name, parameter in parameters.items() if "_spread" not in given else ():
        kind = first(parameter, "type")
        is_optional = value_of(parameter) is not None or (kind is not None and text_of(kind).endswith("?"))
        if name not in given and not is_optional:
            yield line_of(node), f"{source} needs the parameter {name!r}: give it."


def _output_faults(node: Node, modules: dict[str, Node]) -> Iterator[Fault]:
    """`module.outputs.name`, where there is no such output."""
    if node.type != "member_expression":
        return
    held = node.child_by_field_name("object")
    if held.type != "member_expression" or text_of(held.child_by_field_name("property")) != "outputs":
        return
    module = text_of(held.child_by_field_name("object"))
    if module not in modules:
        return
    outputs = [
        text_of(first(item, "identifier")) for item in modules[module].children if item.type == "output_declaration"
    ]
    name = text_of(node.child_by_field_name("property"))
    if name not in outputs:
        yield line_of(node), f"The module {module} hands out no {name!r}. {meant(name, outputs)}"


def file_faults(path: Path, root: Node) -> Iterator[Fault]:
    """Files that are loaded and do not exist."""
    for node in walk(root):
        if node.type != "call_expression" or text_of(inner(node)[0]) not in _LOADING:
            continue
        arguments = inner(inner(node)[1]) if len(inner(node)) > 1 else []
        named = literal(arguments[0]) if arguments else None
        if named is not None and not (path.parent / named).is_file():
            yield line_of(node), f"{named} does not exist: correct its path."
