"""Checks Azure Pipelines YAML: `python -m mlops_new.lint.azure_pipelines`.

The schema is Microsoft's own, with every built-in task and its inputs; PyPI's check-jsonschema carries a copy. It
takes each scalar for a text. What it cannot know follows: stages and files that do not exist, parameters that are
not handed over, functions and brackets of expressions. Prints `path:line: message` for each fault.
"""

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from mlops_new.errors import DONE, REFUSED
from mlops_new.lint.plain_yaml import ParseError, line_of

FOLDER = ".azuredevops"
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}|\$\[(.*?)\]\s*$", re.DOTALL)
_CALL = re.compile(r"\b([A-Za-z]\w*)\s*\(")
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_PARAMETER = re.compile(r"\bparameters\.(\w+)")
_FUNCTIONS = """
always and canceled coalesce contains containsvalue converttojson counter each else elseif endswith eq failed format
ge gt if in iif insert join le length lower lt ne not notin or replace split startswith succeeded succeededorfailed
trim upper xor
"""
_LONGEST = 300

Fault = tuple[str, str]


@cache
def _validator() -> Any:
    from jsonschema import Draft7Validator, validators  # noqa: PLC0415 - half a second

    types = Draft7Validator.TYPE_CHECKER.redefine_many(
        {
            "boolean": lambda _, value: _is_text_of(value, "true|false"),
            "integer": lambda _, value: _is_text_of(value, r"\d+"),
        }
    )
    schema = files("check_jsonschema").joinpath("builtin_schemas", "vendor", "azure-pipelines.json")
    return validators.extend(Draft7Validator, type_checker=types)(json.loads(schema.read_text(encoding="utf-8")))


def _is_text_of(value: object, pattern: str) -> bool:
    """Whether a scalar, which is read as a text, stands for a value of a type; an expression may stand for any."""
    return isinstance(value, str) and (re.fullmatch(rf"(?i){pattern}", value) is not None or value.startswith("$"))


def faults(path: Path) -> Iterator[tuple[int, str]]:
    """Each fault of one file: its line, or 0, and a sentence."""
    text = path.read_text(encoding="utf-8")
    try:
        document = _texts(text)
    except ParseError as error:
        yield 0, " ".join(str(error).split())
        return
    if not isinstance(document, dict):
        yield 0, "The file holds no mapping: write a pipeline, or parameters with jobs, stages or steps."
        return
    # A value that the schema's words do not cover makes it complain about everything around.
    of_form = list(_value_faults(document)) or _schema_faults(document)
    for place, message in chain(of_form, _reference_faults(document, path), _expression_faults(document)):
        yield line_of(text, place), f"{place}: {message}" if place else message


def _texts(text: str) -> Any:
    """A document in which every scalar is a text, as Azure Pipelines takes it."""
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - this loader makes texts, lists and mappings alone


def _schema_faults(document: dict[str, Any]) -> Iterator[Fault]:
    for error in _validator().iter_errors(document):
        worst = _meant(error)
        place = ".".join(str(part) for part in worst.absolute_path)
        yield place, f"{worst.message[:_LONGEST]}: correct it."


def _value_faults(document: dict[str, Any]) -> Iterator[Fault]:
    """Tasks that are not built in, and limits that are no numbers, which the schema takes for any text."""
    alternatives = _validator().schema["definitions"]["task"]["anyOf"]
    tasks = {str(entry.get("properties", {}).get("task", {}).get("pattern", ""))[1:-1] for entry in alternatives}
    for place, node in _nodes(document):
        if "task" in node and node["task"] not in tasks:
            yield f"{place}.task", f"{node['task']} is no task that is built in: correct its name or version."
        limit = node.get("timeoutInMinutes", "0")
        if not _is_text_of(limit, r"\d+"):
            yield f"{place}.timeoutInMinutes", f"The limit {limit!r} is no number of minutes: give one."


