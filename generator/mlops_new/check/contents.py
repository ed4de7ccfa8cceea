"""Checks of each distinct rendered content by itself."""

import ast
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from mlops_new.check.sources import Sources
from mlops_new.lint.plain_yaml import ParseError, parse
from mlops_new.model import Catalog

_BINARY = frozenset({".parquet", ".png", ".gz", ".zip"})
# Not what GitHub and Azure ML write, `${{ x }}`; nor that in a Python f-string, `${{{{x}}}}`; nor `${#x}` of a shell.
_JINJA = re.compile(r"(?<![${])\{\{|(?<!\$)\{[%#]|%\}")
_ACTION = re.compile(r"^\s*(?:- )?uses:\s*(?P<action>\S+)(?P<rest>.*)$", re.MULTILINE)
_ACTIONS = (".github/workflows/", ".github/actions/")
_PINNED = re.compile(r"\A[\w./-]+@[0-9a-f]{40}\Z|\Adocker://\S+@sha256:[0-9a-f]{64}\Z")
_VERSION = re.compile(r"\A\s+# v?\d")
_RESERVED = re.compile(r"(?i)\A(aux|con|nul|prn|com[0-9]|lpt[0-9])(\..*)?\Z")
_LONGEST_PATH = 150
_PARSERS: dict[str, Callable[[str], object]] = {
    ".json": json.loads,
    ".py": ast.parse,
    ".toml": tomllib.loads,
    ".yaml": parse,
    ".yml": parse,
}


Found = tuple[str, int, str]
# What each check looks for, by its id.
CHECKS = {
    "layout": "Blank lines in a row, at the start or at the end; spaces at a line's end; a last line without an end.",
    "leftover": "Text of the catalog's own language that was not rendered, such as `{{ name }}`.",
    "path": "Paths that Windows cannot hold, and paths that are too long.",
    "pinned-action": "Actions in workflows that are not pinned by commit, with their version in a comment.",
    "syntax": "Python, YAML, JSON and TOML that cannot be parsed.",
    "text": "Files that are not UTF-8.",
}


class ContentCheck:
    """Looks at one file at a time; knows the names of the catalog's variables."""

    def __init__(self, catalog: Catalog, sources: Sources) -> None:
        """Compile the pattern of a variable that was left in a file without `.jinja`."""
        self._sources = sources
        names = "|".join(sorted(catalog.questions))
        self._variable = re.compile(rf"(?<![$])\{{\{{\s*({names})\b[^}}]*\}}\}}")

    def faults(self, path: str, content: bytes) -> Iterator[Found]:
        """Each fault as the id of the check, the line or 0, and a sentence."""
        yield from _path_faults(path)
        if PurePosixPath(path).suffix in _BINARY:
            return
        try:
            text = content.decode("utf-8")
        except UnicodeDecodeError:
            yield "text", 0, "The file is not UTF-8: save it as UTF-8."
            return
        yield from self._leftovers(path, text)
        yield from _layout_faults(path, text)
        yield from _syntax_faults(path, text)
        if path.startswith(_ACTIONS):
            yield from _unpinned_actions(text)

    def _leftovers(self, path: str, text: str) -> Iterator[Found]:
        pattern = self._variable if self._sources.is_plain(path) else _JINJA
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line):
                remedy = "name the file .jinja" if self._sources.is_plain(path) else "render it, or mark it as raw"
                yield "leftover", number, f"Template text is left: {line.strip()[:80]}: {remedy}."


def _path_faults(path: str) -> Iterator[Found]:
    if any(_RESERVED.match(part) or part.endswith((".", " ")) for part in path.split("/")) or re.search(
        r'[<>:"|?*\\]', path
    ):
        yield "path", 0, f"{path} is no usable path on Windows: rename it."
    if len(path) > _LONGEST_PATH:
        yield "path", 0, f"{path} is longer than {_LONGEST_PATH} characters: shorten it."


def _layout_faults(path: str, text: str) -> Iterator[Found]:
    lines = text.split("\n")
    if "\r" in text:
        yield "layout", text[: text.index("\r")].count("\n") + 1, "A carriage return stands here: remove it."
    if text and not text.endswith("\n"):
        yield "layout", len(lines), "The last line has no end: end it."
    if text.endswith("\n\n"):
        yield "layout", len(lines) - 1, "The file ends with a blank line: remove it."
    blank, most = 0, 2 if path.endswith(".py") else 1
    for number, line in enumerate(lines, 1):
        blank = 0 if line else blank + 1
        leads = number == 1 and not line and bool(text)
        if leads or (blank == most + 1 and number < len(lines)):
            yield "layout", number, "A run of blank lines stands here: remove it."
        if line.rstrip("\r") != line.rstrip():
            yield "layout", number, "The line ends with spaces: remove them."


def _syntax_faults(path: str, text: str) -> Iterator[Found]:
    parser = _PARSERS.get(PurePosixPath(path).suffix)
    if parser is None or path.startswith(".devcontainer/"):
        return
    try:
        parser(text)
    except (SyntaxError, ValueError, ParseError) as error:
        problem = " ".join(str(error).split()).rstrip(".")
        said = re.search(r"line (\d+)", problem)
        yield "syntax", int(said.group(1)) if said else 0, f"The file does not parse: {problem}."


def _unpinned_actions(text: str) -> Iterator[Found]:
    for match in _ACTION.finditer(text):
        action, line = match["action"], text[: match.start("action")].count("\n") + 1
        if action.startswith(("./", "$/")):
            continue
        if not _PINNED.match(action):
            yield "pinned-action", line, f"{action} is not pinned: pin it by commit, with its version in a comment."
        elif not _VERSION.match(match["rest"]):
            name = action.partition("@")[0]
            yield "pinned-action", line, f"{name} is pinned without its version: give it in a comment."
