"""What is particular to an environment: `infra/environments/*.yml`, and what the data's classification adds to it."""

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from .azure_cli import read_cloud
from .errors import OpsError
from .files import read_mapping

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEYS = {"settings", "estimate", "state"}
_TEXT, _NUMBER, _LIST, _MAP = "a text", "a whole number", "a list", "a mapping"
_KINDS: Mapping[str, type] = {_TEXT: str, _NUMBER: int, _LIST: list, _MAP: dict}
SETTINGS: Mapping[str, str] = {
    "subscription_id": _TEXT,
    "monthly_budget": _NUMBER,
    "alert_emails": _LIST,
    "compute_vm_size": _TEXT,
    "compute_max_nodes": _NUMBER,
    "group_ids": _MAP,
    "ci_issuer": _TEXT,
    "ci_subjects": _MAP,
    "model_registry_id": _TEXT,
    "next_deploy_principal_id": _TEXT,
    "allowed_ip_ranges": _LIST,
    "private_endpoint_subnet_id": _TEXT,
    "private_dns_zone_ids": _MAP,
    "encryption_key_id": _TEXT,
    "encryption_key_vault_id": _TEXT,
    "event_function_id": _TEXT,
    "online_endpoint_ids": _MAP,
}
_NEEDED = ("subscription_id", "monthly_budget", "alert_emails", "compute_vm_size", "compute_max_nodes", "ci_issuer")
ESTIMATE = ("node_hours", "log_gigabytes", "storage_gigabytes")


@dataclass(frozen=True)
class Values:
    """An environment's values, as its file holds them, and the names that the catalog gave it."""

    file: Path
    environment: str
    location: str
    resource_group: str
    settings: Mapping[str, object]
    estimate: Mapping[str, float]
    state: Mapping[str, object]
    controls: Mapping[str, object]

    def number(self, name: str) -> float:
        """A setting that is a number."""
        value = self.settings[name]
        return float(value) if isinstance(value, (int, float)) else 0.0


def read_values(root: Path, environment: str) -> Values:
    """Read what is particular to an environment.

    Raises:
        OpsError: There is no such environment, or its file holds what nothing reads.
    """
    workspaces = root / "azureml" / "workspaces.yml"
    read_cloud(workspaces).workspace(environment)
    places = read_mapping(workspaces)
    entry = _mapping(workspaces, _mapping(workspaces, places["workspaces"], "workspaces")[environment], environment)
    file = root / "infra" / "environments" / f"{environment}.yml"
    values = read_mapping(file)
    _only(file, "the file", values, _KEYS)
    settings = _mapping(file, values.get("settings"), "settings")
    _only(file, "settings", settings, SETTINGS)
    for name, value in settings.items():
        _check_kind(file, name, value)
    classification = root / "governance" / "classification.yml"
    return Values(
        file=file,
        environment=environment,
        location=str(places.get("location")),
        resource_group=str(entry["resource_group"]),
        settings=settings,
        estimate=_estimate(file, values),
        state=_mapping(file, values.get("state") or {}, "state"),
        controls=_mapping(classification, read_mapping(classification).get("controls"), "controls"),
    )


def missing(values: Values) -> Iterator[str]:
    """Each thing that has to be filled in before the environment can be made, as a sentence."""
    needed = list(_NEEDED)
    if not values.controls["service_public_access"]:
        needed.append("private_endpoint_subnet_id")
    if values.controls["customer_managed_keys"]:
        needed += ["encryption_key_id", "encryption_key_vault_id"]
    for name in needed:
        if not values.settings.get(name):
            yield f"{values.file}: settings.{name} is empty: fill it in."
    subscription = values.settings.get("subscription_id")
    if subscription and not _GUID.fullmatch(str(subscription)):
        yield f"{values.file}: settings.subscription_id is {subscription!r}, which is no subscription id."
    for name, value in values.state.items():
        if not value:
            yield f"{values.file}: state.{name} is empty: name the storage account that keeps the state."


def _check_kind(file: Path, name: str, value: object) -> None:
    kind = SETTINGS[name]
    if value is not None and (isinstance(value, bool) or not isinstance(value, _KINDS[kind])):
        raise OpsError(f"{file}: settings.{name} is {value!r}, and should be {kind}.", "Correct it.")
    if kind == _NUMBER and isinstance(value, int) and value <= 0:
        raise OpsError(f"{file}: settings.{name} is {value!r}.", "Give a number greater than zero.")


def _estimate(file: Path, values: Mapping[str, object]) -> dict[str, float]:
    given = _mapping(file, values.get("estimate"), "estimate")
    _only(file, "estimate", given, ESTIMATE)
    found = {}
    for name in ESTIMATE:
        value = given.get(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise OpsError(f"{file}: estimate.{name} is {value!r}.", "Give a number, zero or more.")
        found[name] = float(value)
    return found


def _only(file: Path, where: str, given: Collection[str], known: Collection[str]) -> None:
    for name in sorted(set(given) - set(known)):
        near = difflib.get_close_matches(name, known, 1)
        remedy = f"Did you mean {near[0]}?" if near else f"It may hold {', '.join(sorted(known))}."
        raise OpsError(f"{file}: {where} holds {name}, which nothing reads.", remedy)


def _mapping(file: Path, value: object, name: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise OpsError(f"{file} holds no {name}.", "Restore it from the catalog.")
    return value
