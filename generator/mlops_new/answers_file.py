"""Answers from the command line and from files."""

import json
from collections.abc import Sequence
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mlops_new.errors import AnswersError
from mlops_new.model import AnswerValue


def parse_pairs(pairs: Sequence[str]) -> dict[str, AnswerValue]:
    """`key=value` texts as answers; a value stays text, and copier parses it where the question wants more.

    Raises:
        AnswersError: A text without a key or an equals sign.
    """
    answers: dict[str, AnswerValue] = {}
    for pair in pairs:
        name, separator, value = pair.partition("=")
        if not separator or not name:
            raise AnswersError(f"-d {pair!r} is no answer.", "Write -d question=answer.")
        answers[name] = value
    return answers


def load_answers_file(path: Path) -> dict[str, AnswerValue]:
    """Answers from a YAML or JSON file; what copier keeps in a project's own answers file is left out.

    Raises:
        AnswersError: The file is absent, or holds no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        loaded = json.loads(text) if path.suffix == ".json" else YAML(typ="safe", pure=True).load(text)
    except UnicodeDecodeError:
        raise AnswersError(f"The answers file {path} is not UTF-8.", "Save it as UTF-8.") from None
    except OSError as error:
        raise AnswersError(f"The answers file {path} cannot be read: {error.strerror}.", "Correct the path.") from None
    except RecursionError:
        raise AnswersError(
            f"The answers file {path} is nested too deeply.", "Write `question: answer` lines."
        ) from None
    except (ValueError, LookupError, YAMLError) as error:  # a lookup fails on tags such as `!!bool maybe`
        problem = " ".join(str(error).split())
        raise AnswersError(f"The answers file {path} cannot be parsed: {problem}.", "Write YAML or JSON.") from None
    if not isinstance(loaded, dict) or not all(isinstance(name, str) for name in loaded):
        raise AnswersError(f"The answers file {path} holds no mapping.", "Write `question: answer` lines.")
    return {name: _as_answer(path, name, value) for name, value in loaded.items() if not name.startswith("_")}


def parse_mapping(text: str) -> dict[str, str] | None:
    """The mapping that a YAML text holds; None when it holds none."""
    try:
        parsed = YAML(typ="safe", pure=True).load(text)
    except (ValueError, LookupError, YAMLError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _as_answer(path: Path, name: str, value: object) -> AnswerValue:
    if isinstance(value, str | bool):
        return value
    if isinstance(value, dict) and all(isinstance(part, str) for pair in value.items() for part in pair):
        return {str(key): str(inner) for key, inner in value.items()}
    remedy = f'Put it in quotes, as {name}: "{value}".'
    raise AnswersError(f"The answers file {path} has {name}: {value!r}, which is no text.", remedy)
