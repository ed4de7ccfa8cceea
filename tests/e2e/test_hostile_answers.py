"""Any text is either refused by the name of its question, or enters every file of a project as that text."""

import ast
import json
import keyword
import re
import sys
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import pytest
import yaml
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from mlops_new.answers_file import load_answers_file
from mlops_new.engine import ANSWERS_FILE, Renderer
from mlops_new.errors import AnswersError
from mlops_new.model import Rendering
from ruamel.yaml import YAML

EXAMPLES = settings(max_examples=12, deadline=None, derandomize=True, database=None)
# Ends of quotes, of lines, of comments, of tags and of fences, in every language that a project holds.
FRAGMENTS = (
    *(
        '"',
        "'",
        "\\",
        "\\n",
        "\\u0041",
        '"""',
        "'''",
        "`",
        "```",
        "~~~",
        "{{ 7 * 7 }}",
        "{%",
        "%}",
        "{#",
        "#}",
        "${{ x }}",
    ),
    *(
        "#",
        " #",
        "# ",
        ": ",
        "- ",
        "* ",
        "1. ",
        "> ",
        "| ",
        "|",
        "---",
        "===",
        "<!--",
        "-->",
        "<script>",
        "</td>",
        "&amp;",
    ),
    *(
        "[x](y)",
        "![x](y)",
        "$HOME",
        "$(id)",
        "%PATH%",
        "!!python/object:os",
        "&a",
        "*a",
        "{a: b}",
        "[",
        "]",
        "}",
        "@",
        "?",
    ),
    *("null", "true", "no", "1e3", "0x1F", "2026-01-31", "~", "a", "é", "שלום", "مرحبا", "\u200b", "\u200d", "\u00a0"),
    *("\u3000", "\ufffd", "../", "..\\", "/etc/passwd", "C:\\", "CON", "x" * 500),
)
HOSTILE = (
    "\n",
    "\r",
    "\t",
    "\0",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "\u2028",
    "\u2029",
    "\ufeff",
    "\u202e",
    "\ud800",
    "😀",
    "\uffff",
)
VALID = MappingProxyType({
    "project_name": r"[a-z][a-z0-9]{2,9}(-[a-z0-9]{1,8}){0,2}",
    "owning_team": r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,5})?(/[A-Za-z0-9]{1,8}([._-][A-Za-z0-9]{1,5})?)?",
    "contact": r"[A-Za-z0-9]{1,8}([._+-][A-Za-z0-9]{1,4})?@[A-Za-z0-9]{1,8}\.[A-Za-z]{2,4}",
    "cost_centre": r"[A-Za-z0-9]([A-Za-z0-9._-]{0,30}[A-Za-z0-9])?",
    "name_prefix": r"([a-z][a-z0-9]{0,5})?",
})  # fmt: skip

anything = st.lists(st.sampled_from([*FRAGMENTS, *HOSTILE]) | st.text(max_size=5), max_size=6).map("".join)
carried = st.lists(
    st.sampled_from(FRAGMENTS)
    | st.text(st.characters(exclude_categories=["C", "Z"], max_codepoint=0xFFFF), max_size=5),
    min_size=1,
    max_size=6,
).map(lambda parts: "".join(parts)[:500].strip() or "x")
tag_names = st.from_regex(re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,10}", re.ASCII), fullmatch=True)


def near(question: str) -> st.SearchStrategy[str]:
    """Valid answers to a question, alone and with something behind them."""
    valid = st.from_regex(re.compile(VALID[question], re.ASCII), fullmatch=True)
    return st.one_of(valid, valid, st.tuples(valid, st.sampled_from([*FRAGMENTS, *HOSTILE])).map("".join), anything)


# --- What a tree says ---


@cache
def parsed(suffix: str, content: bytes) -> object:
    """A file's content; YAML as two versions of the language read it."""
    text = content.decode()
    if suffix == ".toml":
        return tomllib.loads(text)
    if suffix == ".json":
        return json.loads(text)
    if suffix == ".py":
        return ast.parse(text)
    newer, older = YAML(typ="safe", pure=True).load(text), yaml.safe_load(text)
    return [newer, older]


@cache
def plain(renderer: Renderer) -> Rendering:
    return renderer.render({})


def read(rendering: Rendering, path: str) -> object:
    return parsed(Path(path).suffix, rendering.tree[path].content)


def says(rendering: Rendering, path: str, *keys: str | int) -> set[str]:
    """The values that a file has under some keys, as every reader of it sees them."""
    documents = read(rendering, path)
    found = []
    for document in documents if isinstance(documents, list) else [documents]:
        for key in keys:
            document = document[key]  # noqa: PLW2901 - a walk down
        found.append(document)
    return {json.dumps(value, sort_keys=True) for value in found}


