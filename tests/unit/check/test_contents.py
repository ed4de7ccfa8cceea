"""Each rule about the content of a single rendered file: what it refuses, and what it lets pass."""

import re
from pathlib import Path

import pytest
from mlops_new.check import contents
from mlops_new.check.contents import CHECKS, ContentCheck
from mlops_new.check.sources import Sources
from mlops_new.model import Catalog

PINNED = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
WORKFLOW = ".github/workflows/x.yml"


@pytest.fixture(scope="module")
def check(catalog: Catalog) -> ContentCheck:
    return ContentCheck(catalog, Sources(catalog, "check_project"))


@pytest.mark.parametrize(
    ("path", "content", "name", "line"),
    [
        ("a.md", b"# A\n\nOf {{ contact }}.\n", "leftover", 3),
        ("a.md", b"{% if x %}\n", "leftover", 1),
        ("a.md", b"{# a remark #}\n", "leftover", 1),
        (".editorconfig", b"owner = {{ contact }}\n", "leftover", 1),
        ("a.md", b"one\r\ntwo\r\n", "layout", 1),
        ("a.md", b"one\ntwo", "layout", 2),
        ("a.md", b"one\n\n", "layout", 2),
        ("a.md", b"\none\n", "layout", 1),
        ("a.md", b"one\n\n\ntwo\n", "layout", 3),
        ("a.py", b"A = 1\n\n\n\nB = 2\n", "layout", 4),
        ("a.md", b"one \n", "layout", 1),
        ("a.md", b"\xff\xfe\n", "text", 0),
        ("a.py", b"def f(:\n", "syntax", 1),
        ("a.yml", b"a: 1\nb: [\n", "syntax", 3),
        ("a.json", b'{"a": }\n', "syntax", 1),
        ("a.toml", b"a = \n", "syntax", 1),
        (WORKFLOW, b"- uses: actions/checkout@v4\n", "pinned-action", 1),
        (WORKFLOW, b"- uses: actions/checkout@3d3c42e # v4\n", "pinned-action", 1),
        (WORKFLOW, f"- uses: {PINNED}\n".encode(), "pinned-action", 1),
        (WORKFLOW, b"- uses: docker://alpine:3\n", "pinned-action", 1),
        (".github/actions/a/action.yml", b"- uses: a/b@main\n", "pinned-action", 1),
        ("docs/aux.md", b"one\n", "path", 0),
        ("docs/a:b.md", b"one\n", "path", 0),
        ("docs/end.", b"one\n", "path", 0),
        ("d/" * 80 + "a.md", b"one\n", "path", 0),
    ],
)
def test_a_fault_is_found_on_its_line(check: ContentCheck, path: str, content: bytes, name: str, line: int) -> None:
    assert (name, line) in [(found, number) for found, number, _ in check.faults(path, content)]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("a.md", b"# A\n\nText.\n"),
        ("a.md", b""),
        ("a.py", b"A = 1\n\n\nB = 2\n"),
        ("a.yml", b"a: ${{ inputs.x }}\n"),
        ("a.py", b'A = f"${{{{inputs.{1}}}}}"\n'),
        ("a.sh", b'echo "${#LIST[@]}"\n'),
        (".editorconfig", b"a = {{ not_a_question_of_ours }}\n"),
        ("a.png", b"\x89PNG\r\n {{ contact }}"),
        (".devcontainer/devcontainer.json", b'{\n  // why\n  "a": 1\n}\n'),
        (WORKFLOW, f"- uses: {PINNED} # v7.0.1\n".encode()),
        (WORKFLOW, b"- uses: ./.github/actions/setup\n"),
        (WORKFLOW, b"- uses: docker://alpine@sha256:" + b"a" * 64 + b" # v3\n"),
        ("docs/auxiliary.md", b"one\n"),
    ],
)
def test_what_is_in_order_passes(check: ContentCheck, path: str, content: bytes) -> None:
    assert list(check.faults(path, content)) == []


def test_each_id_is_described() -> None:
    source = Path(contents.__file__).read_text(encoding="utf-8")
    yielded = set(re.findall(r'yield "([a-z-]+)", ', source))
    assert yielded == set(CHECKS)
