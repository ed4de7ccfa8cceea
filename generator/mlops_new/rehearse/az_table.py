"""The grammar of the Azure CLI that a rehearsal accepts: `data/az.yml`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

_PLACES: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "workspace": (("--resource-group", "--workspace-name"),),
    "registry": (("--registry-name",),),
    "either": (("--resource-group", "--workspace-name"), ("--registry-name",)),
    "both": (("--resource-group", "--workspace-name", "--registry-name"),),
}


class AzError(Exception):
    """What az says on its error stream, and its exit code."""

    def __init__(self, text: str, code: int = 1) -> None:
        """Keep both."""
        super().__init__(text)
        self.code = code


@dataclass(frozen=True, slots=True)
class Call:
    """A command, and what its options were given: a text, or a list for an option that takes several."""

    command: str
    needs: str
    options: Mapping[str, Any]

    def text(self, name: str) -> str:
        """An option's value, or nothing."""
        return str(self.options.get(name, ""))

    @property
    def sets(self) -> list[str]:
        """What `--set` was given."""
        return list(self.options.get("--set", ()))


@cache
def _table() -> Mapping[str, Any]:
    text = resources.files("mlops_new.rehearse").joinpath("data/az.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def read_call(words: Sequence[str]) -> Call:
    """What a command line asks for.

    Raises:
        AzError: az would not understand it.
    """
    table = _table()
    names = next((n for n in range(len(words), 0, -1) if " ".join(words[:n]) in table["commands"]), 0)
    if not names:
        said = " ".join(word for word in words[:3] if not word.startswith("-"))
        raise AzError(f"'{said}' is misspelled or not recognized by the system.", 2)
    command = " ".join(words[:names])
    entry = table["commands"][command]
    known = {
        *entry["takes"],
        *table["everywhere"],
        *(f for group in _PLACES.get(entry.get("place"), ()) for f in group),
    }
    options = _options(list(words[names:]), known, table)
    lacking = [name for name in entry.get("requires", ()) if name not in options]
    places = _PLACES.get(entry.get("place"), ((),))
    if not any(all(name in options for name in group) for group in places):
        lacking += [name for name in places[0] if name not in options]
    if lacking:
        raise AzError(f"the following arguments are required: {', '.join(lacking)}", 2)
    return Call(command, entry["needs"], options)


def _options(words: list[str], known: set[str], table: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while words:
        name, given, value = words.pop(0).partition("=")
        name = table["short"].get(name, name)
        if name not in known:
            raise AzError(f"unrecognized arguments: {name}", 2)
        if name in table["switches"]:
            found[name] = True
        elif name in table["many"]:
            found.setdefault(name, [])
            while words and not words[0].startswith("-"):
                found[name].append(words.pop(0))
            if not found[name]:
                raise AzError(f"argument {name}: expected at least one argument", 2)
        elif given:
            found[name] = value
        elif not words or words[0].startswith("--"):
            raise AzError(f"argument {name}: expected one argument", 2)
        else:
            found[name] = words.pop(0)
    return found
