"""Bicep as a tree: what tree-sitter reads, and the few questions that are asked of it."""

import difflib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from mlops_new.errors import MissingExtraError, nearest

_FEW = 20
# tree-sitter gives its nodes no types of their own that hold across its releases.
Node = Any

_ESCAPES = {"\\\\": "\\", "\\'": "'", "\\n": "\n", "\\r": "\r", "\\t": "\t", "\\$": "$"}
_ESCAPE = re.compile(r"\\u\{([0-9a-fA-F]+)\}|\\.", re.DOTALL)


@cache
def _parser() -> Any:
    try:
        import tree_sitter_bicep  # noqa: PLC0415 - an extra
        from tree_sitter import Language, Parser  # noqa: PLC0415 - an extra
    except ImportError:
        raise MissingExtraError("check", "Checking Bicep") from None
    return Parser(Language(tree_sitter_bicep.language()))


def parse(text: bytes) -> Node:
    """The tree of a file.

    Raises:
        MissingExtraError: tree-sitter is not installed.
    """
    return _parser().parse(_NULLABLE.sub(rb"\1object?", _without_spread(text))).root_node


_TOKEN = re.compile(rb"""'''.*?'''|'(?:[^'\\\n]|\\.)*'|//[^\n]*|/\*.*?\*/|\.\.\.|[\[\]{}]""", re.DOTALL)


# Nor does it know that a type of one's own may be left out; for what is asked of the tree, any object will do.
_NULLABLE = re.compile(rb"^(param +\w+ +)(?!(?:string|int|bool|object|array)\b)[\w.]+\?", re.MULTILINE)


def _without_spread(text: bytes) -> bytes:
    """A file without `...`, which the grammar does not know: in an object it becomes a property named `_spread`."""
    around: list[bytes] = []

    def replace(match: re.Match[bytes]) -> bytes:
        token = match[0]
        if token in (b"[", b"{"):
            around.append(token)
        elif token in (b"]", b"}") and around:
            around.pop()
        if token != b"...":
            return token
        return b"_spread: " if around[-1:] == [b"{"] else b""

    return _TOKEN.sub(replace, text)


def meant(name: str, known: Iterable[str]) -> str:
    """A remedy for a misspelt name, which lists what is known only where that is short."""
    words = sorted(known)
    is_told = len(words) <= _FEW or difflib.get_close_matches(name, words, 1)
    return nearest(name, words) if words and is_told else "Correct it."


def walk(node: Node) -> Iterator[Node]:
    """A node and everything in it, in order."""
    yield node
    for child in node.children:
        yield from walk(child)


def text_of(node: Node) -> str:
    """What stands in the file."""
    return str(node.text.decode())


def line_of(node: Node) -> int:
    """The line in which a node starts."""
    return int(node.start_point[0]) + 1


def inner(node: Node) -> list[Node]:
    """The children that say something: neither punctuation nor remarks."""
    return [child for child in node.children if child.is_named and child.type not in {"comment", "diagnostic_comment"}]


def first(node: Node, *kinds: str) -> Node | None:
    """The first child of some kinds."""
    return next((child for child in node.children if child.type in kinds), None)


def string_parts(node: Node) -> list[str | Node]:
    """A string's texts, without escapes, and the expressions between them."""
    raw, start, parts = node.text, node.start_byte, list[str | Node]()
    mark = 3 if raw.startswith(b"'''") else 1
    at, end = mark, len(raw) - mark
    for child in (child for child in node.children if child.type == "interpolation"):
        parts += [_plain(raw[at : child.start_byte - start], mark), inner(child)[0]]
        at = child.end_byte - start
    return [*parts, _plain(raw[at:end], mark)]


def _plain(raw: bytes, mark: int) -> str:
    text = raw.decode()
    if mark > 1:
        return text.removeprefix("\n")
    return _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPES.get(match[0], match[0]), text)


def literal(node: Node | None) -> str | None:
    """The text of a string without expressions; None for anything else."""
    if node is None or node.type != "string":
        return None
    parts = string_parts(node)
    return parts[0] if len(parts) == 1 and isinstance(parts[0], str) else None


def properties(node: Node) -> list[tuple[Node, Node]]:
    """The keys and values of an object."""
    pairs = (inner(child) for child in node.children if child.type == "object_property")
    return [(pair[0], pair[-1]) for pair in pairs if len(pair) > 1]


def key_of(node: Node) -> str | None:
    """The name of a property; None if it is an expression."""
    return literal(node) if node.type == "string" else text_of(node)


def value_of(declaration: Node) -> Node | None:
    """What stands right of a declaration's equals sign."""
    after = False
    for child in declaration.children:
        if after and child.is_named and child.type not in {"comment", "diagnostic_comment"}:
            return child
        after = after or child.type in {"=", "=>"}
    return None


def body_of(declaration: Node) -> Node | None:
    """The object that describes a resource or a module, inside of any condition and loop."""
    value = value_of(declaration)
    while value is not None and value.type in {"for_statement", "if_statement"}:
        value = inner(value)[-1]
    return value if value is not None and value.type == "object" else None
