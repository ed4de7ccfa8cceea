"""From a line of a rendered file, or a path in YAML, back to where it stands."""

from pathlib import Path

import pytest
from mlops_new.check import own_runner
from mlops_new.check.sources import Sources
from mlops_new.lint.plain_yaml import line_of
from mlops_new.model import Catalog

TRAINING = "azureml/pipelines/training.yml"
TEMPLATE = "templates/layers/{{layer.tabular}}/azureml/pipelines/training.yml.jinja"


@pytest.mark.parametrize(
    ("path", "line"), [("a", 1), ("b", 2), ("b.c", 3), ("b.d", 4), ("b.d.x", 5), ("b.no", 2), ("no", 1), ("", 1)]
)
def test_a_dotted_path_leads_to_the_line_of_its_last_known_key(path: str, line: int) -> None:
    assert line_of("a: 1\nb:\n  c: [1, 2]\n  d:\n    x: 1\n", path) == line


def test_what_does_not_parse_has_no_line() -> None:
    assert line_of("a: [", "a") == 0


def test_a_line_of_a_plain_file_is_the_same_line_of_its_source(catalog: Catalog) -> None:
    place, is_exact = Sources(catalog, "check_project").locate(".editorconfig", 3, b"")
    assert (place, is_exact) == ("templates/layers/{{layer.project}}/.editorconfig:3", True)


def test_a_line_of_a_rendered_file_leads_to_the_line_of_its_template(catalog: Catalog) -> None:
    template = (catalog.root / TEMPLATE).read_text(encoding="utf-8").splitlines()
    number = next(number for number, line in enumerate(template, 1) if "prepare.yml" in line)
    rendered = "\n".join(["# one line more", *template[1:]]).encode()
    assert Sources(catalog, "check_project").locate(TRAINING, number, rendered) == (f"{TEMPLATE}:{number}", True)


def test_a_line_that_the_template_does_not_hold_has_the_file_alone(catalog: Catalog) -> None:
    assert Sources(catalog, "check_project").locate(TRAINING, 1, b"unknown: 1\n") == (TEMPLATE, False)


def test_a_path_of_the_package_leads_to_its_template(catalog: Catalog) -> None:
    place = Sources(catalog, "check_project").place("src/check_project/ops/errors.py")
    assert place == "templates/layers/{{layer.ops}}/src/{{package_name}}/ops/errors.py"


def test_the_answers_file_leads_to_its_template(catalog: Catalog) -> None:
    place = Sources(catalog, "check_project").place(".copier-answers.yml")
    assert (catalog.root / place).is_file()


def test_what_the_runner_says_gets_the_line_of_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.yml").write_text("jobs:\n  train:\n    typ: command\n", encoding="utf-8")
    assert own_runner.located("a.yml, jobs.train: the key 'typ' cannot be honoured.").startswith("a.yml:3: jobs.train")
    assert own_runner.located("a.yml: the file is empty.") == "a.yml:1: the file is empty."
    assert own_runner.located("3 files checked.") == "3 files checked."


def test_a_project_without_a_runner_is_refused_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert own_runner.main() == 3
    assert "is checked by no runner" in capsys.readouterr().out