def is_(value: object) -> set[str]:
    return {json.dumps(value, sort_keys=True)}


def lines(rendering: Rendering, path: str) -> list[str]:
    return rendering.tree[path].content.decode().split("\n")


def assert_every_file_parses(rendering: Rendering) -> None:
    for path, file in rendering.tree.items():
        if Path(path).suffix in {".toml", ".json", ".py", ".yml", ".yaml"}:
            parsed(Path(path).suffix, file.content)
        if Path(path).suffix != ".csv":
            assert "\r" not in file.content.decode(), path


def assert_the_rest_is_as_ever(rendering: Rendering, renderer: Renderer) -> None:
    """No line more or less than with plain answers, and each Markdown page of the same blocks."""
    for path, file in plain(renderer).tree.items():
        if path in rendering.tree and path != ANSWERS_FILE:
            expected, found = file.content.decode(), rendering.tree[path].content.decode()
            if path.endswith(".md"):
                assert [t.type for t in blocks(found)] == [t.type for t in blocks(expected)], path
            elif "tags" not in expected:
                assert found.count("\n") == expected.count("\n"), path


def blocks(text: str) -> list:
    return MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(text)


def assert_stable(rendering: Rendering, renderer: Renderer, folder: Path) -> None:
    """The answers on record make the same tree again."""
    recorded = folder / "answers.yml"
    recorded.write_bytes(rendering.tree[ANSWERS_FILE].content)
    again = renderer.render(load_answers_file(recorded)).tree
    assert again.keys() == rendering.tree.keys()
    assert [path for path, file in again.items() if file != rendering.tree[path]] == []


def attempt(renderer: Renderer, answers: dict[str, object]) -> tuple[Rendering | None, str]:
    """The project with some answers, or the sentence that refuses them."""
    try:
        return renderer.render(answers), ""
    except AnswersError as error:
        return None, error.message


def render(renderer: Renderer, folder: Path, question: str, value: object) -> Rendering | None:
    """The project with an answer, or None where the answer is refused by the name of its question."""
    rendering, refused = attempt(renderer, {question: value})
    if rendering is None:
        assert question.rstrip("s") in refused, f"{refused} does not name {question}"
        assert refused.isprintable(), "a refused text cannot steer a terminal"
        return None
    assert_every_file_parses(rendering)
    assert_the_rest_is_as_ever(rendering, renderer)
    assert says(rendering, ANSWERS_FILE, question) == is_(rendering.answers[question])
    assert_stable(rendering, renderer, folder)
    return rendering


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("answers")


# --- Each question, and where its answer lands ---


def assert_description(rendering: Rendering, text: str) -> None:
    assert says(rendering, "pyproject.toml", "project", "description") == is_(text)
    assert says(rendering, "catalog-info.yaml", "metadata", "description") == is_(text)
    assert says(rendering, "governance/owners.yml", "purpose") == is_(text)
    for page in ("README.md", "governance/model-card.md"):
        shown = [token for token in blocks("\n".join(lines(rendering, page))) if token.type == "inline"]
        said = [token for token in shown if all(child.type == "text" for child in token.children)]
        assert text in ["".join(child.content for child in token.children) for token in said], page


@given(text=carried | anything)
@EXAMPLES
def test_a_description_says_the_same_everywhere_or_is_refused(renderer: Renderer, folder: Path, text: str) -> None:
    if rendering := render(renderer, folder, "description", text):
        assert_description(rendering, text)
    else:
        is_well_formed = text == text.strip() and 1 <= len(text) <= 500
        is_hostile = re.search(r"[^ -\ufffd]", text) or any(mark[0] in text for mark in HOSTILE)
        assert is_hostile or not is_well_formed, "a text that every file can carry was refused"


@given(text=carried)
@EXAMPLES
def test_a_description_without_control_characters_is_carried(renderer: Renderer, folder: Path, text: str) -> None:
    rendering = render(renderer, folder, "description", text)
    assert rendering, "refused"
    assert_description(rendering, text)


@given(text=carried | anything)
@EXAMPLES
def test_a_business_domain_says_the_same_everywhere_or_is_refused(renderer: Renderer, folder: Path, text: str) -> None:
    if rendering := render(renderer, folder, "business_domain", text):
        assert says(rendering, "governance/owners.yml", "business_domain") == is_(text)
        assert says(rendering, "catalog-info.yaml", "metadata", "annotations", "mlops/business-domain") == is_(text)
        assert says(rendering, "azureml/workspaces.yml", "tags", "business_domain") == is_(text[:256].strip())


