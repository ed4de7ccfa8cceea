"""Puts a pipeline together as the service does before it starts: takes templates in, and evaluates `${{ … }}`."""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlops_new.lint.azure_pipelines_nodes import Value
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_evaluate import evaluate
from mlops_new.rehearse.azure_pipelines_expressions import ExpressionError, Reference, parse_expression, walk
from mlops_new.rehearse.azure_pipelines_functions import Data, truth, words
from mlops_new.rehearse.azure_pipelines_model import fault
from mlops_new.rehearse.azure_pipelines_nodes import Node, read
from mlops_new.rehearse.azure_pipelines_parameters import bind, node_of

# The lists that a template may add to.
_KINDS = ("stages", "jobs", "steps", "variables")
_INSERTED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_DIRECTIVE = re.compile(r"\$\{\{\s*(?P<word>if|elseif|else|each|insert)\b(?P<rest>.*)\}\}", re.DOTALL)
_EACH = re.compile(r"(?P<name>\w+)\s+in\s+(?P<list>.+)", re.DOTALL)
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class _Scope:
    """The file that is taken in, and the values that its expressions know."""

    project: Path
    path: str
    values: Mapping[str, Data]
    depth: int = 0

    def place(self, line: int) -> Place:
        return Place(self.path, line)

    def value(self, text: str, line: int) -> Data:
        """The value of an expression that stands at a line."""
        place, known = self.place(line), {name.lower(): value for name, value in self.values.items()}
        try:
            expression = parse_expression(text, list(self.values), has_status=False)
        except ExpressionError as error:
            raise fault(place, f"{text.strip()!r} is no expression: {error}", error.remedy) from None
        for part in walk(expression):
            if isinstance(part, Reference) and part.root == "parameters" and part.names():
                parameters = self.values["parameters"]
                name = part.names()[0]
                if isinstance(parameters, Mapping) and name.lower() not in {key.lower() for key in parameters}:
                    raise fault(place, f"the parameter {name} is not declared in this file", "Declare it.")
        return evaluate(expression, known)


def expand(project: Path, path: str, parameters: Mapping[str, str]) -> Node:
    """A pipeline of a project as one tree, with its templates taken in for the given parameters.

    Raises:
        PipelineError: A file, parameter or expression is wrong, or not known to the rehearsal.
    """
    return _file(_Scope(project, path, {}), {name: Node(Place(path, 1), value) for name, value in parameters.items()})


def _file(scope: _Scope, given: Mapping[str, Node], at: Place | None = None) -> Node:
    """A file's tree; `at` is where it is taken in, with the given parameters."""
    if scope.depth > _DEEPEST:
        raise fault(at or scope.place(1), f"templates take each other in {_DEEPEST} deep", "End the circle.")
    whole = read(scope.project, scope.path)
    declared = tuple(_list(whole.get("parameters"), replace(scope, values={})))
    values = bind(declared, given, at or scope.place(1), scope.path)
    return _node(whole, replace(scope, values={"parameters": values}))


def _list(value: Value | None, scope: _Scope) -> Iterator[Node]:
    if value is None:
        return
    if value.items is None:
        problem = "parameters are expected as a list"
        raise fault(scope.place(value.line), problem, "Give each a name and a type.")
    for item in value.items:
        yield _node(item, scope)


def _node(value: Value, scope: _Scope, kind: str = "") -> Node:
    place = scope.place(value.line)
    if value.text is not None:
        return _text(value.text, value.line, scope)
    if value.items is not None:
        return Node(place, items=tuple(_items(value.items, scope, kind)))
    return Node(place, entries=tuple(_entries(value, scope)))


