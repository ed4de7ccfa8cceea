"""The expressions of Azure Pipelines: their values, and what is refused."""

import re

import pytest
from mlops_new.rehearse.azure_pipelines_evaluate import evaluate
from mlops_new.rehearse.azure_pipelines_expressions import ExpressionError, parse_expression
from mlops_new.rehearse.azure_pipelines_functions import words

VALUES = {
    "variables": {"code": "true", "Gate.Outcome": "promote", "empty": "", "number": "3"},
    "dependencies": {"a": {"result": "Skipped", "outputs": {"b.c.d": "x"}}},
}
ROOTS = ["variables", "dependencies"]


def value(text: str) -> object:
    return evaluate(parse_expression(text, ROOTS, has_status=False), VALUES)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("eq('Main', 'mAIN')", True),
        ("eq(variables['code'], 'true')", True),
        ("eq(variables.CODE, true)", True),
        ("eq(true, variables['code'])", True),
        ("eq(true, 'false')", True),  # a text that is not empty is true
        ("eq(false, '')", True),
        ("eq(variables['nothing'], '')", True),
        ("eq(variables['empty'], null)", True),
        ("eq(variables['nothing'], 'x')", False),
        ("ne(variables['nothing'], 'True')", True),
        ("eq(3, variables['number'])", True),
        ("eq(variables['number'], 3)", True),
        ("eq(3, 'three')", False),
        ("ne(3, 'three')", True),
        ("gt(10, '9')", True),
        ("gt('10', 9)", False),  # as texts
        ("lt(3, 'three')", False),
        ("ge(3, 3)", True),
        ("le(4, 3)", False),
        ("and(true, 'x', 1)", True),
        ("and(true, '')", False),
        ("or(false, null, 0)", False),
        ("not(or(false, 'a'))", False),
        ("xor(true, false)", True),
        ("in(dependencies.a.result, 'Succeeded', 'skipped')", True),
        ("notIn(dependencies.a.result, 'Succeeded', 'skipped')", False),
        ("dependencies.a.outputs['b.c.d']", "x"),
        ("dependencies.a.outputs['b.c.e']", None),
        ("contains(variables['gate.outcome'], 'MOTE')", True),
        ("startsWith('refs/heads/main', 'refs/heads')", True),
        ("endsWith('refs/heads/main', '/head')", False),
        ("coalesce(variables['empty'], variables['nothing'], 'last')", "last"),
        ("format('{0}-{{1}}-{1}', 'a', 2)", "a-{1}-2"),
        ("lower('A')", "a"),
        ("upper('a')", "A"),
        ("trim(' a ')", "a"),
        ("replace('a-b', '-', '+')", "a+b"),
        ("length('abc')", 3.0),
        ("iif(eq(1, 1), 'yes', 'no')", "yes"),
        ("'it''s'", "it's"),
    ],
)
def test_an_expression_has_the_value_that_the_service_gives_it(text: str, wanted: object) -> None:
    assert value(text) == wanted


@pytest.mark.parametrize(("data", "text"), [(True, "True"), (None, ""), (2.0, "2"), (2.5, "2.5"), ("x", "x")])
def test_a_value_becomes_the_text_that_the_service_writes(data: object, text: str) -> None:
    assert words(data) == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("equals('a', 'b')", "no function equals"),
        ("succeeded()", "no function succeeded"),
        ("counter('a', 1)", "no function counter"),
        ("pipeline.startTime", "pipeline is neither"),
        ("eq('a')", "takes 2 arguments, not 1"),
        ("and(true)", "takes 2 or more arguments"),
        ("eq('a', 'b'", "a closing parenthesis is missing before the end"),
        ("eq('a' 'b')", "a comma or a closing"),
        ("eq('a', 'b') eq", "should end"),
        ('eq("a", 1)', "cannot be read"),
        ("a == 'b'", "cannot be read"),
        ("variables.", "a name is missing"),
        ("eq('a',)", "a value is missing"),
        ("", "a value is missing"),
        ("$(code)", "cannot be read"),
    ],
)
def test_what_is_no_expression_is_refused_with_the_reason(text: str, part: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(part)):
        value(text)


def test_a_misspelt_function_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ExpressionError) as error:
        parse_expression("suceeded()", ROOTS, has_status=True)
    assert error.value.remedy == "Did you mean 'succeeded'?"
