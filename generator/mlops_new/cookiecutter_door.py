"""The second front door: cookiecutter asks, and its hook renders the project through copier.

`cookiecutter.json` is generated from the questionnaire. A default that copier computes from another answer is
empty there, and left to copier unless the user gives one.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from mlops_new.answers import check_legal
from mlops_new.catalog import load_catalog
from mlops_new.errors import DONE, FAILED, KitError, TargetError
from mlops_new.model import AnswerValue, Catalog, Question
from mlops_new.project import write_tree
from mlops_new.store import open_release

# What cookiecutter finds in the catalog and puts into the folder that it makes.
PLACEHOLDER = ".gitkeep"


def _offered(question: Question, defaults: Mapping[str, AnswerValue]) -> str | list[str]:
    default = defaults.get(question.name, "")
    if not question.is_choice:
        return json.dumps(default) if isinstance(default, dict) else str(default)
    values = list(question.choices.values())
    return [str(default), *(value for value in values if value != default)]


def cookiecutter_json(catalog: Catalog, defaults: Mapping[str, AnswerValue]) -> str:
    """The text of `cookiecutter.json`: each question with its default first, and its help as the prompt."""
    asked = [question for question in catalog.questions.values() if question.is_asked]
    content: dict[str, object] = {question.name: _offered(question, defaults) for question in asked}
    content["__folder"] = "{{ cookiecutter.project_name | slugify }}"
    content["__prompts__"] = {question.name: question.help for question in asked}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def render_into(folder: Path, answers: Mapping[str, object]) -> int:
    """Render the project that cookiecutter's answers ask for into the folder that it made.

    Returns:
        0, or the exit code of the error that was shown; cookiecutter then removes the folder.
    """
    try:
        _render(folder, answers)
    except KitError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201 - cookiecutter's hook has no console
        return error.exit_code
    except OSError as error:
        print(f"Error: {error.filename or folder}: {error.strerror}.", file=sys.stderr)  # noqa: T201
        return FAILED
    return DONE


def _render(folder: Path, answers: Mapping[str, object]) -> None:
    from mlops_new.engine import Renderer  # noqa: PLC0415 - copier takes most of a second to import

    if [path.name for path in folder.iterdir()] != [PLACEHOLDER]:
        raise TargetError(f"{folder} is not empty.", "Choose another name, or use `mlops-new project --force`.")
    source = str(answers.get("_repo_dir") or answers["_template"])
    release = open_release(source, str(answers.get("_checkout") or "") or None)
    catalog = load_catalog(release.root)
    asked = {name for name, question in catalog.questions.items() if question.is_asked}
    given = {name: value for name, value in answers.items() if name in asked and isinstance(value, str | bool | dict)}
    check_legal(catalog, catalog.organization, given)
    rendering = Renderer(release.root, release.source, release.version).render(given)
    check_legal(catalog, catalog.organization, rendering.answers)
    (folder / PLACEHOLDER).unlink()
    write_tree(rendering.tree, folder)
