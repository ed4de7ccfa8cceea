"""Every error says what is wrong and what to do, leaves with its code, and knows the nearest word."""

import ast
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mlops_new import errors
from mlops_new.errors import KitError, MissingExtraError, nearest
from mlops_new.rehearse import azure_pipelines  # it has an error of its own

PACKAGE = Path(errors.__file__).parent
KINDS = sorted(KitError.__subclasses__(), key=lambda kind: kind.__name__)
WORDS = ("azure_region", "business_domain", "contact", "data_classification", "environments", "python_version")


def raised() -> list[tuple[str, ast.Call]]:
    """Each place of the package in which an error is made."""
    names = {kind.__name__ for kind in KINDS} - {"MissingExtraError"}
    modules = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    return [
        (f"{path.relative_to(PACKAGE)}:{node.lineno}", node)
        for path, tree in modules.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names
    ]


def last_part(node: ast.expr) -> str | None:
    """The end of a text where it is written out; None where it is computed."""
    last = node.values[-1] if isinstance(node, ast.JoinedStr) else node
    return last.value if isinstance(last, ast.Constant) and isinstance(last.value, str) else None


def test_an_error_keeps_both_sentences_and_shows_them_in_order() -> None:
    error = KitError("The oven is cold.", "Heat it.")
    assert (error.message, error.remedy, str(error)) == ("The oven is cold.", "Heat it.", "The oven is cold. Heat it.")


def test_the_users_mistakes_leave_with_another_code_than_failures() -> None:
    codes = {kind.__name__: kind.exit_code for kind in KINDS}
    assert azure_pipelines.PipelineError in KINDS
    assert codes == {
        "AnswersError": errors.USAGE,
        "CatalogError": errors.FAILED,
        "MissingExtraError": errors.FAILED,
        "PipelineError": errors.FAILED,
        "TargetError": errors.USAGE,
        "ToolError": errors.FAILED,
    }


def test_the_exit_codes_are_distinct() -> None:
    codes = (errors.DONE, errors.FAILED, errors.USAGE, errors.REFUSED, errors.INTERRUPTED)
    assert codes == (0, 1, 2, 3, 130)


def test_a_missing_extra_is_installed_by_the_command_that_it_gives() -> None:
    error = MissingExtraError("check", "mlops-new check")
    assert str(error) == "mlops-new check needs the extra [check]. Install it: pip install 'mlops-new[check]'."


@pytest.mark.parametrize(("place", "call"), raised(), ids=[place for place, _ in raised()])
def test_every_error_of_the_package_has_a_sentence_and_a_remedy(place: str, call: ast.Call) -> None:
    assert len(call.args) == 2, f"{place} has no remedy"
    assert not call.keywords
    for text in call.args:
        last = last_part(text)
        assert last is None or last.endswith((".", "?")), f"{place} ends without a full stop: {last!r}"


@given(word=st.sampled_from(WORDS), data=st.data())
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_a_word_with_one_letter_wrong_is_recognised(word: str, data: st.DataObject) -> None:
    position = data.draw(st.integers(0, len(word) - 1))
    letter = data.draw(st.sampled_from(["", *"abcxyz_"]))
    kept = data.draw(st.integers(position, position + 1))  # a letter put in, or one replaced or left out
    wrong = word[:position] + letter + word[kept:]
    assert nearest(wrong, WORDS) == f"Did you mean {word!r}?"


@given(known=st.sets(st.text("abc", min_size=1, max_size=5), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None, derandomize=True, database=None)
def test_a_word_like_no_other_gets_all_of_them_in_order(known: set[str]) -> None:
    assert nearest("zzzzzz", known) == f"Known are {', '.join(sorted(known))}."
