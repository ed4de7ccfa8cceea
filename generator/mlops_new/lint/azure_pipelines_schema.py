"""Checks Azure Pipelines against the service's schema, which knows every task and its inputs.

The schema is that of Microsoft's editor extension, as check-jsonschema carries it. It is read here by a walk of our
own: each scalar is a text to the service, what it evaluates later may be anything, and of several forms the one that
was meant gives the message.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from mlops_new.errors import MissingExtraError, nearest
from mlops_new.lint.azure_pipelines_nodes import Fault, Value, is_directive, is_dynamic, plain_entries, plain_items

_BOOLEANS = {"true", "false", "yes", "no", "y", "n", "on", "off"}
# The definition that a file without a pipeline's keys is judged by: a template of one of these.
TEMPLATES = {
    "stages": "stagesTemplate",
    "jobs": "jobsTemplate",
    "steps": "stepsTemplate",
    "variables": "variablesTemplate",
    "extends": "extendsTemplate",
}
_SHOWN = 6


class Problem(NamedTuple):
    """What is wrong at a node and how deep it lies; or a word that is none of those that would be right."""

    line: int
    depth: int
    message: str
    word: str = ""
    allowed: frozenset[str] = frozenset()
    is_first: bool = False

    def sentence(self) -> str:
        """What is wrong, in words."""
        if self.message:
            return self.message
        words = sorted(self.allowed)
        hint = f"Known are {', '.join(words)}." if len(words) <= _SHOWN else nearest(self.word, words)
        return f"{self.word!r} is not known here. {hint}"


@cache
def load_schema() -> Mapping[str, Any]:
    """The definitions of the schema.

    Raises:
        MissingExtraError: check-jsonschema is not installed.
    """
    found = find_spec("check_jsonschema")
    if found is None or found.origin is None:
        raise MissingExtraError("check", "mlops-new lint, for Azure Pipelines,")
    path = Path(found.origin).parent / "builtin_schemas" / "vendor" / "azure-pipelines.json"
    definitions: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["definitions"]
    return definitions


_MARKETPLACE = "azp-task"
_CLOSE = 0.85
# Newer than the schema.
_NEWER = {"PublishCodeCoverageResults@2"}
_TASK = re.compile(r"\A[\w.-]+@\d+\Z")


def _fault_of(problem: Problem) -> Iterator[Fault]:
    """A problem as a fault; a task that the service itself has not may come from the marketplace."""
    names = {word.partition("@")[0] for word in problem.allowed if _TASK.match(word)}
    name = problem.word.partition("@")[0]
    if problem.word in _NEWER:
        return
    if names and name not in names and not difflib.get_close_matches(name, names, 1, _CLOSE):
        message = (
            f"The service itself has no task {problem.word}: one of the marketplace has to be trusted, and pinned."
        )
        yield Fault(problem.line, _MARKETPLACE, message)
    else:
        yield Fault(problem.line, "azp-schema", problem.sentence())


def schema_faults(file: Value, definition: str) -> Iterator[Fault]:
    """Where a file is not what a definition of the schema says."""
    for problem in dict.fromkeys(_Walk(load_schema()).problems(file, {"$ref": f"#/definitions/{definition}"}, 0)):
        yield from _fault_of(problem)


@lru_cache(maxsize=4096)
def _matches(pattern: str, text: str, *, any_case: bool) -> bool:
    return re.search(pattern, text, re.IGNORECASE if any_case else 0) is not None


class _Walk:
    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._definitions = definitions

    def problems(self, value: Value, schema: Mapping[str, Any], depth: int) -> list[Problem]:
        if "$ref" in schema:
            name = str(schema["$ref"]).rpartition("/")[2]
            return self.problems(value, self._definitions[name], depth)
        if value.text is not None and is_dynamic(value.text):
            return []
        found = [*self._type(value, schema, depth)]
        if not found:
            found += self._text(value, schema, depth) if value.text is not None else []
            found += self._mapping(value, schema, depth) if value.entries is not None else []
            found += self._list(value, schema, depth) if value.items is not None else []
        for key in ("anyOf", "oneOf"):
            if key in schema and not found:
                found += self._one_of(value, schema[key], depth)
        return found

    def _type(self, value: Value, schema: Mapping[str, Any], depth: int) -> Iterator[Problem]:
        kind = schema.get("type")
        wanted = {"object": "a mapping", "array": "a list", "string": "a text"}.get(str(kind), "a text" if kind else "")
        if not wanted or value.kind == wanted:
            text = (value.text or "").strip().lower()
            if kind == "boolean" and text not in _BOOLEANS:
                yield Problem(value.line, depth, f"{value.text!r} is neither true nor false.")
            if kind == "integer" and not re.fullmatch(r"-?\d+", text):
                yield Problem(value.line, depth, f"{value.text!r} is no whole number.")
            return
        if value.text == "" and kind in {"object", "array"}:
            return  # nothing given
        yield Problem(value.line, depth, f"Here stands {value.kind}, where {wanted} is asked for.")

    def _text(self, value: Value, schema: Mapping[str, Any], depth: int) -> Iterator[Problem]:
        text, any_case = value.text or "", "ignoreCase" in schema
        allowed = [str(entry) for entry in schema.get("enum", ())]
        if allowed and text not in allowed and not (any_case and text.lower() in {word.lower() for word in allowed}):
            yield Problem(value.line, depth, "", text, frozenset(allowed))
        pattern = schema.get("pattern")
        if pattern and not _matches(pattern, text, any_case=any_case):
            word = re.fullmatch(r"\^([\w@.-]+)\$", pattern)
            message = "" if word else f"{text!r} has a character that is not allowed here, or is not of the right form."
            yield Problem(value.line, depth, message, text, frozenset({word[1]} if word else ()))

    def _mapping(self, value: Value, schema: Mapping[str, Any], depth: int) -> Iterator[Problem]:
        known: Mapping[str, Any] = schema.get("properties", {})
        entries = list(plain_entries(value))
        has_dynamic_keys = any("${{" in key for key, _, _ in value.entries or ())
        names = {_known(key, known): (line, inner) for key, line, inner in entries}
        for key, (line, inner) in names.items():
            if key in known:
                yield from self.problems(inner, known[key], depth + 1)
            elif "${{" not in key and schema.get("additionalProperties") is False:
                yield Problem(line, depth + 1, f"The key {key} is not known here. {nearest(key, known)}")
            elif isinstance(schema.get("additionalProperties"), dict):
                yield from self.problems(inner, schema["additionalProperties"], depth + 1)
        for key in schema.get("required", ()):
            if key not in names and not has_dynamic_keys:
                yield Problem(value.line, depth + 1, f"The key {key} is missing.")
        first = schema.get("firstProperty")
        if first and entries and entries[0][0] not in first and not has_dynamic_keys:
            message = f"{first[0]} must be the first key here, not {entries[0][0]}." if first[0] in names else ""
            yield Problem(value.line, depth, message, entries[0][0], frozenset(first), is_first=True)

    def _list(self, value: Value, schema: Mapping[str, Any], depth: int) -> Iterator[Problem]:
        for item in plain_items(value):
            if "items" in schema and not (item.entries and is_directive(item.entries[0][0])):
                yield from self.problems(item, schema["items"], depth + 1)

    def _one_of(self, value: Value, schemas: Sequence[Mapping[str, Any]], depth: int) -> list[Problem]:
        """The problems of the form that was meant: whose first problem lies deepest, then that has fewest."""
        forms = []
        for schema in schemas:
            found = self.problems(value, schema, depth)
            if not found:
                return []
            forms.append(found)
        best = max(forms, key=_rank)
        for kind in ("is_first", "word"):
            tops = [
                [problem for problem in found if problem.depth <= depth and getattr(problem, kind)] for found in forms
            ]
            if all(tops) and not any(problem.message for top in tops for problem in top):
                allowed = frozenset().union(*(problem.allowed for top in tops for problem in top))
                return [tops[0][0]._replace(allowed=allowed)]
        return best


def _rank(problems: Sequence[Problem]) -> tuple[int, int]:
    return min(problem.depth for problem in problems), -len(problems)


def _known(key: str, known: Mapping[str, Any]) -> str:
    """The name of a key as the schema writes it, where the schema overlooks capitals or knows another name for it."""
    if key in known:
        return key
    for name, schema in known.items():
        words = {name, *schema.get("aliases", ())}
        if schema.get("ignoreCase") in {"key", "all"} and key.lower() in {word.lower() for word in words}:
            return name
    return key
