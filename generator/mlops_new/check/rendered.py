"""Every legal combination, rendered in memory, with each distinct content kept once."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from mlops_new.answers import legal_combinations
from mlops_new.check.findings import Finding, Progress
from mlops_new.check.structure import LAYERS, PACKAGE, layer_folders, layer_paths
from mlops_new.errors import KitError
from mlops_new.model import Answers, Catalog, RenderedFile

_WORKERS = 2
_BATCH = 60
PROJECT = "check-project"


@dataclass
class Rendered:
    """All projects of a catalog: `trees` gives each combination's paths with the hash of each content."""

    trees: list[tuple[Answers, dict[str, str]]] = field(default_factory=list)
    contents: dict[str, RenderedFile] = field(default_factory=dict)
    failures: list[Finding] = field(default_factory=list)

    def tree(self, number: int) -> dict[str, RenderedFile]:
        """The files of a combination."""
        return {path: self.contents[digest] for path, digest in self.trees[number][1].items()}

    def covering(self, prefixes: Sequence[str]) -> list[int]:
        """Few combinations that hold, together, each distinct content of the paths with one of the prefixes."""
        wanted = [
            {(path, digest) for path, digest in tree.items() if path.startswith(tuple(prefixes))}
            for _, tree in self.trees
        ]
        missing, chosen = set().union(*wanted) if wanted else set(), []
        while missing:
            best = max(range(len(wanted)), key=lambda number: len(wanted[number] & missing))
            chosen.append(best)
            missing -= wanted[best]
        return chosen

    def distinct(self) -> Iterator[tuple[str, RenderedFile, Answers]]:
        """Each distinct content of each path, with a combination in which it shows."""
        seen: set[tuple[str, str]] = set()
        for answers, tree in self.trees:
            for path, digest in tree.items():
                if (path, digest) not in seen:
                    seen.add((path, digest))
                    yield path, self.contents[digest], answers


class Sources:
    """Which file of the catalog a rendered path comes from."""

    def __init__(self, catalog: Catalog) -> None:
        """Index the layers' files."""
        package = PROJECT.replace("-", "_")
        self._sources: dict[str, Path] = {}
        for folder in layer_folders(catalog.root).values():
            for path, source in layer_paths(folder).items():
                self._sources[path.replace(PACKAGE, package)] = source.relative_to(catalog.root)

    def place(self, path: str) -> str:
        """The file in the catalog behind a rendered path."""
        source = self._sources.get(path)
        return source.as_posix() if source else f"{LAYERS}: {path}"

    def is_plain(self, path: str) -> bool:
        """Whether the file is copied as it is."""
        source = self._sources.get(path)
        return source is not None and source.suffix != ".jinja"


def describe(answers: Answers) -> str:
    """The choices of a combination, briefly."""
    return ", ".join(f"{name}={value}" for name, value in answers.items() if isinstance(value, str))


def _digest(file: RenderedFile) -> str:
    return hashlib.sha256(bytes([file.executable]) + file.content).hexdigest()


def _render_batch(
    root: Path, batch: Sequence[Answers]
) -> tuple[list[tuple[Answers, dict[str, str]]], dict[str, RenderedFile], list[Finding]]:
    from mlops_new.engine import Renderer  # noqa: PLC0415 - only the workers need copier

    renderer = Renderer(root, "catalog", "0")
    trees: list[tuple[Answers, dict[str, str]]] = []
    contents: dict[str, RenderedFile] = {}
    failures: list[Finding] = []
    for answers in batch:
        try:
            rendering = renderer.render(answers)
        except KitError as error:
            failures.append(Finding("render", _failing_place(error), str(error), describe(answers)))
            continue
        hashes = {path: _digest(file) for path, file in rendering.tree.items()}
        contents |= {hashes[path]: file for path, file in rendering.tree.items()}
        trees.append((answers, hashes))
    return trees, contents, failures


def _failing_place(error: KitError) -> str:
    return error.message.partition(": ")[0]


def render_all(catalog: Catalog, patterns: Iterable[str], progress: Progress) -> Rendered:
    """Render every legal combination of the patterns' choice questions, in two processes."""
    combinations = [
        {"project_name": PROJECT, **combination}
        for pattern in patterns
        for combination in legal_combinations(catalog, catalog.organization, pattern)
    ]
    batches = [combinations[start : start + _BATCH] for start in range(0, len(combinations), _BATCH)]
    rendered = Rendered()
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_render_batch, catalog.root, batch) for batch in batches]
        for number, future in enumerate(futures):
            trees, contents, failures = future.result()
            rendered.trees += trees
            rendered.contents |= contents
            rendered.failures += failures
            progress("Rendering", (number + 1) * _BATCH, len(combinations))
    return rendered


def materialise(files: Mapping[str, RenderedFile], folder: Path) -> None:
    """Write files into a folder."""
    for path, file in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.content)
        target.chmod(0o755 if file.executable else 0o644)


def key_of(*parts: object) -> str:
    """A hash of anything that JSON can hold."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
