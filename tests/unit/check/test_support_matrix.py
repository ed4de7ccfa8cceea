"""The support matrix: equal to the plain definition, short where it is shown."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from mlops_new.answers import combinations, nearest_legal, refusals
from mlops_new.model import Catalog, LocalCost, Organization, Pattern, Place, Question, Rule
from mlops_new.support import deciding_questions, grouped, support_matrix

HERE = Place("x.yml", 1)
NAMES = ("ci", "iac", "tier", "region")
VALUES = ("a", "b", "c")


def question(name: str, values: tuple[str, ...]) -> Question:
    choices = dict(zip(values, values, strict=True))
    return Question(
        name, "str", "", choices, values[0], has_default=True, is_computed=False, is_conditional=False, place=HERE
    )


def pattern(name: str, allowed: dict[str, tuple[str, ...]]) -> Pattern:
    cost = LocalCost(1, 1)
    return Pattern(name, "", "", "stable", "0", (), (), (), (), allowed, {}, (), cost, HERE)


def made(
    questions: dict[str, tuple[str, ...]],
    allowed: dict[str, tuple[str, ...]],
    rules: list[Rule],
    require: dict[str, str],
    forbid: dict[str, tuple[str, ...]],
) -> Catalog:
    asked = {name: question(name, values) for name, values in questions.items()}
    return Catalog(
        root=Path(),
        questions={"pattern": question("pattern", ("one",)), **asked},
        patterns={"one": pattern("one", allowed)},
        layers={},
        rules=tuple(rules),
        layering={},
        seed=(),
        shared=(),
        organization=Organization({}, require, forbid, "", {}, "organization.yml"),
    )


some = st.lists(st.sampled_from(VALUES), min_size=1, max_size=3, unique=True).map(tuple)
about = st.dictionaries(st.sampled_from(NAMES), some, max_size=2)
rule = st.builds(Rule, st.sampled_from(NAMES), about, some, st.sampled_from(["Because.", "So it is."]))
catalogs = st.builds(
    made,
    questions=st.fixed_dictionaries(dict.fromkeys(NAMES, some)),
    allowed=about,
    rules=st.lists(rule, max_size=4),
    require=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), max_size=1),
    forbid=about,
)


@settings(max_examples=150, deadline=None)
@given(catalogs)
def test_the_matrix_is_what_the_plain_definition_says(catalog: Catalog) -> None:
    organization = catalog.organization
    expected = []
    for answers in combinations(catalog, "one"):
        wrong = refusals(catalog, organization, answers)
        legal = nearest_legal(catalog, organization, answers) if wrong else None
        nearest = {name: value for name, value in (legal or {}).items() if answers[name] != value}
        expected.append((answers, not wrong, nearest))
    assert [(row.answers, row.is_legal, row.nearest) for row in support_matrix(catalog)] == expected


@settings(max_examples=100, deadline=None)
@given(catalogs)
def test_a_question_that_is_not_shown_changes_no_verdict(catalog: Catalog) -> None:
    matrix = support_matrix(catalog)
    names = {shown.name for shown in deciding_questions(catalog, "one")}
    verdicts: dict[tuple[object, ...], set[bool]] = {}
    for row in matrix:
        verdicts.setdefault(tuple(row.answers[name] for name in sorted(names)), set()).add(row.is_legal)
    assert all(len(found) == 1 for found in verdicts.values())


@settings(max_examples=100, deadline=None)
@given(catalogs)
def test_the_rows_that_are_shown_hold_every_combination_once(catalog: Catalog) -> None:
    matrix = support_matrix(catalog)
    groups = grouped(catalog, matrix)
    assert sum(group.count for group in groups) == len(matrix)
    for row in matrix:
        holding = [
            group
            for group in groups
            if all(row.answers[name] in values for name, values in group.values.items())
            and (not group.reason) == row.is_legal
            and group.nearest == row.nearest
        ]
        assert holding, row


def test_the_real_catalog_is_shown_in_few_rows_of_what_decides(catalog: Catalog) -> None:
    groups = grouped(catalog, support_matrix(catalog))
    shown = [name.name for name in deciding_questions(catalog, "batch-scoring")]
    assert shown == ["data_classification", "environments"]
    assert [bool(group.reason) for group in groups] == [False, False, True]
    assert groups[-1].nearest == {"environments": "dev_test_prod"}
    assert groups[-1].values["data_classification"] == ("confidential", "restricted")
