"""Reads the delivery of a project back into the words of `templates/catalog/delivery.yml`, from each CI system's files.

The normal form is what happens, however the files divide it: for each workflow what starts it, its lock, and its
stages in order, each with its needs, condition, lock and jobs; for each job its title, limit, place, condition and
steps. A reader refuses what it does not know, so that nothing is overlooked.
"""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from mlops_new.model import Tree

Graph = dict[str, Any]
RUNNERS = {
    "hosted": ("ubuntu-24.04", {"vmImage": "ubuntu-24.04"}),
    "in-network": (["self-hosted", "linux", "in-network"], {"name": "in-network"}),
    "in-network-ephemeral": (["self-hosted", "linux", "in-network", "ephemeral"], {"name": "in-network-ephemeral"}),
}
CRON = {"hourly": "43 * * * *", "daily": "43 7 * * *", "weekly": "43 7 * * 2"}


def load(tree: Tree, path: str) -> Any:
    """A file as YAML 1.2 reads it: `on` is a text."""
    return yaml.load(tree[path].content, Loader=_Loader)  # noqa: S506 - a safe loader, without YAML 1.1's booleans


class _Loader(yaml.SafeLoader):
    """Reads `on` as a text, as both CI systems do."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def only(node: Mapping[str, Any], *known: str) -> None:
    unknown = set(node) - set(known)
    assert not unknown, f"The reader knows no {sorted(unknown)}, in {node}."


def match(pattern: str, text: str) -> re.Match[str]:
    found = re.fullmatch(pattern, text)
    assert found, f"The reader does not understand {text!r}."
    return found


def without(entries: Graph) -> Graph:
    """Without what says nothing."""
    return {name: value for name, value in entries.items() if value not in (None, {}, [], False)}


def verb(script: str) -> Graph:
    found = match(r"uv run poe (?P<run>.+?)(?: \|\| \[\[ \$\? == (?P<accepts>\d+) \]\])?", script)
    return without({"run": found["run"], "accepts": int(found["accepts"]) if found["accepts"] else None})


def expected(graph: Graph, answers: Mapping[str, Any]) -> Graph:
    """The normal form of the graph for some answers: `environments`, `frequency`, and `layers` beyond the usual.

    `tells` says whether the files of the CI system let the owner know; Azure DevOps has subscriptions for that.
    """
    found = {
        name: w for name, w in graph["workflows"].items() if w.get("layer", "") in ("", *answers.get("layers", ()))
    }
    return {name: _workflow(graph, workflow, answers) for name, workflow in found.items()}


def _workflow(graph: Graph, workflow: Graph, answers: Mapping[str, Any]) -> Graph:
    starts = dict(workflow["starts"])
    if "schedule" in starts:
        starts["schedule"] = CRON[answers["frequency"]]
    starts["event"] = "event" in starts
    starts["manual"] = {name: entry["type"] for name, entry in starts.get("manual", {}).items()}
    stages: Graph = {}
    for key, entry in workflow["stages"].items():
        places = answers["environments"] if "each" in entry else [None]
        for number, place in enumerate(places):
            last = {"last": str(number + 1 == len(places)).lower(), "environment": place} if place else {}
            needs = [places[number - 1]] if place and number else entry.get("needs", [])
            known = {**last, **entry.get("with", {})}
            given = {name: known[name] for name in graph["stages"][entry["stage"]]["parameters"]}
            stages[place or key] = _stage(graph["stages"][entry["stage"]], entry, needs, given, answers)
    lock = workflow.get("lock", {}).get("cancels")
    tells = {"tells": True} if workflow.get("tells") and answers.get("tells") else {}
    return {"starts": without(starts), "cancels": lock, "stages": stages, **tells}


def _stage(stage: Graph, entry: Graph, needs: list[str], given: Graph, answers: Mapping[str, Any]) -> Graph:
    jobs = {name: _job(job, answers) for name, job in stage["jobs"].items()}
    locks = [job["lock"]["cancels"] for job in stage["jobs"].values() if "lock" in job]
    asked = {"if": entry.get("if"), "trusted": entry.get("trusted")}
    return without({"needs": needs, "with": given, **asked, "jobs": jobs}) | {"cancels": locks[0] if locks else None}


def _job(job: Graph, answers: Mapping[str, Any]) -> Graph:
    kept = {key: job.get(key) for key in ("title", "minutes", "if", "unless", "history")}
    place = job.get("environment")
    if place:
        names = {"first": answers["environments"][0], "last": answers["environments"][-1]}
        name = names.get(place["of"], "parameter.environment")
        kept |= {"environment": name + place.get("suffix", ""), "ENVIRONMENT": name}
    if "lock" in job:
        kept |= {"lock": f"{job['lock']['name']}-{name}"}
    steps = [{key: value for key, value in step.items() if key != "gives"} for step in job["steps"]]
    return without({**kept, "steps": steps})
