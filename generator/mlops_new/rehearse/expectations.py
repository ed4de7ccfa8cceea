"""Compares the state that a scenario led to with the one that it must lead to."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from mlops_new.rehearse.az_project import Places
from mlops_new.rehearse.az_state import Asset, State


class World:
    """What stands in the workspaces and in the registry."""

    def __init__(self, state: State, places: Places) -> None:
        """Look at a state."""
        self.state, self.places = state, places

    def models(self, environment: str) -> list[Asset]:
        """The versions that are registered in an environment."""
        return self.state.assets(self.places.workspaces[environment], "model", self.places.model)

    def champions(self, environment: str) -> list[str]:
        """The versions that have the role of champion."""
        return [model.version for model in self.models(environment) if model.tags.get("role") == "champion"]

    def champion(self, environment: str) -> int | None:
        """The champion's version."""
        found = self.champions(environment)
        return int(found[-1]) if found else None

    def shared(self) -> list[int]:
        """The versions in the registry."""
        return [int(a.version) for a in self.state.assets(self.places.registry, "model", self.places.model)]

    def fingerprint(self, environment: str) -> str:
        """Changes when a model, a schedule or a resource of an environment does."""
        place = self.places.workspaces[environment]
        seen = [
            (a.name, a.version, sorted(a.tags.items()))
            for k in ("model", "schedule")
            for a in self.state.assets(place, k)
        ]
        return repr((seen, self.state.resources(environment)))

    def digests(self, version: str) -> set[str]:
        """The hashes of a version's bytes, in each place that has it."""
        places = [self.places.registry, *self.places.workspaces.values()]
        models = [a for place in places for a in self.state.assets(place, "model", self.places.model)]
        return {_digest(Path(model.content)) for model in models if model.version == version}


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _champion(world: World, wanted: Any) -> Iterator[str]:
    for environment, version in wanted.items():
        if world.champion(environment) != version:
            yield f"The champion of {environment} is {world.champion(environment)}, and should be {version}."


def _validated(world: World, wanted: Any) -> Iterator[str]:
    for environment, version in wanted.items():
        found = [int(m.version) for m in world.models(environment) if m.tags.get("validation") == "passed"]
        if found != ([] if version is None else [version]):
            yield f"{environment} has validated {found or 'nothing'}, and should have {version}."


def _versions(world: World, wanted: Any) -> Iterator[str]:
    for environment, number in wanted.items():
        found = len(world.models(environment))
        if found != number:
            yield f"{environment} has {found} versions, and should have {number}."


def _decision(world: World, wanted: Any) -> Iterator[str]:
    for environment, decision in wanted.items():
        models = world.models(environment)
        found = models[-1].tags.get("decision") if models else None
        if found != decision:
            yield f"The newest version of {environment} has the decision {found}, and should have {decision}."


def _role(world: World, wanted: Any) -> Iterator[str]:
    for environment, roles in wanted.items():
        for model in world.models(environment):
            role = roles.get(int(model.version))
            if role and model.tags.get("role") != role:
                yield f"Version {model.version} is {model.tags.get('role')} in {environment}, and should be {role}."


def _registry(world: World, wanted: Any) -> Iterator[str]:
    if world.shared() != wanted:
        yield f"The registry holds the versions {world.shared()}, and should hold {wanted}."


def _registry_has(world: World, wanted: Any) -> Iterator[str]:
    if not set(wanted) <= set(world.shared()):
        yield f"The registry holds the versions {world.shared()}, and should hold {wanted} too."


def _jobs(world: World, wanted: Any) -> Iterator[str]:
    for environment, pipelines in wanted.items():
        found = [job.pipeline for job in world.state.jobs(world.places.workspaces[environment])]
        if found != pipelines:
            yield f"In {environment} ran {found or 'nothing'}, and should have {pipelines or 'nothing'}."


def _approvals(world: World, wanted: Any) -> Iterator[str]:
    found = [{event["environment"]: event["granted"]} for event in world.state.events("approval")]
    if found != wanted:
        yield f"The approvals were {found or 'none'}, and should be {wanted or 'none'}."


def _schedules(world: World, wanted: Any) -> Iterator[str]:
    found = [e for e, place in world.places.workspaces.items() if world.state.assets(place, "schedule")]
    if found != wanted:
        yield f"Schedules stand in {found or 'no environment'}, and should in {wanted or 'none'}."


def _same_bytes(world: World, wanted: Any) -> Iterator[str]:
    if len(world.digests(str(wanted))) != 1:
        yield f"Version {wanted} has {len(world.digests(str(wanted)))} different contents, and should have one."


def _one_champion(world: World, _: Any) -> Iterator[str]:
    for environment in world.places.workspaces:
        if len(world.champions(environment)) > 1:
            yield f"{environment} has the champions {world.champions(environment)}, and should have one."


def _never_at_once(world: World, wanted: Any) -> Iterator[str]:
    running = 0
    for event in world.state.events("starts", "ends"):
        if event["workflow"] == wanted:
            running += 1 if event["kind"] == "starts" else -1
            if running > 1:
                yield f"Two runs of {wanted} went at once, and should not."
                return


def _resources(world: World, wanted: Any) -> Iterator[str]:
    for environment, stand in wanted.items():
        found = world.state.resources(environment)
        if bool(found) != stand:
            yield f"{environment} has {len(found)} resources, and should have {'some' if stand else 'none'}."


_CHECKS: Final[Mapping[str, Callable[[World, Any], Iterator[str]]]] = {
    "approvals": _approvals,
    "champion": _champion,
    "decision": _decision,
    "jobs": _jobs,
    "never_at_once": _never_at_once,
    "one_champion": _one_champion,
    "registry": _registry,
    "registry_has": _registry_has,
    "resources": _resources,
    "role": _role,
    "same_bytes": _same_bytes,
    "schedules": _schedules,
    "validated": _validated,
    "versions": _versions,
}


def problems(state: State, places: Places, wanted: Mapping[str, Any]) -> Iterator[str]:
    """How a state differs from the one that is wanted, a sentence each."""
    world = World(state, places)
    for name, value in wanted.items():
        yield from _CHECKS[name](world, value)