def _meant(error: Any) -> Any:
    """The complaint behind one about alternatives: that of the alternative which was meant.

    It is the one whose task is the task, and which goes deepest into the document before it complains.
    """
    while error.context:
        alternatives: dict[object, list[Any]] = {}
        for inner in error.context:
            alternatives.setdefault(inner.schema_path[0], []).append(inner)
        leaves = [[_meant(inner) for inner in inners] for inners in alternatives.values()]
        fitting = [found for found in leaves if not any(list(leaf.absolute_path)[-1:] == ["task"] for leaf in found)]
        error = max((leaf for found in fitting or leaves for leaf in found), key=lambda leaf: len(leaf.absolute_path))
    return error


def _nodes(value: object, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each mapping of a document with its dotted path."""
    if isinstance(value, dict):
        yield place, value
        for key, inner in value.items():
            yield from _nodes(inner, f"{place}.{key}".lstrip("."))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _nodes(inner, f"{place}.{number}".lstrip("."))


def _reference_faults(document: dict[str, Any], path: Path) -> Iterator[Fault]:
    for kind in ("stage", "job"):
        entries = [node for _, node in _nodes(document) if kind in node or (kind == "job" and "deployment" in node)]
        names = {str(node.get(kind) or node.get("deployment")) for node in entries}
        for node in entries:
            needs = node.get("dependsOn", [])
            for name in needs if isinstance(needs, list) else [needs]:
                if name and "$" not in name and name not in names:
                    own = node.get(kind) or node.get("deployment")
                    yield "", f"The {kind} {own} waits for {name}, which does not exist: correct its dependsOn."
    for place, node in _nodes(document):
        if isinstance(node.get("template"), str) and "@" not in node["template"]:
            yield from _taken_in(place, node, path)


def _taken_in(place: str, node: dict[str, Any], path: Path) -> Iterator[Fault]:
    """A file that is taken in, and the parameters that it gets."""
    target = path.parent / node["template"]
    if not target.is_file():
        yield place, f"{node['template']} does not exist: correct the path, or add the file."
        return
    wanted = _texts(target.read_text(encoding="utf-8")).get("parameters", [])
    given, known = node.get("parameters", {}), {entry["name"]: entry for entry in wanted}
    for name in sorted(set(given) - set(known)):
        yield place, f"{node['template']} has no parameter {name}: remove it, or declare it there."
    for name in sorted(name for name, entry in known.items() if "default" not in entry and name not in given):
        yield place, f"{node['template']} needs the parameter {name}: give it."


def _expression_faults(document: dict[str, Any]) -> Iterator[Fault]:
    declared = {entry.get("name") for entry in document.get("parameters", []) if isinstance(entry, dict)}
    for place, node in _nodes(document):
        for key, value in node.items():
            if isinstance(value, str):
                where = f"{place}.{key}".lstrip(".")
                found = [first or second for first, second in _EXPRESSION.findall(value)]
                if key == "condition" and not value.startswith("${{"):
                    found.append(value)
                for expression in found:
                    for message in _expression_problems(expression, declared):
                        yield where, message


def _expression_problems(expression: str, declared: set[Any]) -> Iterator[str]:
    bare = _QUOTED.sub("", expression)
    if bare.count("(") != bare.count(")"):
        yield f"The brackets of {expression.strip()!r} do not match: close each one."
    for name in _CALL.findall(bare):
        if name.lower() not in _FUNCTIONS.split():
            yield f"Azure Pipelines knows no function {name}: correct it."
    for name in _PARAMETER.findall(bare):
        if name not in declared:
            yield f"The parameter {name} is not declared: declare it at the top of the file."


def main() -> int:
    """Check the given files, or every pipeline here and in the projects that stand here."""
    code = DONE
    here = [*Path().glob(f"{FOLDER}/**/*.yml"), *Path().glob(f"*/{FOLDER}/**/*.yml")]
    for path in sorted(map(Path, sys.argv[1:])) or sorted(here):
        for line, message in faults(path):
            code = REFUSED
            print(f"{path.as_posix()}{f':{line}' if line else ''}: {message}")  # noqa: T201 - read by the parent process
    return code


if __name__ == "__main__":
    sys.exit(main())
