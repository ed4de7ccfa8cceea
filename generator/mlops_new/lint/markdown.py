"""Checks of Markdown: links within the folder, anchors, fences and headings.

The known linters judge style, and follow no link to a file; what breaks a reader's way is checked here.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from mlops_new.lint.diagnostics import Diagnostic

_FENCE = re.compile(r"^\s{0,3}(```+|~~~+)(.*)$")
_LINK = re.compile(r"(?<!\\)!?\[(?:[^\]\\]|\\.)*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_CODE = re.compile(r"(`+)(?:(?!\1).)+\1")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
_REMOTE = re.compile(r"\A(?:[a-z][a-z0-9+.-]*:|//)")
_MARKUP = re.compile(r"[^\w\- ]")


def check_markdown(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """What is wrong in each page."""
    for path in paths:
        yield from _page_faults(folder, path)


def _page_faults(folder: Path, path: str) -> Iterator[Diagnostic]:
    prose, opened = _prose((folder / path).read_text(encoding="utf-8"))
    if opened:
        yield Diagnostic(path, opened, "markdown-fence", "high", "The fence that opens here is never closed: close it.")
    titles = [number for number, line in prose if (match := _HEADING.match(line)) and len(match[1]) == 1]
    for number in titles[1:]:
        yield Diagnostic(path, number, "markdown-title", "low", "The page has a second title: make it a section.")
    for number, line in prose:
        for target in _LINK.findall(_CODE.sub("", line)):
            problem = _link_problem(folder, path, target)
            if problem:
                yield Diagnostic(path, number, "markdown-link", "medium", problem)


def _prose(text: str) -> tuple[list[tuple[int, str]], int]:
    """The numbered lines outside of fences, and the line of a fence that stays open, or 0."""
    lines: list[tuple[int, str]] = []
    fence, opened = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        match = _FENCE.match(line)
        if not fence and match:
            fence, opened = match[1], number
        elif fence and match and match[1].startswith(fence) and not match[2].strip():
            fence, opened = "", 0
        elif not fence:
            lines.append((number, line))
    return lines, opened


def _link_problem(folder: Path, path: str, target: str) -> str:
    if _REMOTE.match(target):
        return ""
    name, _, anchor = target.partition("#")
    page = folder / path if not name else (folder / path).parent / name
    if not page.exists():
        return f"The link leads to {name}, which does not exist: correct it."
    if anchor and page.suffix == ".md" and anchor.lower() not in _anchors(page):
        return f"The link leads to #{anchor}, which {page.name} has not: correct it."
    return ""


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the hosts of repositories make them."""
    found: dict[str, int] = {}
    anchors = set()
    for _, line in _prose(page.read_text(encoding="utf-8"))[0]:
        match = _HEADING.match(line)
        if match:
            slug = _MARKUP.sub("", match[2].lower()).replace(" ", "-")
            count = found.get(slug, 0)
            found[slug] = count + 1
            anchors.add(f"{slug}-{count}" if count else slug)
    return anchors
