"""The normal form of an environment's resources: what Azure is asked for, whichever language asks.

Each resource is named by its id; one whose name a language makes up, by what it is. Order, and what is empty, mean
nothing.
"""

import json
from collections.abc import Iterable
from typing import Any

from azurerm_stand_in import MAP
from bicep_functions import RefusedError

Body = dict[str, Any]
ROLES = {guid: f"builtin {name}" for name, guid in MAP["roles"].items()}
_DEFINITION, _ASSIGNMENT = "/providers/Microsoft.Authorization/roleDefinitions/", "/roleAssignments/"


def normal_form(resources: Iterable[tuple[str, Body]], language: str) -> dict[str, Body]:
    """The resources by their names.

    Raises:
        RefusedError: A resource is asked for twice, or bears another language's name.
    """
    found, pairs = dict[str, Body](), list(resources)
    customs = {
        identity.rpartition("/")[2]: body["properties"].pop("roleName")
        for identity, body in pairs
        if _DEFINITION in identity and "roleName" in body["properties"]
    }
    for identity, body in pairs:
        name, content = identity, body
        if _DEFINITION in identity:
            start, _, end = identity.rpartition("/")
            name = f"{start}/{customs.get(end, end)}"
        elif _ASSIGNMENT in identity:
            content = {"properties": {**body["properties"], "roleDefinitionId": _role(body, customs)}}
            role = content["properties"]["roleDefinitionId"]
            name = f"{identity.partition(_ASSIGNMENT)[0]}{_ASSIGNMENT}{role} of {body['properties']['principalId']}"
        if name in found:
            raise RefusedError(f"{name} is asked for twice")
        found[name] = _plain(content, language)
    return found


def _role(body: Body, customs: dict[str, str]) -> str:
    role = body["properties"]["roleDefinitionId"]
    if not role.startswith("/"):
        return str(role)
    guid = role.rpartition("/")[2]
    if guid not in ROLES and guid not in customs:
        raise RefusedError(f"the role {guid} is neither built in nor made")
    return ROLES.get(guid) or f"custom {customs[guid]}"


def _plain(value: Any, language: str) -> Any:
    if isinstance(value, dict):
        if value.get("managed_by") == language:
            value = {**value, "managed_by": "this language"}
        content = {key: _plain(_keyed(key, item), language) for key, item in value.items()}
        return {key: item for key, item in content.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return sorted((_plain(item, language) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    if isinstance(value, str) and value.startswith("{"):
        return _plain(json.loads(value), language)
    return value


def _keyed(key: str, value: Any) -> Any:
    """What Azure takes by names that mean nothing, as a list."""
    if key == "userAssignedIdentities" and isinstance(value, dict):
        return list(value)
    if key == "notifications" and isinstance(value, dict):
        return list(value.values())
    return value


def differences(one: Any, other: Any, place: str = "") -> list[str]:
    """Where two normal forms differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            line
            for key in sorted(one.keys() | other.keys())
            for line in differences(one.get(key), other.get(key), f"{place} {key}".strip())
        ]
    return [] if one == other and type(one) is type(other) else [f"{place}: {one!r} and {other!r}"]
