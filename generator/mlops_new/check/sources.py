"""From a path of a rendered project back to the file of the catalog that it comes from, and to its line."""

import re
from difflib import SequenceMatcher
from pathlib import Path

from mlops_new.check.structure import LAYERS, PACKAGE, layer_folders, layer_paths
from mlops_new.engine import ANSWERS_FILE
from mlops_new.model import Catalog

# Jinja's marks around what is copied as it is.
_MARK = re.compile(r"\{% (?:end)?raw %\}")
ANSWERS_TEMPLATE = "{{_copier_conf.answers_file}}.jinja"


class Sources:
    """Which file of the catalog a rendered path comes from."""

    def __init__(self, catalog: Catalog, package: str) -> None:
        """Index the layers' files; `package` is the rendered projects' own."""
        self._root = catalog.root
        self._sources: dict[str, Path] = {}
        self._aligned: dict[tuple[str, bytes], dict[int, int]] = {}
        if (catalog.root / LAYERS / ANSWERS_TEMPLATE).is_file():
            self._sources[ANSWERS_FILE] = Path(LAYERS, ANSWERS_TEMPLATE)
        for folder in layer_folders(catalog.root).values():
            for path, source in layer_paths(folder):
                self._sources[path.replace(PACKAGE, package)] = source.relative_to(catalog.root)

    def place(self, path: str) -> str:
        """The file in the catalog behind a rendered path."""
        source = self._sources.get(path)
        return source.as_posix() if source else f"{LAYERS}: {path}" if path else LAYERS

    def is_plain(self, path: str) -> bool:
        """Whether the file is copied as it is."""
        source = self._sources.get(path)
        return source is not None and source.suffix != ".jinja"

    def locate(self, path: str, line: int, content: bytes) -> tuple[str, bool]:
        """The place behind a line of a rendered file, and whether it holds the line in the catalog.

        A template's line is known when it comes to the project as it is.
        """
        place = self.place(path)
        if not line:
            return place, False
        if self.is_plain(path):
            return f"{place}:{line}", True
        source = self._sources.get(path)
        if source is None:
            return place, False
        key = (path, content)
        if key not in self._aligned:
            self._aligned[key] = _aligned(self._root / source, content)
        origin = self._aligned[key].get(line)
        return (f"{place}:{origin}", True) if origin else (place, False)


def _aligned(source: Path, content: bytes) -> dict[int, int]:
    """The lines of a rendered file that its template holds as they are, with their numbers there."""
    template = [_MARK.sub("", line).strip() for line in source.read_text(encoding="utf-8").split("\n")]
    rendered = [line.strip() for line in content.decode(errors="replace").split("\n")]
    blocks = SequenceMatcher(None, template, rendered, autojunk=False).get_matching_blocks()
    return {block.b + number + 1: block.a + number + 1 for block in blocks for number in range(block.size)}
