"""Strict reading of the catalog's YAML: every wrong key or type is reported with file, line and nearest name."""

from collections.abc import Collection, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from mlops_new.errors import CatalogError, nearest
from mlops_new.model import Place


class Reader:
    """A mapping of a YAML file that gives its values by type, and knows where each stands."""

    def __init__(self, values: CommentedMap, path: str, subject: str) -> None:
        """Wrap a mapping; `subject` is what an error calls it."""
        self._values = values
        self.path = path
        self.subject = subject

    def place(self, key: str | None = None) -> Place:
        """Where a key stands, or the mapping itself."""
        position = self._values.lc
        line = position.data[key][0] if key is not None and key in (position.data or {}) else position.line
        return Place(self.path, (line or 0) + 1)

    def error(self, key: str | None, problem: str, remedy: str) -> CatalogError:
        """An error about a key, or about the mapping itself."""
        return CatalogError(f"{self.place(key)}: {self.subject} {problem}.", remedy)

    def names(self) -> tuple[str, ...]:
        """All keys, in order; they must be text."""
        for key in self._values:
            if not isinstance(key, str):
                raise self.error(None, f"has the key {key!r}, which is no text", "Put it in quotes.")
        return tuple(self._values)

    def only(self, required: Collection[str], optional: Collection[str] = ()) -> None:
        """Refuse unknown keys, and missing ones."""
        for key in self.names():
            if key not in required and key not in optional:
                raise self.error(key, f"has the unknown key {key!r}", nearest(key, {*required, *optional}))
        for key in required:
            if key not in self._values:
                raise self.error(None, f"lacks the key {key!r}", f"Add {key}.")

    def raw(self, key: str, default: object = None) -> object:
        """A value as it was read."""
        return self._values.get(key, default)

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        value = self._values.get(key, default)
        if not isinstance(value, str):
            raise self.error(key, f"has {key} {value!r}, which is no text", f"Give {key} as text, in quotes.")
        return str(value)

    def number(self, key: str) -> float:
        """A number."""
        value = self._values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(key, f"has {key} {value!r}, which is no number", f"Give {key} as a number.")
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; an absent one is empty."""
        value = self._values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(key, f"has {key} {value!r}, which is no list of texts", "Give a list of texts.")
        return tuple(str(item) for item in value)

    def groups(self, key: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of texts."""
        value = self._values.get(key)
        groups = value if isinstance(value, list) else [value]
        if not all(isinstance(group, list) and all(isinstance(item, str) for item in group) for group in groups):
            raise self.error(key, f"has {key} {value!r}, which is no list of lists of texts", "Give lists in a list.")
        return tuple(tuple(str(item) for item in group) for group in groups)

    def text_map(self, key: str) -> Mapping[str, str]:
        """A mapping of texts; an absent one is empty."""
        inner = self.child(key)
        return {name: inner.text(name) for name in inner.names()}

    def texts_map(self, key: str) -> Mapping[str, tuple[str, ...]]:
        """A mapping of lists of texts; an absent one is empty."""
        inner = self.child(key)
        return {name: inner.texts(name) for name in inner.names()}

    def child(self, key: str) -> "Reader":
        """The mapping under a key; an absent one is empty."""
        value = self._values.get(key)
        if value is None:
            value = CommentedMap()
        if not isinstance(value, CommentedMap):
            raise self.error(key, f"has {key} {value!r}, which is no mapping", f"Give {key} as a mapping.")
        return Reader(value, self.path, f"{self.subject}, {key},")

    def children(self) -> Mapping[str, "Reader"]:
        """Every value, each of which must be a mapping."""
        return {key: self.child(key) for key in self.names()}


def read_text(root: Path, path: str) -> str:
    """Read a text file of the catalog.

    Raises:
        CatalogError: The file is absent, cannot be read, or is not UTF-8.
    """
    try:
        return (root / path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CatalogError(f"{path} is missing from {root}.", "Restore it, or correct the path.") from None
    except UnicodeDecodeError:
        raise CatalogError(f"{path} is not UTF-8.", "Save it as UTF-8.") from None
    except OSError as error:
        raise CatalogError(f"{path} cannot be read: {error.strerror}.", "Correct it or its permissions.") from None


def read_document(root: Path, path: str) -> object:
    """Read a YAML file of the catalog.

    Raises:
        CatalogError: The file cannot be read or is not YAML.
    """
    try:
        return YAML(typ="rt").load(read_text(root, path))
    except RecursionError:
        raise CatalogError(f"{path} is nested too deeply.", "Mend the file.") from None
    except YAMLError as error:
        problem = " ".join(str(error).split())
        raise CatalogError(f"{path} cannot be read: {problem}.", "Mend the file.") from None


def read_mapping(root: Path, path: str, subject: str) -> Reader:
    """Read a YAML file whose top is a mapping."""
    document = read_document(root, path)
    if not isinstance(document, CommentedMap):
        raise CatalogError(f"{path}: {subject} is no mapping.", "Write keys and values.")
    return Reader(document, path, subject)


def read_list(root: Path, path: str, subject: str) -> tuple[Reader, ...]:
    """Read a YAML file whose top is a list of mappings."""
    document = read_document(root, path)
    if not isinstance(document, list) or not all(isinstance(item, CommentedMap) for item in document):
        raise CatalogError(f"{path}: {subject} is no list of mappings.", "Write a list of mappings.")
    return tuple(Reader(item, path, subject) for item in document)
