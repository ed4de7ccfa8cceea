"""The values and functions of expressions, with the conversions that the service makes."""

import re
from collections.abc import Callable, Mapping, Sequence

Data = str | float | bool | Mapping[str, "Data"] | Sequence["Data"] | None
MANY = 99


def truth(value: Data) -> bool:
    """A value as a boolean."""
    return bool(value) if isinstance(value, bool | float | str) or value is None else True


def words(value: Data) -> str:
    """A value as a text."""
    if value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value)


def _number(value: Data) -> float | None:
    """A value as a number; None where it is none."""
    if value is None or isinstance(value, bool | float):
        return float(value or 0)
    if not isinstance(value, str):
        return None
    text = value.strip()
    return float(text or 0) if re.fullmatch(r"(-?\d+(\.\d+)?)?", text) else None


def _order(left: Data, right: Data) -> int | None:
    """Whether left is less than, equal to or greater than right, which takes on left's kind; None if it cannot."""
    if isinstance(left, bool):
        return int(left) - int(truth(right))
    if isinstance(left, float):
        number = _number(right)
        return None if number is None else (left > number) - (left < number)
    if isinstance(left, str):
        if not isinstance(right, str | float | bool | None):
            return None
        one, other = left.lower(), words(right).lower()
        return (one > other) - (one < other)
    if left is None:
        return 0 if right in (None, "") else None
    return 0 if left is right else None


def _equal(left: Data, right: Data) -> bool:
    return _order(left, right) == 0


def _compares(test: Callable[[int], bool]) -> Callable[..., Data]:
    def compare(left: Data, right: Data) -> Data:
        order = _order(left, right)
        return order is not None and test(order)

    return compare


def _format(pattern: Data, *values: Data) -> Data:
    text = words(pattern).replace("{{", "\0").replace("}}", "\1")
    for number, value in enumerate(values):
        text = text.replace(f"{{{number}}}", words(value))
    return text.replace("\0", "{").replace("\1", "}")


def _contains(whole: Data, part: Data) -> Data:
    return words(part).lower() in words(whole).lower()


def _length(value: Data) -> Data:
    return float(len(value)) if isinstance(value, str | Mapping | Sequence) else 0.0


def _join(mark: Data, values: Data) -> Data:
    return words(mark).join(map(words, values)) if isinstance(values, list | tuple) else words(values)


# Each function by its name in small letters: the smallest and greatest number of arguments, and what it does.
FUNCTIONS: Mapping[str, tuple[tuple[int, int], Callable[..., Data]]] = {
    "and": ((2, MANY), lambda *values: all(map(truth, values))),
    "coalesce": ((2, MANY), lambda *values: next((value for value in values if value not in (None, "")), None)),
    "contains": ((2, 2), _contains),
    "endswith": ((2, 2), lambda text, end: words(text).lower().endswith(words(end).lower())),
    "eq": ((2, 2), _equal),
    "format": ((1, MANY), _format),
    "ge": ((2, 2), _compares(lambda order: order >= 0)),
    "gt": ((2, 2), _compares(lambda order: order > 0)),
    "iif": ((3, 3), lambda test, yes, no: yes if truth(test) else no),
    "in": ((2, MANY), lambda one, *others: any(_equal(one, other) for other in others)),
    "join": ((2, 2), _join),
    "le": ((2, 2), _compares(lambda order: order <= 0)),
    "length": ((1, 1), _length),
    "lower": ((1, 1), lambda text: words(text).lower()),
    "lt": ((2, 2), _compares(lambda order: order < 0)),
    "ne": ((2, 2), lambda one, other: not _equal(one, other)),
    "not": ((1, 1), lambda value: not truth(value)),
    "notin": ((2, MANY), lambda one, *others: not any(_equal(one, other) for other in others)),
    "or": ((2, MANY), lambda *values: any(map(truth, values))),
    "replace": ((3, 3), lambda text, old, new: words(text).replace(words(old), words(new))),
    "startswith": ((2, 2), lambda text, start: words(text).lower().startswith(words(start).lower())),
    "trim": ((1, 1), lambda text: words(text).strip()),
    "upper": ((1, 1), lambda text: words(text).upper()),
    "xor": ((2, 2), lambda one, other: truth(one) != truth(other)),
}
# The functions of conditions alone.
STATUS: Mapping[str, tuple[int, int]] = {
    "always": (0, 0),
    "canceled": (0, 0),
    "failed": (0, MANY),
    "succeeded": (0, MANY),
    "succeededorfailed": (0, MANY),
}
