"""The reference is what the code and the catalog say, and nothing is missing from it."""

import importlib.util
from pathlib import Path

import pytest
import typer
from mlops_new.check.tools import TOOLS
from mlops_new.cli import app
from mlops_new.model import Catalog

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def generated() -> dict[str, str]:
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    return reference.pages()


def test_each_committed_page_is_the_generated_one(generated: dict[str, str]) -> None:
    committed = {
        path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
        for path in (ROOT / "docs" / "reference").iterdir()
    }
    assert committed == generated, "Run python tools/reference.py."


def test_each_command_with_each_of_its_options_is_there(generated: dict[str, str]) -> None:
    page = generated["docs/reference/commands.md"]
    for name, command in typer.main.get_command(app).commands.items():
        assert f"## `mlops-new {name}`" in page
        assert all(option in page for param in command.params for option in param.opts if option.startswith("-"))


def test_the_exit_codes_are_there(generated: dict[str, str]) -> None:
    for row in ("| 0 | done |", "| 3 | a check said no |", "| 130 | interrupted |"):
        assert row in generated["docs/reference/commands.md"]


def test_each_question_pattern_and_layer_is_there(generated: dict[str, str], catalog: Catalog) -> None:
    asked = [name for name, question in catalog.questions.items() if question.is_asked]
    assert [name for name in asked if f"## `{name}`\n" not in generated["docs/reference/questions.md"]] == []
    for pattern in catalog.patterns.values():
        assert f"## {pattern.title}\n" in generated["docs/reference/patterns.md"]
        assert all(f"| {layer} |" in generated["docs/reference/patterns.md"] for layer in pattern.layers)


def test_each_refusal_of_a_rule_is_there_with_its_reason(generated: dict[str, str], catalog: Catalog) -> None:
    assert all(rule.reason in generated["docs/reference/questions.md"] for rule in catalog.rules)


def test_each_check_and_tool_is_there(generated: dict[str, str]) -> None:
    ids = {"names", "unused-layer", "one-owner", "default", "values", "pure", "update", "no-effect"}
    ids |= {"layout", "leftover", "path", "pinned-action", "syntax", "text", "project", *(tool.name for tool in TOOLS)}
    assert [name for name in sorted(ids) if f"| {name} |" not in generated["docs/reference/checks.md"]] == []
