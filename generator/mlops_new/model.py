"""The catalog and what is rendered from it, as plain data."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

AnswerValue = str | bool | int | float | dict[str, str]
Answers = Mapping[str, AnswerValue]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file of the catalog, counted from 1; the path is relative to the catalog."""

    path: str
    line: int

    def __str__(self) -> str:
        """As compilers write it."""
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Question:
    """A question of the questionnaire; `default` is the text that copier evaluates."""

    name: str
    kind: str
    help: str
    choices: Mapping[str, str]
    default: str
    has_default: bool
    is_computed: bool
    is_conditional: bool
    place: Place

    @property
    def is_choice(self) -> bool:
        """Whether the answer is one of a closed list."""
        return bool(self.choices)

    @property
    def is_asked(self) -> bool:
        """Whether a person can answer it."""
        return not self.is_computed


@dataclass(frozen=True, slots=True)
class Verb:
    """A command of a project: a module of its package with arguments, a program, or a sequence of verbs."""

    help: str
    module: str = ""
    args: str = ""
    cmd: str = ""
    sequence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """What a layer adds besides its files."""

    name: str
    summary: str
    dependencies: tuple[str, ...]
    dev_dependencies: tuple[str, ...]
    verbs: Mapping[str, Verb]
    place: Place


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pattern, and what serves it on a laptop and in Azure."""

    does: str
    laptop: str
    azure: str


@dataclass(frozen=True, slots=True)
class LocalCost:
    """What one whole life of a project costs on a laptop."""

    minutes: float
    disk_gb: float


@dataclass(frozen=True, slots=True)
class Pattern:
    """An architectural pattern: what it is for, what it is made of, what it allows."""

    name: str
    title: str
    summary: str
    status: str
    since: str
    use_when: tuple[str, ...]
    avoid_when: tuple[str, ...]
    layers: tuple[str, ...]
    questions: tuple[str, ...]
    allowed: Mapping[str, tuple[str, ...]]
    stages: Mapping[str, Stage]
    pipelines: tuple[str, ...]
    local_cost: LocalCost
    place: Place


@dataclass(frozen=True, slots=True)
class Rule:
    """When each answer of `when` is one of those named, `question` must be one of `allowed`."""

    question: str
    when: Mapping[str, tuple[str, ...]]
    allowed: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Organization:
    """What an organization presets, requires, forbids and adds."""

    defaults: Mapping[str, AnswerValue]
    require: Mapping[str, str]
    forbid: Mapping[str, tuple[str, ...]]
    prefix: str
    tags: Mapping[str, str]
    source: str


@dataclass(frozen=True, slots=True)
class Catalog:
    """A catalog that was read from a folder.

    `layering` gives, for a layer that follows from others, the groups of layers any of which turns it on.
    """

    root: Path
    questions: Mapping[str, Question]
    patterns: Mapping[str, Pattern]
    layers: Mapping[str, Layer]
    rules: tuple[Rule, ...]
    layering: Mapping[str, tuple[tuple[str, ...], ...]]
    seed: tuple[str, ...]
    shared: tuple[str, ...]
    organization: Organization

    def with_following(self, layers: Iterable[str]) -> tuple[str, ...]:
        """Layers that are on, completed by those that follow from them."""
        found = list(layers)
        for name, groups in self.layering.items():
            if name not in found and any(set(group) <= set(found) for group in groups):
                found.append(name)
        return tuple(found)

    def choice_questions(self, pattern: str) -> tuple[Question, ...]:
        """The questions with a closed list of answers that a pattern asks, in order, without `pattern` itself."""
        asked = self.patterns[pattern].questions
        return tuple(
            question
            for question in self.questions.values()
            if question.is_choice and question.is_asked and question.name != "pattern"
            if not question.is_conditional or question.name in asked
        )


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """The bytes of a file, and whether it may be executed."""

    content: bytes
    executable: bool = False


Tree = Mapping[str, RenderedFile]


@dataclass(frozen=True, slots=True)
class Rendering:
    """A project's files by their path, and the answers on record in it."""

    tree: Tree
    answers: Answers


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an answer is not allowed, and which answers would be."""

    question: str
    value: str
    reason: str
    allowed: tuple[str, ...]