@given(name=near("project_name"))
@EXAMPLES
def test_a_project_name_says_the_same_everywhere_or_is_refused(renderer: Renderer, folder: Path, name: str) -> None:
    if rendering := render(renderer, folder, "project_name", name):
        package = name.replace("-", "_")
        assert package.isidentifier()
        assert f"src/{package}/__init__.py" in rendering.tree
        assert says(rendering, "pyproject.toml", "project", "name") == is_(name)
        assert says(rendering, "catalog-info.yaml", "metadata", "name") == is_(name)
        assert says(rendering, "azureml/workspaces.yml", "model") == is_(name)
        assert says(rendering, "azureml/workspaces.yml", "tags", "project") == is_(name)
        assert says(rendering, "azureml/environments/environment.yml", "name") == is_(name)
        assert says(rendering, ".devcontainer/devcontainer.json", "name") == is_(name)
        assert f"# {name}" in lines(rendering, "README.md")
        for path in rendering.tree:
            assert ".." not in path.split("/")
            assert not path.startswith("/")


@given(team=near("owning_team"))
@EXAMPLES
def test_an_owning_team_says_the_same_everywhere_or_is_refused(renderer: Renderer, folder: Path, team: str) -> None:
    if rendering := render(renderer, folder, "owning_team", team):
        assert says(rendering, "governance/owners.yml", "team") == is_(team)
        assert says(rendering, "azureml/workspaces.yml", "tags", "team") == is_(team)
        assert says(rendering, "catalog-info.yaml", "spec", "owner") == is_(f"group:{team.rsplit('/', maxsplit=1)[-1]}")
        assert says(rendering, "pyproject.toml", "project", "authors", 0, "name") == is_(
            team.rsplit("/", maxsplit=1)[-1]
        )
        owned = [line for line in lines(rendering, ".github/CODEOWNERS") if line and not line.startswith("#")]
        assert owned[0] == f"* @{team}"
        assert all(re.fullmatch(r"\S+( @[A-Za-z0-9._/-]+)+", line) for line in owned)


@given(address=near("contact"))
@EXAMPLES
def test_a_contact_says_the_same_everywhere_or_is_refused(renderer: Renderer, folder: Path, address: str) -> None:
    if rendering := render(renderer, folder, "contact", address):
        assert says(rendering, "governance/owners.yml", "contact") == is_(address)
        assert says(rendering, "azureml/workspaces.yml", "tags", "contact") == is_(address)
        assert says(rendering, "catalog-info.yaml", "metadata", "links", 0, "url") == is_(f"mailto:{address}")
        assert says(rendering, "pyproject.toml", "project", "authors", 0, "email") == is_(address)
        incident = read(rendering, ".github/ISSUE_TEMPLATE/incident.yml")
        assert f"Tell {address}. " in json.dumps(incident)


@given(code=near("cost_centre"))
@EXAMPLES
def test_a_cost_centre_says_the_same_everywhere_or_is_refused(renderer: Renderer, folder: Path, code: str) -> None:
    if rendering := render(renderer, folder, "cost_centre", code):
        assert says(rendering, "governance/owners.yml", "cost_centre") == is_(code)
        assert says(rendering, "azureml/workspaces.yml", "tags", "cost_centre") == is_(code)
        assert says(rendering, "catalog-info.yaml", "metadata", "annotations", "mlops/cost-centre") == is_(code)


@given(prefix=near("name_prefix"))
@EXAMPLES
def test_a_name_prefix_stands_in_every_resources_name_or_is_refused(
    renderer: Renderer, folder: Path, prefix: str
) -> None:
    if rendering := render(renderer, folder, "name_prefix", prefix):
        workload = f"{prefix}-credit-scoring".removeprefix("-")
        assert says(rendering, "azureml/workspaces.yml", "registry") == is_(f"mlr-{workload}"[:33].rstrip("-"))
        group = says(rendering, "azureml/workspaces.yml", "workspaces", "prod", "resource_group")
        assert group == is_(f"rg-{workload}-prod-weu")


@given(tags=st.dictionaries(tag_names, carried, max_size=3) | st.dictionaries(anything, anything, max_size=2))
@EXAMPLES
def test_tags_say_the_same_everywhere_or_are_refused(renderer: Renderer, folder: Path, tags: dict[str, str]) -> None:
    own = {"project", "team", "contact", "cost_centre", "classification", "business_domain"}
    if rendering := render(renderer, folder, "tags", json.dumps(tags)):
        for name in tags.keys() - own:
            for path in ("azureml/workspaces.yml", "azureml/pipelines/training.yml", "azureml/data/raw.yml"):
                assert says(rendering, path, "tags", name) == is_(tags[name])


