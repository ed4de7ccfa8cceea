"""Each fault, planted in a small catalog, makes `check` fail with the place at which it stands."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlops_new.errors import DONE, REFUSED
from small import line_with, make_narrow, replace, run_check

LAYERS = "templates/layers"
OPS = f"{LAYERS}/{{{{layer.ops}}}}"
PROJECT = f"{LAYERS}/{{{{layer.project}}}}"
BATCH = f"{LAYERS}/{{{{layer.batch}}}}"
TABULAR = f"{LAYERS}/{{{{layer.tabular}}}}"
GITHUB = f"{LAYERS}/{{{{layer.github_actions}}}}"
MODULE = f"{OPS}/src/{{{{package_name}}}}/ops/errors.py"
TRAINING = f"{TABULAR}/azureml/pipelines/training.yml.jinja"
SCORING = f"{BATCH}/azureml/pipelines/scoring.yml.jinja"
COMPONENT = f"{TABULAR}/azureml/components/train.yml.jinja"
SETUP = f"{GITHUB}/.github/actions/setup/action.yml.jinja"
QUESTIONS = "templates/questions/project.yml"
DELIVERY = "templates/questions/delivery.yml"
MANIFEST = "templates/catalog/batch-scoring.yml"

# Plants a fault and gives the place, as the report must name it.
Plant = Callable[[Path], str]


@pytest.fixture(scope="session")
def narrow_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_narrow(tmp_path_factory.mktemp("narrow") / "catalog")


@pytest.fixture
def small_catalog(narrow_catalog: Path, tmp_path: Path) -> Path:
    """One legal combination; a test may change it."""
    return Path(shutil.copytree(narrow_catalog, tmp_path / "catalog"))


def at(catalog: Path, path: str, text: str) -> str:
    return f"{path}:{line_with(catalog / path, text)}"


def a_path_with_two_owners(catalog: Path) -> str:
    shutil.copy(catalog / PROJECT / ".editorconfig", catalog / OPS / ".editorconfig")
    return f"{PROJECT}/.editorconfig"


def a_path_that_differs_in_capitals(catalog: Path) -> str:
    shutil.copy(catalog / PROJECT / "CHANGELOG.md", catalog / OPS / "Changelog.md")
    return f"{PROJECT}/CHANGELOG.md"


def a_leftover_in_a_plain_file(catalog: Path) -> str:
    path = f"{PROJECT}/docs/note.md"
    (catalog / path).write_text("# Note\n\nThis is {{ project_name }}.\n", encoding="utf-8")
    return f"{path}:3"


def a_leftover_in_a_template(catalog: Path) -> str:
    path = f"{PROJECT}/docs/note.md.jinja"
    text = "# {{ project_name }}\n\n{% raw %}Of {{ contact }}.{% endraw %}\n"
    (catalog / path).write_text(text, encoding="utf-8")
    return f"{path}:3"


def a_question_without_effect(catalog: Path) -> str:
    question = "favourite_colour:\n  type: str\n  help: Which colour?\n  default: red\n"
    with (catalog / QUESTIONS).open("a", encoding="utf-8") as file:
        file.write(question)
    return at(catalog, QUESTIONS, "favourite_colour:")


def a_choice_without_effect(catalog: Path) -> str:
    question = "shape:\n  type: str\n  help: Which shape?\n  choices: [round, square]\n  default: round\n"
    with (catalog / QUESTIONS).open("a", encoding="utf-8") as file:
        file.write(question)
    return at(catalog, QUESTIONS, "shape:")


def a_misspelt_key(catalog: Path) -> str:
    replace(catalog / MANIFEST, "summary:", "sumary:")
    return at(catalog, MANIFEST, "sumary:")


def a_layer_that_no_pattern_uses(catalog: Path) -> str:
    (catalog / LAYERS / "{{layer.spare}}").mkdir()
    (catalog / LAYERS / "{{layer.spare}}" / "SPARE.md").write_text("# Spare\n", encoding="utf-8")
    manifest = "templates/catalog/layers/spare.yml"
    shutil.copy(catalog / "templates/catalog/layers/batch.yml", catalog / manifest)
    replace(catalog / "templates/questions/computed.yml", "'github_actions']", "'github_actions', 'spare']")
    return f"{manifest}:1"


def a_wrong_key_in_a_component(catalog: Path) -> str:
    replace(catalog / COMPONENT, "\ncode:", "\ncod:")
    return at(catalog, COMPONENT, "cod:")


def a_wrong_type_in_a_component(catalog: Path) -> str:
    replace(catalog / COMPONENT, "seed: {type: integer", "seed: {typ: integer")
    return at(catalog, COMPONENT, "typ: integer")


def a_wrong_key_in_a_pipeline(catalog: Path) -> str:
    replace(catalog / TRAINING, "component: ../components/train.yml", "compnent: ../components/train.yml")
    return at(catalog, TRAINING, "compnent:")


def a_reference_that_leads_nowhere(catalog: Path) -> str:
    replace(catalog / SCORING, "config: ${{parent.inputs.config}}", "config: ${{parent.inputs.confg}}")
    return at(catalog, SCORING, "  score:")  # the runner names the step


def a_schedule_at_an_impossible_hour(catalog: Path) -> str:
    path = f"{BATCH}/azureml/schedules/scoring.yml.jinja"
    replace(catalog / path, "'daily': '0 2 * * *'", "'daily': '0 25 * * *'")
    return path


def an_unknown_time_zone(catalog: Path) -> str:
    path = f"{BATCH}/azureml/schedules/monitoring.yml.jinja"
    replace(catalog / path, "time_zone: UTC", "time_zone: Europe/Atlantis")
    return at(catalog, path, "time_zone:")


def an_unpinned_action(catalog: Path) -> str:
    replace(catalog / SETUP, "uses: {{ actions.setup_uv }}", "uses: astral-sh/setup-uv@v4")
    return at(catalog, SETUP, "astral-sh/setup-uv@v4")


def a_fault_of_a_script(catalog: Path) -> str:
    path = f"{GITHUB}/.github/workflows/drift.yml.jinja"
    job = "# Another job:\n  listing:\n    runs-on: ubuntu-24.04\n    steps:\n"
    job += '      - run: for x in $(ls *.txt); do echo "$x"; done\n'
    with (catalog / path).open("a", encoding="utf-8") as file:
        file.write(job)
    return at(catalog, path, "for x in")


def an_injection_into_a_script(catalog: Path) -> str:
    path = f"{GITHUB}/.github/workflows/drift.yml.jinja"
    job = "# Another job:\n  talk:\n    runs-on: ubuntu-24.04\n    steps:\n"
    job += "      - run: echo {% raw %}${{ github.event.client_payload.x }}{% endraw %}\n"
    with (catalog / path).open("a", encoding="utf-8") as file:
        file.write(job)
    return at(catalog, path, "client_payload")


def a_file_that_the_formatter_would_change(catalog: Path) -> str:
    with (catalog / MODULE).open("a", encoding="utf-8") as file:
        file.write("\n\nANY = {  'a':1 }\n")
    return at(catalog, MODULE, "ANY =")


def a_fault_of_the_linter(catalog: Path) -> str:
    replace(catalog / MODULE, "\nimport sys\n", "\nimport sys\nimport zlib\n")
    return at(catalog, MODULE, "import zlib")


def a_combination_that_does_not_render(catalog: Path) -> str:
    path = f"{PROJECT}/docs/cloud-setup.md.jinja"
    text = (catalog / path).read_text(encoding="utf-8")
    (catalog / path).write_text(f"{text}\n{{{{ no_such_answer }}}}\n", encoding="utf-8")
    return at(catalog, path, "no_such_answer")


def a_template_that_is_no_jinja(catalog: Path) -> str:
    path = f"{PROJECT}/docs/cloud-setup.md.jinja"
    text = (catalog / path).read_text(encoding="utf-8")
    (catalog / path).write_text(f"{text}\n{{% if %}}\n", encoding="utf-8")
    return at(catalog, path, "{% if %}")


def an_illegal_default(catalog: Path) -> str:
    replace(catalog / DELIVERY, "default('westeurope')", "default('mars')")
    return at(catalog, DELIVERY, "azure_region:")


def a_line_that_yamllint_refuses(catalog: Path) -> str:
    path = f"{GITHUB}/.github/dependabot.yml"
    with (catalog / path).open("a", encoding="utf-8") as file:
        file.write("#A comment without a space\n")
    return at(catalog, path, "#A comment")


def an_invalid_pyproject(catalog: Path) -> str:
    replace(catalog / f"{PROJECT}/pyproject.toml.jinja", "\nrequires-python = ", "\nrequires-pyton = ")
    return f"{PROJECT}/pyproject.toml.jinja"


def an_invalid_hook(catalog: Path) -> str:
    path = f"{PROJECT}/.pre-commit-config.yaml"
    replace(catalog / path, "repos:", "repositories:")
    return path


def a_run_of_blank_lines(catalog: Path) -> str:
    path = f"{PROJECT}/docs/runbooks/drift-alarm.md"
    with (catalog / path).open("a", encoding="utf-8") as file:
        file.write("\n\n\nThe end.\n")
    return f"{path}:{line_with(catalog / path, 'The end.') - 2}"


def a_rule_about_an_unknown_value(catalog: Path) -> str:
    rule = (
        "- question: environments\n  when: {data_classification: [secrt]}\n  allowed: [dev_test_prod]\n  reason: No.\n"
    )
    (catalog / "templates/catalog/rules.yml").write_text(f"# Rules\n{rule}", encoding="utf-8")
    return "templates/catalog/rules.yml:2"


# The faults of the issue, each by itself, through the command line.
ALONE = [
    (a_path_with_two_owners, "one-owner", r"\.editorconfig is given by .*layer\.ops.*\.editorconfig as well"),
    (a_leftover_in_a_plain_file, "leftover", r"\{\{ project_name \}\}"),
    (a_question_without_effect, "no-effect", "The answer to favourite_colour changes no file"),
    (a_misspelt_key, "catalog", r"unknown key 'sumary'.*Did you mean 'summary'"),
    (a_layer_that_no_pattern_uses, "unused-layer", "uses the layer spare"),
    (a_wrong_key_in_a_component, "azureml-runner", "the key 'cod'"),
    (a_wrong_key_in_a_pipeline, "azureml-runner", "jobs.train: the key 'compnent'"),
    (an_unpinned_action, "pinned-action", "setup-uv@v4 is not pinned"),
    # These end the check before anything is rendered, and so take a second.
    (a_path_that_differs_in_capitals, "one-owner", r"CHANGELOG.md is given by .*Changelog\.md as well"),
    (a_rule_about_an_unknown_value, "values", "'secrt' is no choice of the question data_classification"),
    (an_illegal_default, "default", "azure_region.*mars|mars.*azure_region"),
    (a_combination_that_does_not_render, "default", "'no_such_answer' is undefined"),
    (a_template_that_is_no_jinja, "default", "Expected an expression"),
]
# All of these stand in one catalog, and are found in one run.
TOGETHER = [
    (a_leftover_in_a_template, "leftover", r"\{\{ contact \}\}"),
    (a_choice_without_effect, "no-effect", "shape square changes no file that round does not give"),
    (a_run_of_blank_lines, "layout", "run of blank lines"),
    (a_wrong_type_in_a_component, "azureml", "typ.*Unknown field"),
    (a_reference_that_leads_nowhere, "azureml-runner", "confg"),
    (a_schedule_at_an_impossible_hour, "azureml", "The hour '25'"),
    (an_unknown_time_zone, "azureml", "no time zone Europe/Atlantis"),
    (a_fault_of_a_script, "jactionlint", "SC2045"),
    (an_injection_into_a_script, "zizmor", "injection|expand"),
    (a_fault_of_the_linter, "ruff-check", "F401"),
    (a_file_that_the_formatter_would_change, "ruff-format", "reformatted"),
    (a_line_that_yamllint_refuses, "yamllint", "missing starting space"),
    (an_invalid_pyproject, "pyproject", "must contain|must not contain|requires-pyton"),
    (an_invalid_hook, "pre-commit", "repos"),
]


def missing(report: dict, check: str, place: str, message: str) -> str:
    """What the report should hold and does not, with what it holds of that check."""
    own = [finding for finding in report["findings"] if finding["check"] == check]
    if any(finding["place"] == place and re.search(message, finding["message"], re.DOTALL) for finding in own):
        return ""
    return f"{check} at {place}: {message}; there is {own or report['findings']}"


@pytest.mark.parametrize(("plant", "check", "message"), ALONE, ids=[plant.__name__ for plant, _, _ in ALONE])
def test_a_planted_fault_is_found_at_its_place(small_catalog: Path, plant: Plant, check: str, message: str) -> None:
    place = plant(small_catalog)
    code, report = run_check(small_catalog)
    assert code == REFUSED
    assert not missing(report, check, place, message)


def test_faults_that_stand_together_are_all_found_each_at_its_place(small_catalog: Path) -> None:
    planted = [(check, plant(small_catalog), message) for plant, check, message in TOGETHER]
    code, report = run_check(small_catalog)
    assert code == REFUSED
    assert not [text for check, place, message in planted if (text := missing(report, check, place, message))]


def test_without_a_fault_nothing_is_found(small_catalog: Path) -> None:
    code, report = run_check(small_catalog)
    assert report["findings"] == []
    assert (code, report["combinations"]) == (DONE, 1)
