"""Evaluates rendered Bicep to the resources that Azure would be asked for, and refuses whatever it does not know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bicep_functions import SUBSCRIPTION, RefusedError, check
from bicep_values import Expressions, Local, Module, Resource
from mlops_new.lint.bicep_tree import Node, first, inner, key_of, literal, parse, properties, text_of, value_of, walk

_TYPES = {"string": str, "int": int, "bool": bool, "object": dict, "array": list}


@dataclass
class Program(Expressions):
    """A file that is evaluated in a scope, with what its symbols stand for."""

    files: Mapping[str, bytes]
    path: str
    scope: str
    given: dict[str, Any]
    resources: list[Resource]
    values: dict[str, Any] = field(default_factory=dict)
    declared: dict[str, Node] = field(default_factory=dict)
    outputs: dict[str, Node] = field(default_factory=dict)

    def run(self) -> dict[str, Any]:
        """Evaluate everything, and give the outputs."""
        root = parse(self.files[self.path])
        if any(node.type == "ERROR" or node.is_missing for node in walk(root)):
            raise RefusedError(f"{self.path} cannot be parsed")
        self._declare(root)
        if extra := set(self.given) - set(self.values):
            raise RefusedError(f"{self.path} has no parameter {extra}")
        for name in self.declared:
            self.symbol(name)
        return {name: self.value(value_of(node), {}) for name, node in self.outputs.items()}

    def _declare(self, root: Node) -> None:
        pending: list[Node] = []
        for node in inner(root):
            name = text_of(first(node, "identifier")) if first(node, "identifier") else ""
            if node.type == "decorators":
                pending = inner(node)
                continue
            if node.type == "target_scope_assignment":
                self._aimed(literal(inner(node)[0]))
            elif node.type == "parameter_declaration":
                self._parameter(node, pending)
            elif node.type in {"variable_declaration", "resource_declaration", "module_declaration"}:
                self.declared[name] = node
                self._known(pending)
            elif node.type == "output_declaration":
                self.outputs[name] = node
                self._known(pending)
            else:
                raise RefusedError(f"{self.path}: {node.type}")
            pending = []

    def _aimed(self, target: str | None) -> None:
        if target != ("resourceGroup" if "/resourceGroups/" in self.scope else "subscription"):
            raise RefusedError(f"{self.path}, for a {target}, in {self.scope}")

    @staticmethod
    def _known(decorators: list[Node]) -> None:
        for decorator in decorators:
            name = text_of(inner(inner(decorator)[0])[0])
            if name not in {"description", "batchSize"}:
                raise RefusedError(f"the decorator {name}")

    def _parameter(self, node: Node, decorators: list[Node]) -> None:
        name, kind = text_of(first(node, "identifier")), text_of(first(node, "type"))
        default = value_of(node)
        if name not in self.given and default is None:
            raise RefusedError(f"{self.path} lacks {name}")
        value = self.given[name] if name in self.given else self.value(default, {})
        if type(value) is not _TYPES[kind]:
            raise RefusedError(f"{name} of {self.path} is {value!r}, no {kind}")
        for decorator in decorators:
            function, arguments = inner(inner(decorator)[0])
            check(text_of(function), self.value(inner(arguments)[0], {}), value)
        self.values[name] = value

    def symbol(self, name: str) -> Any:
        """What a symbol stands for; it is evaluated once."""
        if name not in self.values:
            if name not in self.declared:
                raise RefusedError(f"{self.path}: {name}")
            self.values[name] = self._declaration(self.declared[name])
        return self.values[name]

    def _declaration(self, node: Node) -> Any:
        if node.type == "variable_declaration":
            return self.value(value_of(node), {})
        make = self._resource if node.type == "resource_declaration" else self._module
        return self._each(node, value_of(node), {}, make)

    def _each(self, node: Node, value: Node, local: Local, make: Any) -> Any:
        if value.type == "for_statement":
            return [self._each(node, inner(value)[-1], local | own, make) for own in self.loop(value, local)]
        if value.type == "if_statement":
            condition, value = inner(value)
            if self._truth(condition, local) is False:
                return None
        return make(node, value, local)

    def _resource(self, node: Node, value: Node, local: Local) -> Resource:
        kind, _, _version = (literal(first(node, "string")) or "").partition("@")
        entries = {key_of(key): content for key, content in properties(value)}
        name = self.value(entries.pop("name"), local)
        parent, scope = (self._place(entries.pop(key, None), local) for key in ("parent", "scope"))
        self._depend(entries.pop("dependsOn", None))
        if kind == "Microsoft.Resources/resourceGroups":
            identity = f"{self.scope}/resourceGroups/{name}"
        elif parent:
            identity = f"{parent}/{kind.rpartition('/')[2]}/{name}"
        else:
            provider, *kinds = kind.split("/")
            pairs = zip(kinds, name.split("/"), strict=True)
            identity = f"{scope or self.scope}/providers/{provider}" + "".join(f"/{one}/{two}" for one, two in pairs)
        exists = first(node, "existing") is not None
        body = {key: self.value(content, local) for key, content in entries.items()}
        resource = Resource(identity, kind, name, body, exists)
        if not exists:
            self.resources.append(resource)
        return resource

    def _place(self, node: Node | None, local: Local) -> str:
        if node is None:
            return ""
        place = self.value(node, local)
        if isinstance(place, Resource):
            return place.id
        if isinstance(place, dict) and set(place) == {"id"}:
            return str(place["id"])
        raise RefusedError(f"the scope {text_of(node)}")

    def _depend(self, node: Node | None) -> None:
        for item in inner(node) if node else []:
            if item.type != "identifier" or text_of(item) not in self.declared:
                raise RefusedError(f"{self.path}: a dependency on {text_of(item)}")

    def _module(self, node: Node, value: Node, local: Local) -> Module:
        entries = {key_of(key): content for key, content in properties(value)}
        self._depend(entries.pop("dependsOn", None))
        scope = self._place(entries.pop("scope", None), local) or self.scope
        given = self.value(entries.pop("params"), local)
        if entries:
            raise RefusedError(f"{sorted(entries)} of a module")
        program = Program(self.files, self.beside(literal(first(node, "string")) or ""), scope, given, self.resources)
        return Module(program.run())


def read_bicep(files: Mapping[str, bytes], environment: str, budget_start: str) -> list[Resource]:
    """The resources of an environment, from the rendered files of a project."""
    resources: list[Resource] = []
    given = {"environment": environment, "budget_start": budget_start}
    Program(files, "infra/bicep/main.bicep", SUBSCRIPTION, given, resources).run()
    return resources
