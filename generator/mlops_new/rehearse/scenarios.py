"""The scenarios of a rehearsal, as `data/scenarios.yml` gives them, in the words of a project's own environments."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

import yaml

from mlops_new.errors import AnswersError, nearest
from mlops_new.rehearse.az_project import Places

Step = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Steps, and the state that they must lead to."""

    name: str
    says: str
    is_core: bool
    steps: tuple[Step, ...]
    state: Mapping[str, Any]


def load_scenarios(places: Places, layers: Collection[str]) -> dict[str, Scenario]:
    """The scenarios that a project can play: those whose environments and layers it has."""
    text = resources.files("mlops_new.rehearse").joinpath("data/scenarios.yml").read_text(encoding="utf-8")
    words = _words(places)
    found = {}
    for name, entry in yaml.safe_load(text).items():
        if set(entry.get("layers", ())) <= set(layers) and set(entry.get("needs", ())) <= set(words):
            steps = tuple(_translated(step, words) for step in entry["steps"])
            state = _translated(entry["state"], words)
            found[name] = Scenario(name, entry["says"], entry.get("core", False), steps, state)
    return found


def choose(known: Mapping[str, Scenario], names: Collection[str]) -> list[Scenario]:
    """The scenarios of some names; `core` stands for those that matter most, and no name for all.

    Raises:
        AnswersError: There is no such scenario for this project.
    """
    for name in names:
        if name != "core" and name not in known:
            raise AnswersError(f"There is no scenario {name} for this project.", nearest(name, [*known, "core"]))
    return [
        scenario
        for scenario in known.values()
        if not names or scenario.name in names or ("core" in names and scenario.is_core)
    ]


def _words(places: Places) -> dict[str, str]:
    order = list(places.workspaces)
    words = {"first": order[0], "last": order[-1], "group of last": places.groups[order[-1]]}
    return words | ({"middle": order[1]} if len(order) > 2 else {})  # noqa: PLR2004 - one between first and last


def _translated(value: Any, words: Mapping[str, str]) -> Any:
    """A value with the project's names of environments; what names one that it lacks is left out of a state."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in ("first", "middle", "last") or k in words}
        return {words.get(str(key), key): _translated(inner, words) for key, inner in kept.items()}
    if isinstance(value, list):
        return [_translated(inner, words) for inner in value if inner != "middle" or "middle" in words]
    return words.get(value, value) if isinstance(value, str) else value


def prefixes(scenario: Scenario) -> list[str]:
    """A key for what each step, with those before it, does."""
    return [json.dumps(scenario.steps[: number + 1], sort_keys=True) for number in range(len(scenario.steps))]
