"""A pipeline's YAML as nodes that know where they stand; every scalar is a text, as the service takes it."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from mlops_new.errors import nearest
from mlops_new.lint.azure_pipelines_nodes import Value, parse
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_model import PipelineError, fault


@dataclass(frozen=True, slots=True)
class Node:
    """A text, a list or a mapping at a line of a file; `entries` holds key, place of the key, and value."""

    place: Place
    value: str | None = None
    items: "tuple[Node, ...] | None" = None
    entries: "tuple[tuple[str, Place, Node], ...] | None" = None

    def get(self, key: str) -> "Node | None":
        """What stands under a key of a mapping."""
        return next((node for name, _, node in self.entries or () if name == key), None)

    def text(self) -> str:
        """The text that it is.

        Raises:
            PipelineError: It is a list or a mapping.
        """
        if self.value is None:
            raise fault(self.place, "a text is expected here", "Give a text.")
        return self.value

    def texts(self, key: str, default: str = "") -> str:
        """The text under a key, or the default."""
        node = self.get(key)
        return node.text() if node else default

    def elements(self) -> "tuple[Node, ...]":
        """The entries of the list that it is.

        Raises:
            PipelineError: It is none.
        """
        if self.items is None:
            raise fault(self.place, "a list is expected here", "Give a list.")
        return self.items

    def listed(self, key: str) -> "tuple[Node, ...]":
        """The entries of the list under a key; an absent one is empty."""
        node = self.get(key)
        return node.elements() if node else ()

    def mapping(self) -> "tuple[tuple[str, Place, Node], ...]":
        """The entries of the mapping that it is.

        Raises:
            PipelineError: It is none.
        """
        if self.entries is None:
            raise fault(self.place, "a mapping is expected here", "Give a mapping.")
        return self.entries

    def only(self, what: str, known: Collection[str]) -> None:
        """Refuse keys that this interpreter does not know."""
        for key, place, _ in self.mapping():
            if key not in known:
                raise fault(place, f"{what} has the key {key}, which the rehearsal does not know", nearest(key, known))

    def need(self, what: str, key: str) -> "Node":
        """What stands under a key that must be there."""
        node = self.get(key)
        if node is None:
            raise fault(self.place, f"{what} lacks the key {key}", f"Add {key}.")
        return node

    def choice(self, key: str, known: Collection[str], default: str) -> str:
        """One of some texts."""
        text, node = self.texts(key, default), self.get(key)
        if text.lower() not in {word.lower() for word in known}:
            place = node.place if node else self.place
            raise fault(place, f"{key} is {text!r}, which the rehearsal does not know", nearest(text, known))
        return text.lower()

    def flag(self, key: str, *, default: bool = False) -> bool:
        """Whether a key says true."""
        return self.choice(key, ("true", "false"), str(default)) == "true"

    def number(self, key: str, default: int) -> int:
        """A whole number, not below zero."""
        text, node = self.texts(key, str(default)), self.get(key)
        if not text.isdecimal():
            place = node.place if node else self.place
            raise fault(place, f"{key} is {text!r}, which is no number", f"Give {key} as a number.")
        return int(text)


def read(project: Path, path: str) -> Value:
    """Read a file of the project.

    Raises:
        PipelineError: It is not there, or is no YAML with a mapping.
    """
    try:
        text = (project / path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise PipelineError(f"{path} cannot be read: {problem}.", "Correct the path or the file.") from None
    try:
        value, faults = parse(text)
    except RecursionError:
        raise PipelineError(f"{path} is nested too deeply.", "Mend the file.") from None
    for found in faults:
        raise PipelineError(f"{path}:{found.line}: {found.message}", "Mend the file.")
    if value is None or value.entries is None:
        raise PipelineError(f"{path}:1: the file is no mapping.", "Give stages, jobs or steps.")
    return value
