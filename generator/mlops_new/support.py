"""The support matrix: every combination of a catalog's axes, legal or refused with its reason."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations as subsets
from itertools import product

from mlops_new.answers import combinations, refusals
from mlops_new.model import Answers, Catalog, Question

_REFUSED_COSTS, _STANDING_COSTS = 2, 3
Values = tuple[str, ...]


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
    """Combinations that share a verdict: for each question that decides, the values among which they differ."""

    pattern: str
    values: Mapping[str, Values]
    count: int
    reason: str
    nearest: Answers


@dataclass(frozen=True, slots=True)
class _Verdict:
    wrong: frozenset[str]
    reason: str


class _Axes:
    """The questions of a pattern that can be refused or take part in a refusal; the others change no verdict."""

    def __init__(self, catalog: Catalog, pattern: str) -> None:
        """Judge each combination of their values once."""
        self.questions = _named_questions(catalog, pattern)
        self.names = tuple(question.name for question in self.questions)
        self._choices = tuple(tuple(question.choices.values()) for question in self.questions)
        self.verdicts: dict[Values, _Verdict] = {}
        for values in product(*self._choices):
            answers = {"pattern": pattern, **dict(zip(self.names, values, strict=True))}
            found = refusals(catalog, catalog.organization, answers)
            reason = " ".join(f"{refusal.question} {refusal.value}: {refusal.reason}" for refusal in found)
            self.verdicts[values] = _Verdict(frozenset(refusal.question for refusal in found), reason)

    def of(self, answers: Answers) -> Values:
        """The values that a combination has for these questions."""
        return tuple(str(answers[name]) for name in self.names)

    def changes_to_legal(self, values: Values) -> dict[str, str]:
        """What the nearest legal combination changes, by the measure of `answers.nearest_legal`; {} for none.

        It looks outwards from the combination, at the cheapest changes first, and so at few combinations.
        """
        wrong = self.verdicts[values].wrong
        costs = [_REFUSED_COSTS if name in wrong else _STANDING_COSTS for name in self.names]
        best: tuple[int, tuple[int, ...], Values] | None = None
        for size in range(1, len(costs) + 1 if wrong else 0):
            if best and best[0] < size * _REFUSED_COSTS:
                break
            for chosen in subsets(range(len(costs)), size):
                cost = sum(costs[number] for number in chosen)
                if best is None or cost <= best[0]:
                    found = [(cost, self._rank(other), other) for other in self._others(values, chosen)]
                    best = min([*found, *([best] if best else [])], default=None)
        if best is None:
            return {}
        return {name: new for name, old, new in zip(self.names, values, best[2], strict=True) if new != old}

    def _others(self, values: Values, chosen: tuple[int, ...]) -> Iterator[Values]:
        """Legal combinations that differ in exactly the chosen questions."""
        for new in product(*(self._choices[number] for number in chosen)):
            changed = dict(zip(chosen, new, strict=True))
            other = tuple(changed.get(number, value) for number, value in enumerate(values))
            if all(values[number] != changed[number] for number in chosen) and not self.verdicts[other].wrong:
                yield other

    def _rank(self, values: Values) -> tuple[int, ...]:
        """Where a combination stands in the order in which the catalog lists them."""
        return tuple(choices.index(value) for choices, value in zip(self._choices, values, strict=True))

    def deciding(self) -> tuple[int, ...]:
        """The questions of which some value changes whether a combination is legal."""
        found = []
        for number in range(len(self.names)):
            seen: dict[Values, set[bool]] = {}
            for values, verdict in self.verdicts.items():
                seen.setdefault((*values[:number], *values[number + 1 :]), set()).add(not verdict.wrong)
            if any(len(outcomes) > 1 for outcomes in seen.values()):
                found.append(number)
        return tuple(found)


def _named_questions(catalog: Catalog, pattern: str) -> tuple[Question, ...]:
    """The questions that a rule, the pattern's manifest or the organization names."""
    organization = catalog.organization
    named = {*catalog.patterns[pattern].allowed, *organization.require, *organization.forbid}
    for rule in catalog.rules:
        named |= {rule.question, *rule.when}
    return tuple(question for question in catalog.choice_questions(pattern) if question.name in named)


def support_matrix(catalog: Catalog) -> tuple[Support, ...]:
    """Every combination of every pattern's choice questions."""
    found = []
    for pattern in catalog.patterns:
        axes = _Axes(catalog, pattern)
        nearest = {values: axes.changes_to_legal(values) for values in axes.verdicts}
        for combination in combinations(catalog, pattern):
            values = axes.of(combination)
            found.append(Support(combination, axes.verdicts[values].reason, nearest[values]))
    return tuple(found)


def deciding_questions(catalog: Catalog, pattern: str) -> tuple[Question, ...]:
    """The questions of a pattern of which some value changes whether a combination is legal."""
    axes = _Axes(catalog, pattern)
    return tuple(axes.questions[number] for number in axes.deciding())


def grouped(catalog: Catalog, matrix: Sequence[Support]) -> tuple[Group, ...]:
    """The matrix with few rows, legal ones first: what differs in nothing that matters stands in one row."""
    groups: list[Group] = []
    for pattern in catalog.patterns:
        names = [question.name for question in deciding_questions(catalog, pattern)]
        rows: dict[tuple[Values, str, tuple[tuple[str, str], ...]], Group] = {}
        for row in matrix:
            if row.answers["pattern"] == pattern:
                values = tuple(str(row.answers[name]) for name in names)
                reason = _without_values(row)
                key = (values, reason, tuple((name, str(value)) for name, value in row.nearest.items()))
                cells = {name: (value,) for name, value in zip(names, values, strict=True)}
                count = rows[key].count if key in rows else 0
                rows[key] = Group(pattern, cells, count + 1, reason, row.nearest)
        groups += sorted(_joined(list(rows.values())), key=lambda group: bool(group.reason))
    return tuple(groups)


def _without_values(row: Support) -> str:
    """The reason of a refusal, for rows that show the values themselves."""
    reason = row.reason
    for name, value in row.answers.items():
        reason = reason.replace(f"{name} {value}: ", f"{name}: ")
    return reason


def _joined(groups: list[Group]) -> list[Group]:
    """Rows with the same verdict that differ in the values of one question become one row, until none do."""
    for number, one in enumerate(groups):
        for other in groups[number + 1 :]:
            different = [name for name in one.values if one.values[name] != other.values[name]]
            if len(different) == 1 and (one.reason, one.nearest) == (other.reason, other.nearest):
                name = different[0]
                values = {**one.values, name: (*one.values[name], *other.values[name])}
                both = Group(one.pattern, values, one.count + other.count, one.reason, one.nearest)
                rest = [group for group in groups if group is not one and group is not other]
                return _joined([*rest[:number], both, *rest[number:]])
    return groups
