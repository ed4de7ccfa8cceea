"""Settings files read into frozen dataclasses: a misspelt key or a wrong type is refused by name."""

import difflib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TypeVar, get_type_hints

from .errors import OpsError
from .files import read_mapping

T = TypeVar("T")


def from_mapping(kind: type[T], values: Mapping[str, object], place: str) -> T:
    """Build a dataclass of plain values from a mapping.

    Args:
        kind: A dataclass whose fields are `int`, `float`, `str`, `bool`, `list` or `dict`.
        values: The mapping, as read from a file.
        place: What an error calls the mapping, such as `config/gate.yml`.

    Raises:
        OpsError: A key that is unknown or missing, or a value of another type.
    """
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            remedy = f"Did you mean {near[0]}?" if near else f"Known keys are {', '.join(sorted(known))}."
            raise OpsError(f"{place} has the unknown key {key!r}.", remedy)
    hints = get_type_hints(kind)
    built: dict[str, object] = {}
    for name, field in known.items():
        if name in values:
            built[name] = _typed(values[name], hints[name], f"{place}: {name}")
        elif field.default is MISSING and field.default_factory is MISSING:
            raise OpsError(f"{place} lacks the key {name!r}.", "Give it a value.")
    return kind(**built)


def _typed(value: object, hint: object, place: str) -> object:
    wanted = getattr(hint, "__origin__", hint)
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    is_stray_bool = isinstance(value, bool) and wanted is not bool
    if not isinstance(wanted, type) or not isinstance(value, wanted) or is_stray_bool:
        name = getattr(wanted, "__name__", str(wanted))
        raise OpsError(f"{place} is {value!r}, which is no {name}.", f"Give a value of type {name}.")
    return value


def read_settings(kind: type[T], path: Path) -> T:
    """Read a YAML or JSON file into a dataclass; see `from_mapping`."""
    return from_mapping(kind, read_mapping(path), str(path))
