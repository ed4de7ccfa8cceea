"""Proves a catalog as a whole."""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mlops_new.catalog import load_catalog
from mlops_new.check.contents import ContentCheck
from mlops_new.check.effects import check_choices, check_defaults, check_texts
from mlops_new.check.findings import Fault, Finding, Progress
from mlops_new.check.full import check_projects
from mlops_new.check.rendered import PACKAGE_NAME, Rendered, describe, key_of, materialise, render_all
from mlops_new.check.sources import Sources
from mlops_new.check.structure import STRUCTURE_CHECKS
from mlops_new.check.tools import (
    TOOLS,
    Tool,
    make_repository,
    relevant,
    run_tool,
    store_result,
    stored_result,
    versions,
)
from mlops_new.errors import AnswersError, CatalogError, nearest
from mlops_new.lint.processes import Programs
from mlops_new.model import Catalog
from mlops_new.store import cache_folder

_LONG = ("azureml", "terraform")
_AT_A_TIME = 2
_PLACED = re.compile(
    r"\A(?P<path>(?:templates/|copier\.yml|organization\.yml)[^:\s]*)(?P<line>:\d+)?:? (?P<problem>.*)"
)


@dataclass(frozen=True, slots=True)
class Options:
    """What to check: patterns (all when empty), their own tests too or not, stored results or fresh ones."""

    patterns: tuple[str, ...] = ()
    full: bool = False
    use_cache: bool = True


@dataclass(frozen=True, slots=True)
class Run:
    """A tool, its packages' versions, and how many rendered projects it was shown, now or before."""

    tool: str
    versions: tuple[str, ...]
    projects: int


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was checked, by which tools, what was found, and how many projects' own tests ran."""

    combinations: int
    distinct_contents: int
    findings: tuple[Finding, ...]
    runs: tuple[Run, ...] = ()
    projects: int = 0


def check_folder(root: Path, options: Options, progress: Progress) -> CheckReport:
    """Check the catalog in a folder; one that cannot be read is a finding at the place of its fault.

    Raises:
        CatalogError: The folder holds no catalog.
        AnswersError: A pattern that the catalog has not.
        MissingExtraError: A tool that is not installed.
    """
    try:
        catalog = load_catalog(root)
    except CatalogError as error:
        placed = _PLACED.match(error.message)
        if placed is None:
            raise
        said = re.search(r"line (\d+)", placed["problem"])
        line = placed["line"] or (f":{said.group(1)}" if said else "")
        message = f"{placed['problem'] if placed['line'] else error.message} {error.remedy}"
        return CheckReport(0, 0, (Finding("catalog", f"{placed['path']}{line}", message),))
    return check_catalog(catalog, options, progress)


def check_catalog(catalog: Catalog, options: Options, progress: Progress) -> CheckReport:
    """Check a catalog: its structure, every legal combination, and with `full` each pattern's own tests.

    Faults in the structure are reported alone, because what is rendered then means little; so are those of a
    render, and a pattern's own tests are run when all else is well.

    Raises:
        AnswersError: A pattern that the catalog has not.
        MissingExtraError: A tool that is not installed.
    """
    for name in options.patterns:
        if name not in catalog.patterns:
            raise AnswersError(f"The catalog has no pattern {name!r}.", nearest(name, catalog.patterns))
    installed = {tool.name: versions(tool) for tool in TOOLS}
    patterns = options.patterns or tuple(catalog.patterns)
    structure = [finding for check in STRUCTURE_CHECKS for finding in check(catalog)]
    structure = structure or list(check_defaults(catalog, patterns))
    if structure:
        return CheckReport(0, 0, _merged(structure))
    rendered = render_all(catalog, patterns, progress)
    if rendered.failures:
        return CheckReport(len(rendered.trees), len(rendered.contents), _merged(rendered.failures))
    plan = {tool: rendered.covering(tool.prefixes, tool.configured_by) for tool in TOOLS}
    findings = [
        *check_choices(catalog, rendered),
        *check_texts(catalog, rendered),
        *_check_contents(catalog, rendered),
        *_check_with_tools(Sources(catalog, PACKAGE_NAME), rendered, plan, options, progress),
    ]
    projects = 0
    if options.full and not findings:
        projects, findings = check_projects(rendered, progress, use_cache=options.use_cache)
    runs = tuple(Run(tool.name, installed[tool.name], len(numbers)) for tool, numbers in plan.items())
    return CheckReport(len(rendered.trees), len(rendered.contents), _merged(findings), runs, projects)