def _text(text: str, line: int, scope: _Scope) -> Node:
    place = scope.place(line)
    if whole := re.fullmatch(r"\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*", text, re.DOTALL):
        return node_of(scope.value(whole[1], line), place)

    def insert(match: re.Match[str]) -> str:
        data = scope.value(match[1], line)
        if isinstance(data, Mapping | list | tuple):
            raise fault(place, f"{match[0]} is no text, and stands within one", "Let it stand alone.")
        return words(data)

    found = _INSERTED.sub(insert, text)
    if "${{" in found:
        raise fault(place, "a ${{ has no }} that ends it", "Add it.")
    return Node(place, value=found)


def _items(items: tuple[Value, ...], scope: _Scope, kind: str) -> Iterator[Node]:
    taken = False
    for item in items:
        directive = _directive(item.entries[0][0]) if item.entries and len(item.entries) == 1 else None
        if directive is None:
            yield from _taken_in(item, scope, kind)
            continue
        word, rest = directive
        inner = item.entries[0][2] if item.entries else item
        taken, scopes = _branch(word, rest, item.line, scope, taken=taken)
        for one in scopes:
            if inner.items is None:
                raise fault(scope.place(inner.line), f"a list is expected under ${{{{ {word} }}}}", "Give a list.")
            yield from _items(inner.items, one, kind)


def _entries(value: Value, scope: _Scope) -> Iterator[tuple[str, Place, Node]]:
    taken = False
    for key, line, inner in value.entries or ():
        directive = _directive(key)
        if directive is None:
            name = _text(key, line, scope).text()
            yield name, scope.place(line), _node(inner, scope, name if name in _KINDS else "")
            continue
        taken, scopes = _branch(*directive, line, scope, taken=taken)
        for one in scopes:
            if inner.entries is None:
                problem = f"a mapping is expected under ${{{{ {directive[0]} }}}}"
                raise fault(scope.place(inner.line), problem, "Give a mapping.")
            yield from _entries(inner, one)


def _directive(key: str) -> tuple[str, str] | None:
    match = _DIRECTIVE.fullmatch(key.strip())
    return (match["word"], match["rest"].strip()) if match else None


def _branch(word: str, rest: str, line: int, scope: _Scope, *, taken: bool) -> tuple[bool, list[_Scope]]:
    """Whether a branch of an `if` has been taken by now, and the scopes in which what stands below is to be read."""
    if word in {"if", "elseif", "else"}:
        is_open = word == "if" or not taken
        holds = is_open and (word == "else" or truth(scope.value(rest, line)))
        return (holds or (taken and word != "if")), [scope] if holds else []
    if word == "each" and (match := _EACH.fullmatch(rest)):
        values = scope.value(match["list"], line)
        if not isinstance(values, list | tuple):
            raise fault(scope.place(line), f"{match['list'].strip()} is no list", "Give a list.")
        return False, [replace(scope, values={**scope.values, match["name"]: value}) for value in values]
    raise fault(scope.place(line), f"the rehearsal does not know ${{{{ {word} {rest} }}}}", "Use if, else or each.")


def _taken_in(item: Value, scope: _Scope, kind: str) -> Iterator[Node]:
    """An entry of a list, or those of the template that it names."""
    node = _node(item, scope)
    call = node.get("template") if kind and node.entries else None
    if call is None:
        yield node
        return
    node.only("A template's use", ("template", "parameters"))
    name = call.text()
    if "@" in name:
        raise fault(call.place, f"the template {name} stands in another repository", "Take one of this project.")
    path = posixpath.normpath(name.lstrip("/") if name.startswith("/") else f"{posixpath.dirname(scope.path)}/{name}")
    if not (scope.project / path).is_file() or path.startswith(".."):
        raise fault(call.place, f"there is no template {path}", "Correct the path.")
    parameters = node.get("parameters")
    given = {key: value for key, _, value in parameters.mapping()} if parameters else {}
    inner = _file(_Scope(scope.project, path, {}, scope.depth + 1), given, call.place)
    inner.only(f"A template of {kind}", ("parameters", kind))
    yield from inner.need(f"The template {path}", kind).elements()
