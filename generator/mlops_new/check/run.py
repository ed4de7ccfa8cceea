"""Proves a catalog as a whole."""

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlops_new.check.contents import ContentCheck
from mlops_new.check.effects import check_choices, check_texts
from mlops_new.check.findings import Finding, Progress
from mlops_new.check.full import check_projects
from mlops_new.check.rendered import Rendered, Sources, describe, key_of, materialise, render_all
from mlops_new.check.structure import STRUCTURE_CHECKS
from mlops_new.check.tools import (
    TOOLS,
    Tool,
    make_repository,
    relevant,
    run_tool,
    store_result,
    stored_result,
    tool_version,
)
from mlops_new.errors import AnswersError, nearest
from mlops_new.model import Catalog
from mlops_new.store import cache_folder

_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class Options:
    """What to check: patterns (all when empty), their own tests too or not, stored results or fresh ones."""

    patterns: tuple[str, ...] = ()
    full: bool = False
    use_cache: bool = True


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked and what was found."""

    combinations: int
    distinct_contents: int
    findings: tuple[Finding, ...]


def check_catalog(catalog: Catalog, options: Options, progress: Progress) -> CheckReport:
    """Check a catalog: its structure, every legal combination, and with `full` each pattern's own tests.

    Faults in the structure are reported alone, because what is rendered then means little.

    Raises:
        AnswersError: A pattern that the catalog has not.
        MissingExtraError: A tool that is not installed.
    """
    for name in options.patterns:
        if name not in catalog.patterns:
            raise AnswersError(f"The catalog has no pattern {name!r}.", nearest(name, catalog.patterns))
    for tool in TOOLS:
        tool_version(tool.package)
    structure = sorted({finding for check in STRUCTURE_CHECKS for finding in check(catalog)})
    if structure:
        return CheckReport(0, 0, tuple(structure))
    patterns = options.patterns or tuple(catalog.patterns)
    rendered = render_all(catalog, patterns, progress)
    findings = [*rendered.failures]
    if not rendered.failures:
        findings += [*check_choices(catalog, rendered), *check_texts(catalog), *_check_contents(catalog, rendered)]
        findings += _check_with_tools(catalog, rendered, options, progress)
        if options.full and not findings:
            findings += check_projects(rendered, patterns, progress)
    return CheckReport(len(rendered.trees), len(rendered.contents), _merged(findings))


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each fault once, with the first combination in which it was seen."""
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.check, finding.place, finding.message), finding)
    return tuple(sorted(first.values()))


def _check_contents(catalog: Catalog, rendered: Rendered) -> Iterator[Finding]:
    sources = Sources(catalog)
    check = ContentCheck(catalog, sources)
    for path, file, answers in rendered.distinct():
        for name, message in check.faults(path, file.content):
            yield Finding(name, sources.place(path), message, describe(answers))


def _check_with_tools(catalog: Catalog, rendered: Rendered, options: Options, progress: Progress) -> Iterator[Finding]:
    sources = Sources(catalog)
    work: list[tuple[Tool, list[int]]] = []
    for tool in TOOLS:
        numbers = rendered.covering(tool.prefixes)
        work += [(tool, [number]) for number in numbers] if tool.one_at_a_time else [(tool, numbers)]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        results = pool.map(lambda item: _tool_result(item[0], item[1], rendered, use_cache=options.use_cache), work)
        for done, ((tool, numbers), faults) in enumerate(zip(work, results, strict=True)):
            progress(tool.name, done + 1, len(work))
            for path, message in faults:
                yield Finding(tool.name, sources.place(path), message, describe(rendered.trees[numbers[0]][0]))


def _tool_result(tool: Tool, numbers: list[int], rendered: Rendered, *, use_cache: bool) -> list[tuple[str, str]]:
    trees = [relevant(tool, rendered.tree(number)) for number in numbers]
    seen = [{path: rendered.trees[n][1][path] for path in tree} for n, tree in zip(numbers, trees, strict=True)]
    key = key_of(tool.command[1:], tool_version(tool.package), _source_of_checks(), seen)
    folder = cache_folder() / "checks"
    known = stored_result(folder, key) if use_cache else None
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(prefix="mlops-new-check-") as name:
        place = Path(name)
        materialise({path: file for path, file in trees[0].items() if path.startswith(".")}, place)
        for number, tree in enumerate(trees):
            materialise(tree, place if tool.one_at_a_time else place / f"variant-{number}")
        make_repository(place)
        faults = sorted(set(run_tool(tool, place)))
    store_result(folder, key, faults)
    return faults


@cache
def _source_of_checks() -> str:
    return key_of(*(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))))
