"""The YAML of Azure Pipelines as nodes that know their lines, where every scalar is a text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml  # type: ignore[import-untyped, unused-ignore]

# A key that the service evaluates and replaces by what stands under it.
_DIRECTIVE = re.compile(r"\A\$\{\{\s*(if|elseif|else|each|insert)\b.*\}\}\Z", re.DOTALL)
INSERTED = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem at a line."""

    line: int
    rule: str
    message: str


@dataclass(frozen=True, slots=True)
class Value:
    """A node: a text, a list or a mapping, with its line; `keys` has the line of each key."""

    line: int
    text: str | None = None
    items: "tuple[Value, ...] | None" = None
    entries: "tuple[tuple[str, int, Value], ...] | None" = None

    @property
    def kind(self) -> str:
        """What it is, in words."""
        return "a text" if self.text is not None else "a list" if self.items is not None else "a mapping"

    def get(self, key: str) -> "Value | None":
        """What stands under a key of a mapping."""
        return next((value for name, _, value in self.entries or () if name == key), None)

    def texts(self, key: str) -> str:
        """The text under a key, or nothing."""
        value = self.get(key)
        return value.text or "" if value else ""

    def children(self, key: str) -> "tuple[Value, ...]":
        """The entries of a list under a key, where directives are replaced by what stands under them."""
        value = self.get(key)
        return tuple(plain_items(value)) if value else ()

    def walk(self) -> "Iterator[Value]":
        """This node and every one below."""
        yield self
        for child in self.items or ():
            yield from child.walk()
        for _, _, child in self.entries or ():
            yield from child.walk()


def is_directive(key: str) -> bool:
    """Whether a key is one that the service replaces."""
    return bool(_DIRECTIVE.match(key.strip()))


def is_dynamic(text: str) -> bool:
    """Whether a text holds something that only the service can evaluate."""
    return "${{" in text or "$(" in text or "$[" in text


def plain_items(value: Value) -> Iterator[Value]:
    """The entries of a list, with those that stand under directives."""
    for item in value.items or ():
        if item.entries and is_directive(item.entries[0][0]):
            for _, _, inner in item.entries:
                yield from plain_items(inner) if inner.items is not None else (inner,)
        else:
            yield item


def plain_entries(value: Value) -> Iterator[tuple[str, int, Value]]:
    """The entries of a mapping, with those that stand under directives."""
    for key, line, inner in value.entries or ():
        if is_directive(key):
            yield from plain_entries(inner)
        else:
            yield key, line, inner


def parse(text: str) -> tuple[Value | None, list[Fault]]:
    """A file's content, and what is wrong with its YAML."""
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = str(getattr(error, "problem", None) or error).rstrip(".")
        return None, [Fault(mark.line + 1 if mark else 1, "azp-syntax", f"The file is no YAML: {problem}.")]
    faults: list[Fault] = []
    return (_value(node, faults) if node else None), faults


def _value(node: yaml.Node, faults: list[Fault]) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.ScalarNode):
        # The text of a block starts one line below its mark.
        return Value(line, text=str(node.value))
    if isinstance(node, yaml.SequenceNode):
        return Value(line, items=tuple(_value(item, faults) for item in node.value))
    entries: list[tuple[str, int, Value]] = []
    for key, value in node.value:
        name, at = str(key.value), key.start_mark.line + 1
        if any(name == known for known, _, _ in entries) and not is_directive(name):
            faults.append(Fault(at, "azp-duplicate-key", f"The key {name} stands here twice: keep one."))
        entries.append((name, at, _value(value, faults)))
    return Value(line, entries=tuple(entries))


def parameters_of(file: Value) -> Mapping[str, Value]:
    """The declared parameters of a file by name, in both of the forms that the service reads."""
    declared = file.get("parameters")
    if declared is None:
        return {}
    if declared.items is not None:
        return {item.texts("name"): item for item in declared.items if item.texts("name")}
    return {name: Value(line, entries=(("default", line, value),)) for name, line, value in declared.entries or ()}
