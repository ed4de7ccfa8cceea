"""Which answers are known, and which are allowed together; pure functions over the catalog."""

from collections.abc import Iterator, Mapping
from itertools import product

from mlops_new.answers_file import parse_mapping
from mlops_new.errors import AnswersError, nearest
from mlops_new.model import Answers, AnswerValue, Catalog, Organization, Question, Refusal


def check_known(catalog: Catalog, given: Mapping[str, object], place: str) -> None:
    """Refuse an answer to a question that the catalog does not ask.

    Raises:
        AnswersError: The key, and the question with the nearest name.
    """
    known = [question.name for question in catalog.questions.values() if question.is_asked]
    for name in given:
        if name not in known:
            raise AnswersError(f"{place} answers {name!r}, which is no question of this catalog.", nearest(name, known))


def refusals(catalog: Catalog, organization: Organization, answers: Answers) -> tuple[Refusal, ...]:
    """Every answer that a choice, the pattern, a rule or the organization does not allow, with the reason."""
    found: list[Refusal] = []
    for question in catalog.questions.values():
        if question.is_asked and question.name in answers:
            value = str(answers[question.name])
            for allowed, reason in _limits(catalog, organization, question, answers):
                if value not in allowed:
                    found.append(Refusal(question.name, value, reason, allowed))
                    break
    return tuple(found)


def _limits(
    catalog: Catalog, organization: Organization, question: Question, answers: Answers
) -> Iterator[tuple[tuple[str, ...], str]]:
    """What limits an answer, from the most general to the most particular: the values allowed, and the reason."""
    pattern = catalog.patterns.get(str(answers.get("pattern", "")))
    choices = tuple(question.choices.values())
    if choices:
        yield choices, "It is no choice of this question."
    if pattern is not None and question.name in pattern.allowed:
        yield pattern.allowed[question.name], f"The pattern {pattern.name} does not go with it."
    for rule in catalog.rules:
        if rule.question == question.name and _applies(rule.when, answers):
            yield rule.allowed, rule.reason
    if question.name in organization.require:
        required = organization.require[question.name]
        yield (required,), f"{organization.source} requires {required}."
    forbidden = organization.forbid.get(question.name, ())
    if forbidden:
        values = choices or (str(answers[question.name]),)
        yield tuple(value for value in values if value not in forbidden), f"{organization.source} forbids it."


def _applies(when: Mapping[str, tuple[str, ...]], answers: Answers) -> bool:
    return all(str(answers.get(name, "")) in values for name, values in when.items())


def combinations(catalog: Catalog, pattern: str) -> Iterator[dict[str, AnswerValue]]:
    """Every combination of the choice questions of a pattern, legal or not."""
    questions = catalog.choice_questions(pattern)
    for values in product(*(question.choices.values() for question in questions)):
        yield {"pattern": pattern, **dict(zip((question.name for question in questions), values, strict=True))}


def legal_combinations(catalog: Catalog, organization: Organization, pattern: str) -> Iterator[dict[str, AnswerValue]]:
    """Every combination of the choice questions of a pattern that nothing refuses."""
    for combination in combinations(catalog, pattern):
        if not refusals(catalog, organization, combination):
            yield combination


def nearest_legal(catalog: Catalog, organization: Organization, answers: Answers) -> dict[str, AnswerValue] | None:
    """The legal combination that changes the fewest of the given answers; None when there is none.

    Changing an answer that is refused counts less than changing one that only stands in its way.
    """
    wrong = {refusal.question for refusal in refusals(catalog, organization, answers)}
    pattern = str(answers.get("pattern", ""))
    names = [pattern] if pattern in catalog.patterns else list(catalog.patterns)

    def distance(candidate: Answers) -> int:
        changed = [name for name in candidate if name in answers and candidate[name] != answers[name]]
        return sum(2 if name in wrong else 3 for name in changed)

    legal = (candidate for name in names for candidate in legal_combinations(catalog, organization, name))
    return min(legal, key=distance, default=None)


def check_legal(catalog: Catalog, organization: Organization, answers: Answers) -> None:
    """Refuse answers that are not allowed together.

    Raises:
        AnswersError: Each refused answer with its reason, and the nearest legal combination.
    """
    found = refusals(catalog, organization, answers)
    if not found:
        return
    sentences = " ".join(f"{refusal.question} {refusal.value!r} is refused: {refusal.reason}" for refusal in found)
    legal = nearest_legal(catalog, organization, answers)
    if legal is None:
        raise AnswersError(sentences, "No combination is legal: ask the owner of the organization file.")
    texts = {refusal.question: refusal.allowed[0] for refusal in found if refusal.allowed}
    better = {**texts, **legal}
    changes = [f"{name}={value}" for name, value in better.items() if name in answers and answers[name] != value]
    remedy = f"The nearest legal answers are {', '.join(changes)}." if changes else "Choose another answer."
    raise AnswersError(sentences, remedy)


def _with_tags(tags: Mapping[str, str], own: AnswerValue) -> AnswerValue:
    """An organization's tags and a project's own, which may be YAML; what is no mapping is left to its validator."""
    parsed = parse_mapping(own) if isinstance(own, str) else own
    return {**tags, **parsed} if isinstance(parsed, dict) else own


def with_organization(catalog: Catalog, organization: Organization, given: Answers) -> dict[str, AnswerValue]:
    """The given answers, completed by what the organization presets and requires; what is given stands."""
    for part in (organization.defaults, organization.require, organization.forbid):
        check_known(catalog, part, organization.source)
    presets: dict[str, AnswerValue] = {**organization.defaults, **organization.require}
    if organization.prefix:
        presets["name_prefix"] = organization.prefix
    if organization.tags and organization is not catalog.organization:  # the catalog's own are added by its layers
        given = {**given, "tags": _with_tags(organization.tags, given.get("tags", {}))}
    return {**presets, **given}