@given(text=anything)
@EXAMPLES
def test_tags_that_are_any_text_are_refused_or_carried(renderer: Renderer, folder: Path, text: str) -> None:
    render(renderer, folder, "tags", text)


# --- Named cases ---


@pytest.mark.parametrize("mark", HOSTILE)
@pytest.mark.parametrize("question", ["description", "business_domain"])
def test_a_character_that_some_file_cannot_carry_is_refused(question: str, mark: str, renderer: Renderer) -> None:
    with pytest.raises(AnswersError, match=question):
        renderer.render({question: f"a{mark}b"})


@pytest.mark.parametrize(
    ("question", "value"),
    [
        *(("description", text) for text in ("", " ", " a", "a ", "x" * 501, "\u3000a")),
        *(("project_name", name) for name in ("", "ab", "a" * 31, "Credit", "1st", "a--b", "a-", "-ab", "a_b", "a b")),
        *(("project_name", name) for name in ("../evil", "/etc", "a/b", "c:d", "..", "abc\n", "über", "abc\u0301")),
        *(("project_name", name) for name in ("con", "prn", "aux", "nul", "com1", "lpt9", "null", "yes", "off", "src")),
        *(("owning_team", team) for team in ("", "@contoso", "a/b/c", "a b", "a\n* @evil", "a,b", "a#b", "-a", "a/")),
        *(("contact", address) for address in ("", "a", "a@b", "a b@c.de", "a@b.c\n", '"a"@b.de', "a@b.de,c@d.ef")),
        *(("cost_centre", code) for code in ("", "-", "a b", 'a"b', "a\n", "x" * 33, "ü")),
        *(("name_prefix", prefix) for prefix in ("CT", "1a", "abcdefg", "a-b", " ", "a\n")),
        *(("tag", text) for text in ("[]", "a", "{a: 1}", "{a: [b]}", "{a: null}", "{1: a}", "{on: a}", "{Null: a}")),
        *(("tag", text) for text in ("{'a b': c}", "{a: ''}", "{a: ", "!!python/object:os.system {}", '{"a": "\\n"}')),
        ("tag", "{date: 2026-01-31}"),
    ],
)
def test_a_malformed_answer_is_refused_by_name(question: str, value: str, renderer: Renderer) -> None:
    with pytest.raises(AnswersError) as refused:
        renderer.render({"tags" if question == "tag" else question: value})
    assert question in refused.value.message
    assert refused.value.remedy


def fits(name: str) -> bool:
    return bool(re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", name)) and 3 <= len(name) <= 30


def test_a_keyword_a_standard_module_and_every_imported_package_is_no_project_name(renderer: Renderer) -> None:
    trees = [read(plain(renderer), path) for path in plain(renderer).tree if path.endswith(".py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    modules = {name.split(".")[0] for name in imported} - {"credit_scoring", "conftest", "fake_az"}
    pins = [json.loads(path.read_text()) for path in (ROOT / "templates" / "pins").glob("*-py3*.json")]
    pinned = {pin.split("==")[0].replace("-", "_").lower() for lists in pins for pin in chain(*lists.values())}
    assert "requests" in pinned
    names = sorted(filter(fits, {*keyword.kwlist, *sys.stdlib_module_names, *modules, *pinned}))
    refused = set((ROOT / "templates/catalog/python-names.txt").read_text().split())
    assert [name for name in names if name not in refused | {"site"}] == []
    for name in ("class", "json", "concurrent", "lightgbm", "typing-extensions", "mlflow", "requests"):
        with pytest.raises(AnswersError, match="project_name"):
            renderer.render({"project_name": name})


@pytest.mark.parametrize(
    "text",
    ["``` and on", "<!-- hidden", "# Title", "- item", "1. item", "| a | b |", "[a](javascript:b)", "**a**", "---",
     "<script>alert(1)</script>", "&lt;", "a \\", "~~a~~", "    code", "> quote", "a\u200b", "x" * 500, "=== ", "$x$"],
)  # fmt: skip
def test_markdown_in_a_description_is_shown_as_it_was_written(text: str, renderer: Renderer, folder: Path) -> None:
    rendering = render(renderer, folder, "description", text.strip())
    assert rendering
    assert_description(rendering, text.strip())


def test_jinja_in_an_answer_is_text(renderer: Renderer, folder: Path) -> None:
    text = "{{ 7 * 7 }} {% raw %} {{ cookiecutter }} {# x #} ${{ secrets.X }}"
    rendering = render(renderer, folder, "description", text)
    assert rendering
    assert_description(rendering, text)
