"""Evaluates the expressions of Bicep, and refuses whatever it does not know."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import yaml
from bicep_functions import FUNCTIONS, OPERATORS, RefusedError
from mlops_new.lint.bicep_tree import Node, inner, literal, properties, string_parts, text_of

Local = dict[str, Any]


@dataclass
class Resource:
    """A resource: its id, and what is asked of it."""

    id: str
    kind: str
    name: str
    body: dict[str, Any]
    exists: bool = False

    def get(self, names: tuple[str, ...]) -> Any:
        """A value that Azure decides, by the path to it; half a path is kept."""
        if names in {("id",), ("name",)}:
            return getattr(self, names[0])
        if names in {("properties",), ("identity",)}:
            return Decided(self, names)
        is_identity = self.kind == "Microsoft.ManagedIdentity/userAssignedIdentities"
        if names == ("properties", "principalId") and is_identity:
            return f"principal of {self.id}"
        if names == ("properties", "clientId") and is_identity:
            return f"client of {self.id}"
        if names == ("identity", "principalId") and self.body.get("identity") == {"type": "SystemAssigned"}:
            return f"principal of {self.id}"
        raise RefusedError(f"{'.'.join(names)} of {self.kind}")


@dataclass
class Decided:
    """Half a path to a value that Azure decides."""

    resource: Resource
    names: tuple[str, ...]


@dataclass
class Module:
    """What a module hands out."""

    outputs: dict[str, Any]


class Expressions:
    """The expressions of a file; `symbol` says what a name stands for."""

    files: Mapping[str, bytes]
    path: str
    scope: str

    def symbol(self, name: str) -> Any:
        """What a name of the file stands for."""
        raise NotImplementedError

    def beside(self, path: str) -> str:
        """A path that the file names, from the top."""
        parts = self.path.split("/")[:-1]
        for part in path.split("/"):
            parts = parts[:-1] if part == ".." else [*parts, part]
        return "/".join(parts)

    def loop(self, node: Node, local: Local) -> list[dict[str, Any]]:
        parts = inner(node)
        names = (
            [text_of(item) for item in inner(parts[0])]
            if parts[0].type == "for_loop_parameters"
            else [text_of(parts[0])]
        )
        items = self.value(parts[1], local)
        if not isinstance(items, list):
            raise RefusedError(f"{self.path}: a loop over {items!r}")
        return [dict(zip(names, (item, number), strict=False)) for number, item in enumerate(items)]

    def value(self, node: Node, local: Local) -> Any:
        """What an expression gives."""
        evaluate = getattr(self, f"_{node.type}", None)
        if evaluate is None:
            raise RefusedError(f"{self.path}: {node.type} {text_of(node)[:60]!r}")
        return evaluate(node, local)

    def _identifier(self, node: Node, local: Local) -> Any:
        name = text_of(node)
        return local[name] if name in local else self.symbol(name)

    def _string(self, node: Node, local: Local) -> str:
        parts = [part if isinstance(part, str) else self.value(part, local) for part in string_parts(node)]
        if bad := [part for part in parts if not isinstance(part, str | int) or isinstance(part, bool)]:
            raise RefusedError(f"{self.path}: {bad[0]!r} in a text")
        return "".join(map(str, parts))

    @staticmethod
    def _number(node: Node, _local: Local) -> int:
        return int(text_of(node))

    @staticmethod
    def _boolean(node: Node, _local: Local) -> bool:
        return text_of(node) == "true"

    @staticmethod
    def _null(_node: Node, _local: Local) -> None:
        return None

    def _array(self, node: Node, local: Local) -> list[Any]:
        items = inner(node)
        if any(one.end_byte == two.start_byte for one, two in pairwise(items)):  # the grammar tears a call apart
            raise RefusedError(f"{self.path}: how {text_of(node)[:60]!r} is grouped")
        return [self.value(item, local) for item in items]

    def _object(self, node: Node, local: Local) -> dict[str, Any]:
        if any(child.type != "object_property" for child in inner(node)):
            raise RefusedError(f"{self.path}: {text_of(node)[:60]!r}")
        pairs = [
            (self.value(key, local) if key.type == "string" else text_of(key), self.value(content, local))
            for key, content in properties(node)
        ]
        if len(dict(pairs)) < len(pairs):
            raise RefusedError(f"{self.path}: a property twice in {text_of(node)[:60]!r}")
        return dict(pairs)

    def _for_statement(self, node: Node, local: Local) -> list[Any]:
        return [self.value(inner(node)[-1], local | own) for own in self.loop(node, local)]

    def _parenthesized_expression(self, node: Node, local: Local) -> Any:
        return self.value(inner(node)[0], local)

    def _truth(self, node: Node, local: Local) -> bool:
        value = self.value(node, local)
        if not isinstance(value, bool):
            raise RefusedError(f"{self.path}: {text_of(node)[:60]!r} is {value!r}")
        return value

    def _unary_expression(self, node: Node, local: Local) -> bool:
        if node.child_by_field_name("operator").text != b"!":
            raise RefusedError(f"{self.path}: {text_of(node)!r}")
        return not self._truth(node.child_by_field_name("argument"), local)

    def _binary_expression(self, node: Node, local: Local) -> Any:
        left, operator, right = (node.child_by_field_name(name) for name in ("left", "operator", "right"))
        if operator.type == "??":
            value = self.value(left, local)
            return self.value(right, local) if value is None else value
        if operator.type not in OPERATORS:
            raise RefusedError(f"{self.path}: the operator {operator.type}")
        return OPERATORS[operator.type](self.value(left, local), self.value(right, local))

    def _ternary_expression(self, node: Node, local: Local) -> Any:
        chosen = "consequence" if self._truth(node.child_by_field_name("condition"), local) else "alternative"
        return self.value(node.child_by_field_name(chosen), local)

    def _object_of(self, node: Node, local: Local) -> Any:
        held = node.child_by_field_name("object")
        if held.type in {"binary_expression", "ternary_expression", "unary_expression"}:
            raise RefusedError(f"{self.path}: how {text_of(node)[:60]!r} is grouped")
        return self.value(held, local)

    def _subscript_expression(self, node: Node, local: Local) -> Any:
        held, index = self._object_of(node, local), self.value(node.child_by_field_name("index"), local)
        is_safe = any(child.type == "?" for child in node.children)
        return self._part(held, index, node, is_safe=is_safe)

    def _part(self, held: Any, index: Any, node: Node, *, is_safe: bool) -> Any:
        if held is None and is_safe:
            return None
        if isinstance(held, list) and isinstance(index, int):
            return held[index]
        if not isinstance(held, dict):
            raise RefusedError(f"{self.path}: {index!r} of {held!r}")
        if index not in held and not is_safe:
            raise RefusedError(f"{self.path}: {text_of(node)} has no {index!r}")
        return held.get(index)

    def _member_expression(self, node: Node, local: Local) -> Any:
        if any(child.type == "!" for child in node.children):
            raise RefusedError(f"{self.path}: {text_of(node)}")
        held, name = self._object_of(node, local), text_of(node.child_by_field_name("property"))
        if isinstance(held, Resource):
            held = Decided(held, ())
        if isinstance(held, Decided):
            return held.resource.get((*held.names, name))
        if isinstance(held, Module):
            held = {"outputs": held.outputs}
        return self._part(held, name, node, is_safe=any(child.type == ".?" for child in node.children))

    def _call_expression(self, node: Node, local: Local) -> Any:
        function, arguments = inner(node)
        name = text_of(function)
        if name in {"loadYamlContent", "loadJsonContent"}:
            content = self.files[self.beside(literal(inner(arguments)[0]) or "")]
            return yaml.safe_load(content) if name == "loadYamlContent" else json.loads(content)
        values = [self.value(item, local) for item in inner(arguments)]
        if name == "resourceGroup":
            return self._group(values)
        if name not in FUNCTIONS:
            raise RefusedError(f"{self.path}: the function {name}")
        return FUNCTIONS[name](*values)

    def _group(self, values: list[Any]) -> dict[str, str]:
        if len(values) == 2:
            return {"id": f"/subscriptions/{values[0]}/resourceGroups/{values[1]}"}
        if values or "/resourceGroups/" not in self.scope:
            raise RefusedError(f"{self.path}: resourceGroup() in {self.scope}")
        return {"id": self.scope}
