"""Does every question change something? A question that does not is noise to who answers it."""

from collections.abc import Iterator

from jinja2 import TemplateError

from mlops_new.check.findings import Finding
from mlops_new.check.rendered import PROJECT, Rendered, failing_place, failure
from mlops_new.check.structure import QUESTIONS
from mlops_new.engine import ANSWERS_FILE, Renderer
from mlops_new.errors import KitError
from mlops_new.model import Answers, AnswerValue, Catalog, Question, Tree

# Where an answer may show without counting as an effect.
_NO_EFFECT = frozenset({ANSWERS_FILE, "README.md"})
_TRIALS: tuple[AnswerValue, ...] = (
    "other-project",
    "Another text",
    "other",
    "other/team",
    "other@example.com",
    "7",
    True,
    False,
    {"other": "tag"},
)


def check_defaults(catalog: Catalog, patterns: tuple[str, ...]) -> Iterator[Finding]:
    """Defaults that the questionnaire itself refuses: a project could not be made without answering them."""
    renderer = Renderer(catalog.root, "catalog", "0")
    for pattern in patterns:
        try:
            answers = renderer.render({"project_name": PROJECT, "pattern": pattern}).answers
        except (KitError, TemplateError) as error:
            yield Finding("default", _place_of(catalog, error), failure(error), f"pattern={pattern} and the defaults")
            continue
        for question in catalog.choice_questions(pattern):
            value = str(answers.get(question.name))
            if value not in question.choices.values():
                message = f"The default of {question.name} is {value!r}, which is no choice: correct it."
                yield Finding("default", str(question.place), message, f"pattern={pattern} and the defaults")


def _place_of(catalog: Catalog, error: KitError | TemplateError) -> str:
    """Where a refusal comes from: the first question that the sentence names, or the file that does not render."""
    place = failing_place(error)
    if place != QUESTIONS:
        return place
    named = [
        question for question in catalog.questions.values() if question.name in str(error).replace("'", " ").split()
    ]
    return str(named[0].place) if named else place


def check_choices(catalog: Catalog, rendered: Rendered) -> Iterator[Finding]:
    """Values of choice questions that leave every project as another value of the question leaves it."""
    by_answers = {tuple(sorted(answers.items(), key=str)): tree for answers, tree in rendered.trees}
    for pattern in catalog.patterns:
        own = [(answers, tree) for answers, tree in rendered.trees if answers["pattern"] == pattern]
        for question in catalog.choice_questions(pattern):
            legal = {answers[question.name] for answers, _ in own}
            first, *others = [value for value in question.choices.values() if value in legal] or [""]
            for value in others:
                compared = changed = False
                for answers, tree in own:
                    other = by_answers.get(tuple(sorted({**answers, question.name: value}.items(), key=str)))
                    if answers[question.name] == first and other is not None:
                        compared = True
                        changed = changed or _differ(tree, other)
                if compared and not changed:
                    message = f"{question.name} {value} changes no file that {first} does not give as well: remove it."
                    yield Finding("no-effect", str(question.place), message, f"pattern={pattern}")


def _differ(one: dict[str, str], other: dict[str, str]) -> bool:
    return any(one.get(path) != other.get(path) for path in (one.keys() | other.keys()) - _NO_EFFECT)


def check_texts(catalog: Catalog, rendered: Rendered) -> Iterator[Finding]:
    """Free-text questions whose answer shows nowhere but in the README and the answers file."""
    renderer = Renderer(catalog.root, "catalog", "0")
    for pattern in dict.fromkeys(str(answers["pattern"]) for answers, _ in rendered.trees):
        base: dict[str, AnswerValue] = {"project_name": PROJECT, "pattern": pattern}
        usual = renderer.render(base)
        for question in catalog.questions.values():
            if not _is_text_of(catalog, question, pattern):
                continue
            tree = _with_other_answer(renderer, base, question, usual.answers)
            place, name = str(question.place), question.name
            if tree is None:
                yield Finding("no-effect", place, f"No answer to {name} could be tried: loosen its validator.")
            elif not _trees_differ(usual.tree, tree):
                message = f"The answer to {name} changes no file: use it in a layer, or remove it."
                yield Finding("no-effect", place, message, f"pattern={pattern}")


def _is_text_of(catalog: Catalog, question: Question, pattern: str) -> bool:
    """Whether a pattern asks the question, and any answer will do."""
    if question.is_choice or not question.is_asked or question.name in catalog.organization.require:
        return False
    return not question.is_conditional or question.name in catalog.patterns[pattern].questions


def _with_other_answer(renderer: Renderer, base: Answers, question: Question, usual: Answers) -> Tree | None:
    for trial in _TRIALS:
        if trial == usual.get(question.name) or isinstance(trial, dict) != (question.kind == "yaml"):
            continue
        if isinstance(trial, bool) != (question.kind == "bool"):
            continue
        try:
            return renderer.render({**base, question.name: trial}).tree
        except KitError:
            continue
    return None


def _trees_differ(one: Tree, other: Tree) -> bool:
    return any(one.get(path) != other.get(path) for path in (one.keys() | other.keys()) - _NO_EFFECT)