def _merged(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each fault once, with the first combination in which it was seen."""
    first: dict[tuple[str, str, str], Finding] = {}
    for finding in findings:
        first.setdefault((finding.check, finding.place, finding.message), finding)
    return tuple(sorted(first.values()))


def _check_contents(catalog: Catalog, rendered: Rendered) -> Iterator[Finding]:
    sources = Sources(catalog, PACKAGE_NAME)
    check = ContentCheck(catalog, sources)
    for path, file, answers in rendered.distinct():
        for name, line, message in check.faults(path, file.content):
            place, is_exact = sources.locate(path, line, file.content)
            yield Finding(name, place, _with_line(message, path, line, is_exact=is_exact), describe(answers))


def _with_line(message: str, path: str, line: int, *, is_exact: bool) -> str:
    """A sentence that names the rendered file's line, where the place cannot."""
    return message if is_exact or not line else f"Line {line} of the rendered {path}: {message}"


def _check_with_tools(
    sources: Sources, rendered: Rendered, plan: Mapping[Tool, list[int]], options: Options, progress: Progress
) -> Iterator[Finding]:
    work: list[tuple[Tool, list[int]]] = []
    for tool, numbers in sorted(plan.items(), key=lambda item: item[0].name not in _LONG):  # the longest first
        work += [(tool, [number]) for number in numbers] if tool.one_at_a_time else [(tool, numbers)] if numbers else []
    with ThreadPoolExecutor(_AT_A_TIME) as pool, Programs() as programs:
        jobs = [pool.submit(_tool_result, *item, rendered, programs, use_cache=options.use_cache) for item in work]
        try:
            for done, ((tool, numbers), job) in enumerate(zip(work, jobs, strict=True)):
                progress(tool.name, done, len(work))
                for fault in job.result():
                    answers, tree = rendered.trees[numbers[fault.variant]]
                    content = rendered.contents[tree[fault.path]].content if fault.path in tree else b""
                    place, is_exact = sources.locate(fault.path, fault.line, content)
                    message = _with_line(fault.message, fault.path, fault.line, is_exact=is_exact)
                    yield Finding(tool.name, place, message, describe(answers))
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _tool_result(
    tool: Tool, numbers: list[int], rendered: Rendered, programs: Programs, *, use_cache: bool
) -> list[Fault]:
    trees = [relevant(tool, rendered.tree(number)) for number in numbers]
    seen = [{path: rendered.trees[n][1][path] for path in tree} for n, tree in zip(numbers, trees, strict=True)]
    key = key_of(tool.command[1:], versions(tool), _source_of_checks(), seen)
    folder = cache_folder() / "checks"
    known = stored_result(folder, key) if use_cache else None
    if known is not None:
        return known
    with tempfile.TemporaryDirectory(prefix="mlops-new-check-", ignore_cleanup_errors=True) as name:
        place = Path(name)
        materialise(
            {path: file for path, file in trees[0].items() if tool.at_top and path.startswith(tool.at_top)}, place
        )
        for number, tree in enumerate(trees):
            materialise(tree, place if tool.one_at_a_time else place / f"variant-{number}")
        make_repository(place)
        faults = run_tool(tool, place, programs)
    if all(fault.path in trees[fault.variant] for fault in faults):  # else the tool failed, which may pass
        store_result(folder, key, faults)
    return faults


@cache
def _source_of_checks() -> str:
    return key_of(*(path.read_text(encoding="utf-8") for path in sorted(Path(__file__).parent.glob("*.py"))))
