"""The expressions of Azure Pipelines, read strictly: a function, name or mark that is not known is an error."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from mlops_new.errors import nearest
from mlops_new.rehearse.azure_pipelines_functions import FUNCTIONS, MANY, STATUS

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<number>-?\d+(?:\.\d+)?)|(?P<mark>[][().,]))"
)
_WORDS = {"true": True, "false": False, "null": None}


class ExpressionError(Exception):
    """What is wrong with an expression, as a sentence without its end, and what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        """Keep both."""
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the expression."""

    value: str | float | bool | None


@dataclass(frozen=True, slots=True)
class Reference:
    """A path from a root on, such as `dependencies.train.outputs['submit.job']`; the root is in small letters."""

    root: str
    path: "tuple[Expression, ...]"

    def names(self) -> tuple[str, ...]:
        """The path as far as it is written out."""
        return tuple(str(part.value) for part in self.path if isinstance(part, Literal))


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its arguments; its name is in small letters."""

    name: str
    arguments: "tuple[Expression, ...]"


Expression = Literal | Reference | Call


def walk(expression: Expression) -> Iterator[Expression]:
    """An expression and all that stand in it."""
    yield expression
    inner: Sequence[Expression] = ()
    if isinstance(expression, Call):
        inner = expression.arguments
    elif isinstance(expression, Reference):
        inner = expression.path
    for one in inner:
        yield from walk(one)


class _Parser:
    def __init__(self, text: str, roots: Collection[str], *, has_status: bool) -> None:
        self._tokens = [*_tokens(text), ("end", "the end")]
        self._at = 0
        self._roots = {root.lower(): root for root in roots}
        self._functions = {name: counts for name, (counts, _) in FUNCTIONS.items()}
        self._functions |= STATUS if has_status else {}

    def whole(self) -> Expression:
        found = self._expression()
        if self._kind != "end":
            raise ExpressionError(f"{self._text!r} stands where the expression should end", "Correct it.")
        return found

    @property
    def _kind(self) -> str:
        return self._tokens[self._at][0]

    @property
    def _text(self) -> str:
        return self._tokens[self._at][1]

    def _next(self) -> tuple[str, str]:
        self._at += 1
        return self._tokens[self._at - 1]

    def _take(self, mark: str) -> None:
        if self._text != mark or self._kind != "mark":
            raise ExpressionError(f"{mark!r} is missing before {self._text}", "Correct it.")
        self._at += 1

    def _expression(self) -> Expression:
        if self._kind == "end":
            raise ExpressionError("a value is missing at the end", "Correct it.")
        kind, text = self._next()
        if kind == "text":
            return Literal(text[1:-1].replace("''", "'"))
        if kind == "number":
            return Literal(float(text))
        if kind != "name":
            raise ExpressionError(f"a value is missing before {text}", "Correct it.")
        if text.lower() in _WORDS:
            return Literal(_WORDS[text.lower()])
        if self._text == "(" and self._kind == "mark":
            return self._call(text.lower())
        if text.lower() not in self._roots:
            known = [*self._roots, *self._functions]
            raise ExpressionError(f"{text} is neither a value nor a function here", nearest(text, known))
        return self._path(text.lower())

    def _call(self, name: str) -> Expression:
        if name not in self._functions:
            raise ExpressionError(f"the rehearsal knows no function {name} here", nearest(name, self._functions))
        self._take("(")
        arguments: list[Expression] = []
        while self._text != ")" or self._kind != "mark":
            if arguments:
                self._comma()
            arguments.append(self._expression())
        self._take(")")
        least, most = self._functions[name]
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} or more" if most == MANY else f"{least} to {most}"
            raise ExpressionError(f"{name} takes {wanted} arguments, not {len(arguments)}", "Correct it.")
        return Call(name, tuple(arguments))

    def _comma(self) -> None:
        if self._text != "," or self._kind != "mark":
            raise ExpressionError(f"a comma or a closing parenthesis is missing before {self._text}", "Correct it.")
        self._at += 1

    def _path(self, root: str) -> Expression:
        path: list[Expression] = []
        while self._kind == "mark" and self._text in {".", "["}:
            _, mark = self._next()
            if mark == "[":
                path.append(self._expression())
                self._take("]")
                continue
            kind, text = self._next()
            if kind != "name":
                raise ExpressionError(f"a name is missing after the dot, before {text}", "Correct it.")
            path.append(Literal(text))
        return Reference(root, tuple(path))


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    at = 0
    while text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            raise ExpressionError(f"{text[at:].strip()[:20]!r} cannot be read", "Write functions such as eq and and.")
        yield str(match.lastgroup), match.group(str(match.lastgroup))
        at = match.end()


def parse_expression(text: str, roots: Collection[str], *, has_status: bool) -> Expression:
    """Read an expression, whose values come from some roots; conditions have functions of the status, too.

    Raises:
        ExpressionError: It is none, or uses what the rehearsal does not know.
    """
    return _Parser(text, roots, has_status=has_status).whole()
