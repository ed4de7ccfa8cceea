"""The functions of Bicep that the layer uses, as Azure computes them; one that is not here is refused."""

import json
from collections.abc import Callable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
TENANT = "made-up-tenant_id"


class RefusedError(Exception):
    """What the evaluator does not know, or what Azure would not accept."""


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, str | list | dict):
        return item in container
    raise RefusedError(f"contains() of {container!r}")


def _empty(value: Any) -> bool:
    if value is None or isinstance(value, str | list | dict):
        return not value
    raise RefusedError(f"empty() of {value!r}")


def _items(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, dict):
        raise RefusedError(f"items() of {value!r}")
    return [{"key": key, "value": value[key]} for key in sorted(value)]


def _string(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "any": lambda value: value,
    "contains": _contains,
    "empty": _empty,
    "guid": lambda *parts: str(uuid5(NAMESPACE_URL, "-".join(parts))),
    "items": _items,
    "last": lambda value: value[-1],
    "split": lambda text, mark: text.split(mark),
    "string": _string,
    "subscription": lambda: {
        "id": SUBSCRIPTION,
        "subscriptionId": SUBSCRIPTION.rpartition("/")[2],
        "tenantId": TENANT,
    },
    "subscriptionResourceId": lambda kind, name: f"{SUBSCRIPTION}/providers/{kind}/{name}",
    "toLower": lambda text: text.lower(),
}
OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": lambda one, other: one == other,
    "!=": lambda one, other: one != other,
}


def _size(value: Any) -> int:
    return value if type(value) is int else len(value)


_BROKEN: dict[str, Callable[[Any, Any], bool]] = {
    "minLength": lambda limit, value: _size(value) < limit,
    "minValue": lambda limit, value: _size(value) < limit,
    "maxLength": lambda limit, value: _size(value) > limit,
    "maxValue": lambda limit, value: _size(value) > limit,
    "allowed": lambda limit, value: not all(item in limit for item in (value if isinstance(value, list) else [value])),
    "description": lambda _limit, _value: False,
}


def check(name: str, limit: Any, value: Any) -> None:
    """Refuse a value that a parameter's decorator forbids, as Azure does before it makes anything."""
    if name not in _BROKEN:
        raise RefusedError(f"the decorator {name}")
    if _BROKEN[name](limit, value):
        raise RefusedError(f"{value!r} breaks @{name}({limit!r})")
