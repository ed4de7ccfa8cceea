"""The expressions of Azure Pipelines: `${{ … }}` when a run is put together, conditions and `$[ … ]` later."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

from mlops_new.errors import nearest
from mlops_new.lint.azure_pipelines_nodes import INSERTED

# The smallest and greatest number of arguments of each function, by its name in small letters.
_MANY = 99
_FUNCTIONS = {
    "and": (2, _MANY),
    "coalesce": (2, _MANY),
    "contains": (2, 2),
    "containsvalue": (2, 2),
    "converttojson": (1, 1),
    "counter": (0, 2),
    "endswith": (2, 2),
    "eq": (2, 2),
    "format": (1, _MANY),
    "ge": (2, 2),
    "gt": (2, 2),
    "iif": (3, 3),
    "in": (2, _MANY),
    "join": (2, 2),
    "le": (2, 2),
    "length": (1, 1),
    "lower": (1, 1),
    "lt": (2, 2),
    "ne": (2, 2),
    "not": (1, 1),
    "notin": (2, _MANY),
    "or": (2, _MANY),
    "replace": (3, 3),
    "split": (2, 2),
    "startswith": (2, 2),
    "trim": (1, 1),
    "upper": (1, 1),
    "xor": (2, 2),
}
_STATUS = {
    "always": (0, 0),
    "canceled": (0, 0),
    "failed": (0, _MANY),
    "succeeded": (0, _MANY),
    "succeededorfailed": (0, _MANY),
}
_ROOTS = {
    "variables",
    "parameters",
    "dependencies",
    "stagedependencies",
    "pipeline",
    "resources",
    "environment",
    "strategy",
}
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<number>-?\d[\d.]*)|(?P<mark>[][().,*]))"
)
_DIRECTIVES = re.compile(r"\A(?:(?:else)?if\s+|each\s+(?P<name>\w+)\s+in\s+)")
_PLACE = "azp_inserted"


class Reference(NamedTuple):
    """A path such as `parameters.environment`, as names from the root on."""

    path: tuple[str, ...]


class ExpressionError(Exception):
    """What is wrong with an expression, as a sentence."""


class _Parser:
    def __init__(self, text: str, roots: Collection[str], *, in_condition: bool) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._roots = {*_ROOTS, _PLACE, *(name.lower() for name in roots)}
        self._functions = {**_FUNCTIONS, **(_STATUS if in_condition else {})}
        self.references: list[Reference] = []

    def whole(self) -> None:
        self._expression()
        if self._at < len(self._tokens):
            raise ExpressionError(f"{self._tokens[self._at][1]!r} stands where the expression should end.")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "the end")

    def _take(self, mark: str) -> None:
        if self._peek()[1] != mark:
            raise ExpressionError(f"{mark!r} is missing before {self._peek()[1]}.")
        self._at += 1

    def _expression(self) -> None:
        kind, text = self._peek()
        self._at += 1
        if kind in {"text", "number"} or text.lower() in {"true", "false", "null"}:
            return
        if kind != "name":
            raise ExpressionError(f"A value is missing before {text}.")
        if self._peek()[1] == "(":
            self._call(text)
            self._path([])
        elif text.lower() in self._roots:
            self._path([text])
        else:
            known = {*self._roots - {_PLACE}, *self._functions}
            raise ExpressionError(f"{text} is neither a function nor a value here. {nearest(text.lower(), known)}")

    def _call(self, name: str) -> None:
        if name.lower() not in self._functions:
            where = "; it stands in conditions only" if name.lower() in _STATUS else ""
            raise ExpressionError(f"There is no function {name} here{where}. {nearest(name.lower(), self._functions)}")
        self._take("(")
        count = 0
        while self._peek()[1] != ")":
            if count and self._peek()[1] != ",":
                raise ExpressionError(f"A comma or a closing parenthesis is missing before {self._peek()[1]}.")
            self._at += bool(count)
            self._expression()
            count += 1
        self._take(")")
        least, most = self._functions[name.lower()]
        if not least <= count <= most:
            wanted = f"{least}" if least == most else f"at least {least}" if most == _MANY else f"{least} to {most}"
            raise ExpressionError(f"{name} takes {wanted} arguments, not {count}.")

    def _path(self, names: list[str]) -> None:
        while self._peek()[1] in {".", "["}:
            mark = self._peek()[1]
            self._at += 1
            kind, text = self._peek()
            if mark == ".":
                if kind != "name" and text != "*":
                    raise ExpressionError(f"A name is missing after the dot, before {text}.")
                self._at += 1
                names.append(text)
            else:
                names.append(text[1:-1] if kind == "text" else "*")
                self._expression()
                self._take("]")
        if names:
            self.references.append(Reference(tuple(names)))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            rest = text[at:].strip()
            problem = (
                "A text stands between single quotes" if rest[0] in "\"'" else "Write a function such as eq() or and()"
            )
            raise ExpressionError(f"{rest[0]!r} cannot be read. {problem}.")
        yield str(match.lastgroup), match.group(str(match.lastgroup))
        at = match.end()


def inserted(text: str) -> list[str]:
    """The expressions that stand in `${{ … }}`, without what makes one a directive."""
    return [_DIRECTIVES.sub("", found.strip()) for found in INSERTED.findall(text)]


def loop_names(text: str) -> set[str]:
    """The names that `each` gives in a file."""
    found = [_DIRECTIVES.match(part.strip()) for part in INSERTED.findall(text)]
    return {match["name"] for match in found if match and match["name"]}


def references(text: str, roots: Collection[str], *, in_condition: bool) -> list[Reference]:
    """What an expression refers to.

    Raises:
        ExpressionError: It is no expression.
    """
    if text in {"", "else", "insert"}:
        return []
    parser = _Parser(INSERTED.sub(_PLACE, text), roots, in_condition=in_condition)
    parser.whole()
    return parser.references
