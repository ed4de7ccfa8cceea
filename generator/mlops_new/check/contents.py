"""Checks of each distinct rendered content by itself."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import yaml

from mlops_new.check.rendered import Sources
from mlops_new.model import Catalog

_BINARY = frozenset({".parquet", ".png", ".gz", ".zip"})
_JINJA = re.compile(r"(?<![$])\{\{|\{%|\{#|%\}")
_ACTION = re.compile(r"^\s*(?:- )?uses:\s*(?P<action>\S+)(?P<rest>.*)$", re.MULTILINE)
_PINNED = re.compile(r"\A[\w./-]+@[0-9a-f]{40}\Z")
_VERSION = re.compile(r"\A\s+# v?\d")
_RESERVED = re.compile(r"(?i)\A(aux|con|nul|prn|com[0-9]|lpt[0-9])(\..*)?\Z")
_LONGEST_PATH = 150
_PARSERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}


class ContentCheck:
    """Looks at one file at a time; knows the names of the catalog's variables."""

    def __init__(self, catalog: Catalog, sources: Sources) -> None:
        """Compile the pattern of a variable that was left in a file without `.jinja`."""
        self._sources = sources
        names = "|".join(sorted(catalog.questions))
        self._variable = re.compile(rf"(?<![$])\{{\{{\s*({names})\b[^}}]*\}}\}}")

    def faults(self, path: str, content: bytes) -> Iterator[tuple[str, str]]:
        """Each fault as the id of the check and a sentence."""
        yield from _path_faults(path)
        if PurePosixPath(path).suffix in _BINARY:
            return
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            yield "text", "The file is not UTF-8."
            return
        yield from self._leftovers(path, text)
        yield from _layout_faults(path, text)
        yield from _syntax_faults(path, text)
        if path.startswith(".github/workflows/"):
            yield from _unpinned_actions(text)

    def _leftovers(self, path: str, text: str) -> Iterator[tuple[str, str]]:
        pattern = self._variable if self._sources.is_plain(path) else _JINJA
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                yield "leftover", f"Line {number} holds template text: {line.strip()[:80]}"


def _path_faults(path: str) -> Iterator[tuple[str, str]]:
    if any(_RESERVED.match(part) or part.endswith((".", " ")) for part in path.split("/")) or re.search(
        r'[<>:"|?*\\]', path
    ):
        yield "path", f"{path} is no usable path on Windows."
    if len(path) > _LONGEST_PATH:
        yield "path", f"{path} is longer than {_LONGEST_PATH} characters."


def _layout_faults(path: str, text: str) -> Iterator[tuple[str, str]]:
    if "\r" in text:
        yield "layout", "The file has carriage returns."
    if text and not text.endswith("\n"):
        yield "layout", "The last line has no end."
    if text.endswith("\n\n"):
        yield "layout", "The file ends with a blank line."
    allowed = "\n\n\n\n" if path.endswith(".py") else "\n\n\n"
    if allowed in text or text.startswith("\n"):
        first = text[: max(text.find(allowed), 0)].count("\n") + 1
        yield "layout", f"A run of blank lines stands at line {first}."
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield "layout", f"Line {number} ends with spaces."


def _syntax_faults(path: str, text: str) -> Iterator[tuple[str, str]]:
    parse = _PARSERS.get(PurePosixPath(path).suffix)
    if parse is None or path.startswith(".devcontainer/"):
        return
    try:
        parse(text)
    except (SyntaxError, ValueError, yaml.YAMLError) as error:
        yield "syntax", f"The file does not parse: {' '.join(str(error).split())}."


def _unpinned_actions(text: str) -> Iterator[tuple[str, str]]:
    for match in _ACTION.finditer(text):
        action, line = match["action"], text[: match.start()].count("\n") + 1
        if action.startswith(("./", "$/")):
            continue
        if not _PINNED.match(action):
            yield "pinned-action", f"Line {line} uses {action}, which is not pinned by a commit."
        elif not _VERSION.match(match["rest"]):
            yield "pinned-action", f"Line {line} pins {action.partition('@')[0]} without its version in a comment."
