"""The support matrix: every combination of a catalog's axes, legal or refused with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_new.answers import combinations, nearest_legal, refusals
from mlops_new.model import Answers, Catalog, Question


@dataclass(frozen=True, slots=True)
class Support:
    """A combination; `reason` and `nearest` are empty when it is legal."""

    answers: Answers
    reason: str
    nearest: Answers

    @property
    def is_legal(self) -> bool:
        """Whether a project can be made with it."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Group:
    """Combinations that agree in the axes that decide, and so share one verdict."""

    answers: Answers
    count: int
    reason: str
    nearest: Answers


def support_matrix(catalog: Catalog) -> tuple[Support, ...]:
    """Every combination of every pattern's choice questions."""
    found = []
    for pattern in catalog.patterns:
        for combination in combinations(catalog, pattern):
            wrong = refusals(catalog, catalog.organization, combination)
            reason = " ".join(f"{refusal.question} {refusal.value}: {refusal.reason}" for refusal in wrong)
            legal = nearest_legal(catalog, catalog.organization, combination) if wrong else None
            changed = {name: value for name, value in (legal or {}).items() if combination.get(name) != value}
            found.append(Support(combination, reason, changed))
    return tuple(found)


def deciding_questions(catalog: Catalog, pattern: str) -> tuple[Question, ...]:
    """The questions of a pattern whose answers can be refused, or that choose layers."""
    organization = catalog.organization
    named = {"ci", "iac", *catalog.patterns[pattern].allowed, *organization.require, *organization.forbid}
    for rule in catalog.rules:
        named |= {rule.question, *rule.when}
    return tuple(question for question in catalog.choice_questions(pattern) if question.name in named)


def grouped(catalog: Catalog, matrix: Sequence[Support]) -> tuple[Group, ...]:
    """The matrix with one row for all combinations that differ only in questions that decide nothing."""
    groups: dict[tuple[tuple[str, object], ...], list[Support]] = {}
    for row in matrix:
        pattern = str(row.answers["pattern"])
        names = ["pattern", *(question.name for question in deciding_questions(catalog, pattern))]
        groups.setdefault(tuple((name, row.answers[name]) for name in names), []).append(row)
    return tuple(
        Group({name: str(value) for name, value in key}, len(rows), rows[0].reason, rows[0].nearest)
        for key, rows in groups.items()
    )
