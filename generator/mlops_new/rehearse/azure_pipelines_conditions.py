"""Conditions and `$[ … ]`: read before a run starts, so that what is not known is refused before anything is done."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from mlops_new.errors import nearest
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_expressions import (
    Call,
    Expression,
    ExpressionError,
    Literal,
    Reference,
    parse_expression,
    walk,
)
from mlops_new.rehearse.azure_pipelines_functions import STATUS
from mlops_new.rehearse.azure_pipelines_model import fault
from mlops_new.rehearse.azure_pipelines_nodes import Node

_RUNTIME = re.compile(r"\$\[(.*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Needs:
    """What an expression may ask about: the jobs or stages that stand before, and the stages before its own."""

    dependencies: Collection[str] | None = None
    stages: Mapping[str, Collection[str]] | None = None

    def roots(self) -> list[str]:
        """The values that an expression knows here."""
        more = {"dependencies": self.dependencies, "stageDependencies": self.stages}
        return ["variables", *(name for name, known in more.items() if known is not None)]


@dataclass(frozen=True, slots=True)
class Condition:
    """An expression at a line."""

    place: Place
    text: str
    expression: Expression


def condition(node: Node | None, needs: Needs) -> Condition | None:
    """The condition of a stage, job or step."""
    if node is None:
        return None
    text = node.text()
    if not text.strip():
        raise fault(node.place, "the condition is empty", "Give one, or leave the key out.")
    return _checked(node.place, text, needs, has_status=True)


def runtime(node: Node, needs: Needs) -> Condition | None:
    """The expression of a variable that is evaluated at run time; None where it is a plain text."""
    match = _RUNTIME.fullmatch(node.text().strip())
    if match is None:
        if "$[" in node.text():
            raise fault(node.place, "$[ ] has to stand alone in its value", "Give the whole value as one expression.")
        return None
    return _checked(node.place, match[1], needs, has_status=False)


def _checked(place: Place, text: str, needs: Needs, *, has_status: bool) -> Condition:
    try:
        expression = parse_expression(text, needs.roots(), has_status=has_status)
    except ExpressionError as error:
        flat = " ".join(text.split())
        raise fault(place, f"{flat!r} cannot be rehearsed: {error}", error.remedy) from None
    for part in walk(expression):
        if isinstance(part, Reference):
            _reference(place, part, needs)
        elif isinstance(part, Call) and part.name in STATUS:
            names = [str(argument.value) for argument in part.arguments if isinstance(argument, Literal)]
            if len(names) < len(part.arguments):
                raise fault(place, f"{part.name} asks about a value that is no text", "Give names of jobs or stages.")
            for name in names:
                _known(place, name, needs.dependencies or ())
    return Condition(place, text, expression)


def _known(place: Place, name: str, known: Collection[str]) -> None:
    if name not in known:
        hint = nearest(name, known) if known else "It has no dependsOn."
        raise fault(place, f"{name} is asked about, but not among what is waited for", hint)


def _reference(place: Place, reference: Reference, needs: Needs) -> None:
    names = reference.names()
    shown = ".".join((reference.root, *names))
    count = {"variables": 1, "dependencies": 2, "stagedependencies": 3}[reference.root]
    if len(names) != len(reference.path) or len(names) < count:
        raise fault(place, f"{shown} is no value of its own", "Write out the whole path.")
    if reference.root == "variables":
        rest = names[1:]
    else:
        first = needs.dependencies if reference.root == "dependencies" else needs.stages
        _known(place, names[0], first or ())
        if reference.root == "stagedependencies":
            _known(place, names[1], (needs.stages or {})[names[0]])
        kind, rest = names[count - 1], names[count:]
        if kind not in {"result", "outputs"} or len(rest) != (kind == "outputs"):
            raise fault(place, f"{shown} is not known to the rehearsal", "Ask for result, or for outputs['name'].")
        return
    if rest:
        raise fault(place, f"{shown} is no value", "A variable is a text: write variables['its.name'].")
