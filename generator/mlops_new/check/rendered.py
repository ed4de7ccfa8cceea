"""Every legal combination, rendered in memory, with each distinct content kept once."""

import hashlib
import json
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from traceback import extract_tb

from jinja2 import TemplateError, TemplateSyntaxError

from mlops_new.answers import legal_combinations
from mlops_new.check.findings import Finding, Progress
from mlops_new.check.structure import LAYERS, QUESTIONS
from mlops_new.errors import KitError
from mlops_new.model import Answers, Catalog, RenderedFile

_WORKERS = 2
_BATCH = 60
PROJECT = "check-project"
PACKAGE_NAME = PROJECT.replace("-", "_")

Batch = tuple[list[tuple[Answers, dict[str, str]]], dict[str, RenderedFile], list[Finding]]


@dataclass
class Rendered:
    """All projects of a catalog: `trees` gives each combination's paths with the hash of each content."""

    trees: list[tuple[Answers, dict[str, str]]] = field(default_factory=list)
    contents: dict[str, RenderedFile] = field(default_factory=dict)
    failures: list[Finding] = field(default_factory=list)

    def tree(self, number: int) -> dict[str, RenderedFile]:
        """The files of a combination."""
        return {path: self.contents[digest] for path, digest in self.trees[number][1].items()}

    def covering(self, prefixes: Sequence[str], configured_by: Sequence[str] = ()) -> list[int]:
        """Few combinations that hold, together, each distinct content of the paths with one of the prefixes.

        Args:
            prefixes: How the paths begin.
            configured_by: How those paths begin whose content decides what is right in the others: each content of
                the others must stand beside each content of these that it meets.
        """
        wanted = []
        for _, tree in self.trees:
            decided = frozenset(
                item for item in tree.items() if configured_by and item[0].startswith((*configured_by,))
            )
            wanted.append({(item, decided) for item in tree.items() if item[0].startswith((*prefixes,))})
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


def describe(answers: Answers) -> str:
    """The choices of a combination, briefly."""
    return ", ".join(f"{name}={value}" for name, value in answers.items() if isinstance(value, str))


def _digest(file: RenderedFile) -> str:
    return hashlib.sha256(bytes([file.executable]) + file.content).hexdigest()


def _render_batch(root: Path, batch: Sequence[Answers]) -> Batch:
    from mlops_new.engine import Renderer  # noqa: PLC0415 - only who renders needs copier

    renderer = Renderer(root, "catalog", "0")
    trees: list[tuple[Answers, dict[str, str]]] = []
    contents: dict[str, RenderedFile] = {}
    failures: list[Finding] = []
    for answers in batch:
        try:
            rendering = renderer.render(answers)
        except (KitError, TemplateError) as error:
            failures.append(Finding("render", failing_place(error), failure(error), describe(answers)))
            continue
        hashes = {path: _digest(file) for path, file in rendering.tree.items()}
        contents |= {hashes[path]: file for path, file in rendering.tree.items()}
        trees.append((answers, hashes))
    return trees, contents, failures


def failing_place(error: KitError | TemplateError) -> str:
    """The file of the catalog that does not render, with the line where Jinja tells it."""
    cause = error if isinstance(error, TemplateError) else error.__cause__
    if not isinstance(cause, TemplateError):
        return QUESTIONS
    if isinstance(cause, TemplateSyntaxError) and cause.name:
        return f"{_in_catalog(cause.name)}:{cause.lineno}"
    templates = [frame for frame in extract_tb(cause.__traceback__) if "templates/" in frame.filename]
    if templates:
        return f"{_in_catalog(templates[-1].filename)}:{templates[-1].lineno}"
    return _in_catalog(str(error).partition(": ")[0]) if isinstance(error, KitError) else QUESTIONS


def _in_catalog(name: str) -> str:
    """A path of the catalog from what Jinja or copier calls a file, which may start in the catalog's layers."""
    _, found, rest = name.rpartition("templates/")
    return f"templates/{rest}" if found else f"{LAYERS}/{name}"


def failure(error: KitError | TemplateError) -> str:
    """What is wrong, as a sentence."""
    if isinstance(error, KitError):
        return str(error)
    return f"{str(error).rstrip('.')}. Mend the file in the catalog."


def render_all(catalog: Catalog, patterns: Iterable[str], progress: Progress) -> Rendered:
    """Render every legal combination of the patterns' choice questions, in two processes if they are many."""
    combinations = [
        {"project_name": PROJECT, **combination}
        for pattern in patterns
        for combination in legal_combinations(catalog, catalog.organization, pattern)
    ]
    batches = [combinations[start : start + _BATCH] for start in range(0, len(combinations), _BATCH)]
    rendered = Rendered()
    for number, (trees, contents, failures) in enumerate(_batches(catalog.root, batches)):
        rendered.trees += trees
        rendered.contents |= contents
        rendered.failures += failures
        progress("Rendering", min((number + 1) * _BATCH, len(combinations)), len(combinations))
    return rendered


def _batches(root: Path, batches: Sequence[Sequence[Answers]]) -> Iterator[Batch]:
    if len(batches) < _WORKERS:  # another process takes longer to start than this one to render
        yield from (_render_batch(root, batch) for batch in batches)
        return
    ignoring = (signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group, but only this process answers it
    context = get_context("spawn")
    with ProcessPoolExecutor(_WORKERS, mp_context=context, initializer=signal.signal, initargs=ignoring) as pool:
        futures = [pool.submit(_render_batch, root, batch) for batch in batches]
        try:
            yield from (future.result() for future in futures)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


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
