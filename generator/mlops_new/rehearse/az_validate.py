"""What the service says of a YAML file: the real SDK loads each one, and what is named must exist before it is used."""

import ast
import hashlib
import json
import logging
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from mlops_new.rehearse.az_state import State
from mlops_new.rehearse.az_table import AzError

_REFERENCE = re.compile(r"azureml:(?P<name>[\w.-]+):(?P<version>[\w.-]+)")
_LOADED = {
    "model": "load_model",
    "data": "load_data",
    "environment": "load_environment",
    "component": "load_component",
    "job": "load_job",
    "schedule": "load_schedule",
}


def read_yaml(path: Path) -> dict[str, Any]:
    """A file that was given to az.

    Raises:
        AzError: There is none, or it is no mapping.
    """
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError:
        raise AzError(f"No such file or directory: {path}") from None
    except yaml.YAMLError as error:
        raise AzError(f"Error while parsing yaml for file {path}: {error}") from None
    if not isinstance(value, dict):
        raise AzError(f"{path} holds no mapping.")
    return value


def check_with_sdk(state: State, kind: str, path: Path) -> None:
    """Load a file with the SDK, once for each content of it and of what stands beside it.

    Of a model's file the shape counts as its content: names, numbers and tags are any text.

    Raises:
        AzError: The SDK refuses it.
    """
    if kind == "model":
        shape = {key: value if key == "type" else type(value).__name__ for key, value in read_yaml(path).items()}
        content = [json.dumps(shape, sort_keys=True).encode()]
    else:
        top = path.parent.parent if path.parent.parent.name == "azureml" else path
        content = [found.read_bytes() for found in (sorted(top.rglob("*.y*ml")) if top.is_dir() else [path])]
    with once(state, [kind.encode(), path.name.encode(), *content]) as is_new:
        if is_new:
            _load(kind, path)


@contextmanager
def once(state: State, content: Sequence[bytes]) -> Iterator[bool]:
    """Whether a content is seen for the first time in a rehearsal; an error in the block forgets that it was."""
    digest = hashlib.sha256(b"\0".join(content)).hexdigest()
    known = state.folder.parent / "sound" / digest
    yield not known.exists()
    known.parent.mkdir(exist_ok=True)
    known.touch()


def _load(kind: str, path: Path) -> None:
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    from azure.ai.ml.entities import _load_functions as sdk  # noqa: PLC0415 - seconds

    try:
        entity = getattr(sdk, _LOADED[kind])(str(path))
        validate = getattr(entity, "_validate", None)
        result = validate() if validate is not None else None
    except Exception as error:  # noqa: BLE001 - the SDK raises whatever its parts raise
        raise AzError(" ".join(str(error).split())[:600]) from None
    if result is not None and not result.passed:
        raise AzError(f"Validation of {path.name} failed: {dict(result.error_messages)}")


def references(path: Path) -> Iterator[tuple[str, str, str]]:
    """Each asset that a pipeline names, or a component that it is made of: its kind, name and version."""
    values = read_yaml(path)
    yield from _named(values, "")
    for step in values.get("jobs", {}).values():
        component = step.get("component")
        if isinstance(component, str) and not component.startswith("azureml:"):
            yield from _named(read_yaml(path.parent / component), "")


def _named(value: object, key: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _named(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner, key)
    elif isinstance(value, str) and (found := _REFERENCE.fullmatch(value)):
        kind = {"environment": "environment", "component": "component"}.get(key, "data")
        yield kind, found["name"], found["version"]


def read_sets(given: list[str]) -> dict[str, str]:
    """What `--set` gives, by its path; a value that reads as Python is taken as that, as az does.

    Raises:
        AzError: A value without a path.
    """
    found = {}
    for text in given:
        path, equals, value = text.partition("=")
        if not equals or not path:
            raise AzError(f"'--set': {text!r} is no key=value.", 2)
        try:
            found[path] = str(ast.literal_eval(value))
        except (ValueError, SyntaxError):
            found[path] = value
    return found


def tags_of(sets: Mapping[str, str]) -> dict[str, str]:
    """The tags among what is set."""
    return {path.removeprefix("tags."): value for path, value in sets.items() if path.startswith("tags.")}
