"""Does every question change something? A question that does not is noise to who answers it."""

from collections.abc import Iterator

from mlops_new.check.findings import Finding
from mlops_new.check.rendered import PROJECT, Rendered
from mlops_new.engine import ANSWERS_FILE, Renderer
from mlops_new.errors import AnswersError
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
    {"other": "tag"},
)


def check_choices(catalog: Catalog, rendered: Rendered) -> Iterator[Finding]:
    """Values of choice questions that leave every project as another value of the question leaves it."""
    by_answers = {tuple(sorted(answers.items(), key=str)): tree for answers, tree in rendered.trees}
    for pattern in catalog.patterns:
        own = [(answers, tree) for answers, tree in rendered.trees if answers["pattern"] == pattern]
        for question in catalog.choice_questions(pattern):
            first, *others = question.choices.values()
            for value in others:
                compared = changed = False
                for answers, tree in own:
                    other = by_answers.get(tuple(sorted({**answers, question.name: value}.items(), key=str)))
                    if answers[question.name] == first and other is not None:
                        compared = True
                        changed = changed or _differ(tree, other)
                if compared and not changed:
                    message = f"{question.name} {value} changes no file that {first} does not give as well."
                    yield Finding("no-effect", str(question.place), message, f"pattern={pattern}")


def _differ(one: dict[str, str], other: dict[str, str]) -> bool:
    return any(one.get(path) != other.get(path) for path in (one.keys() | other.keys()) - _NO_EFFECT)


def check_texts(catalog: Catalog) -> Iterator[Finding]:
    """Free-text questions whose answer shows nowhere but in the README and the answers file."""
    renderer = Renderer(catalog.root, "catalog", "0")
    base: dict[str, AnswerValue] = {"project_name": PROJECT}
    usual = renderer.render(base)
    for question in catalog.questions.values():
        if question.is_choice or not question.is_asked:
            continue
        tree = _with_other_answer(renderer, base, question, usual.answers)
        if tree is None:
            yield Finding("no-effect", str(question.place), f"No answer to {question.name} could be tried.")
        elif not _trees_differ(usual.tree, tree):
            yield Finding("no-effect", str(question.place), f"The answer to {question.name} changes no file.")


def _with_other_answer(renderer: Renderer, base: Answers, question: Question, usual: Answers) -> Tree | None:
    for trial in _TRIALS:
        if trial == usual.get(question.name) or isinstance(trial, dict) != (question.kind == "yaml"):
            continue
        try:
            return renderer.render({**base, question.name: trial}).tree
        except AnswersError:
            continue
    return None


def _trees_differ(one: Tree, other: Tree) -> bool:
    return any(one.get(path) != other.get(path) for path in (one.keys() | other.keys()) - _NO_EFFECT)
