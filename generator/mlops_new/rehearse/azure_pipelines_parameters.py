"""The parameters of pipelines and templates: declared, given, and of the kind that was declared."""

from collections.abc import Mapping

from mlops_new.errors import nearest
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_functions import Data, words
from mlops_new.rehearse.azure_pipelines_model import fault
from mlops_new.rehearse.azure_pipelines_nodes import Node

_KEYS = ("name", "type", "default", "values", "displayName")
_KINDS = ("string", "number", "boolean", "object")


def data_of(node: Node) -> Data:
    """A node as the data of expressions."""
    if node.items is not None:
        return [data_of(item) for item in node.items]
    if node.entries is not None:
        return {key: data_of(value) for key, _, value in node.entries}
    return node.text()


def node_of(data: Data, place: Place) -> Node:
    """Data of expressions as a node, whose every part stands at one place."""
    if isinstance(data, Mapping):
        return Node(place, entries=tuple((key, place, node_of(value, place)) for key, value in data.items()))
    if isinstance(data, list | tuple):
        return Node(place, items=tuple(node_of(item, place) for item in data))
    return Node(place, value=words(data))


def bind(declared: tuple[Node, ...], given: Mapping[str, Node], place: Place, what: str) -> dict[str, Data]:
    """The values of declared parameters; `place` and `what` say who gives them.

    Raises:
        PipelineError: One is missing, not declared, or of another kind than declared.
    """
    names = {entry.need("A parameter", "name").text(): entry for entry in declared}
    for name, node in given.items():
        if name not in names:
            hint = nearest(name, names) if names else "It declares none."
            raise fault(node.place, f"{what} has no parameter {name}", hint)
    return {name: _value(entry, given.get(name), place, what) for name, entry in names.items()}


def _value(declared: Node, given: Node | None, place: Place, what: str) -> Data:
    declared.only("A parameter", _KEYS)
    name, kind = declared.texts("name"), declared.choice("type", _KINDS, "string")
    node = given or declared.get("default")
    if node is None:
        raise fault(place, f"{what} needs the parameter {name}", "Give it.")
    if kind == "object":
        return data_of(node)
    text = node.text()
    values = [item.text() for item in declared.listed("values")]
    if values and text not in values:
        raise fault(node.place, f"the parameter {name} is {text!r}", f"Give one of {', '.join(values)}.")
    if kind == "boolean":
        if text.lower() not in {"true", "false"}:
            raise fault(node.place, f"the parameter {name} is {text!r}", "Give true or false.")
        return text.lower() == "true"
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            raise fault(node.place, f"the parameter {name} is {text!r}", "Give a number.") from None
    return text
