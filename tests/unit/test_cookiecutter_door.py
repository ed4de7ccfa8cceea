"""The second front door: what cookiecutter is given to ask, and what becomes of its answers."""

import json
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import git, read_folder
from mlops_new import cookiecutter_door
from mlops_new.cookiecutter_door import PLACEHOLDER, cookiecutter_json, render_into
from mlops_new.engine import Renderer
from mlops_new.errors import DONE, FAILED, USAGE
from mlops_new.model import Catalog

ANSWERS = {"project_name": "fraud-rings", "data_classification": "restricted", "tags": {"level": "1e3"}}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder as cookiecutter leaves it to its hook."""
    folder = tmp_path / "fraud-rings"
    folder.mkdir()
    (folder / PLACEHOLDER).touch()
    return folder


def as_cookiecutter_gives(catalog: Path, **answers: object) -> dict[str, object]:
    """The answers, among what cookiecutter adds."""
    added = {"__folder": "fraud-rings", "_template": str(catalog), "_output_dir": "/tmp", "_checkout": None}  # noqa: S108
    return OrderedDict({**ANSWERS, **answers, **added, "_repo_dir": str(catalog)})


def is_untouched(folder: Path) -> bool:
    return read_folder(folder) == {PLACEHOLDER: (b"", False)}


# --- What it asks ---


def test_it_asks_every_question_in_order_and_offers_the_default(catalog: Catalog, renderer: Renderer) -> None:
    defaults = renderer.defaults()
    content = json.loads(cookiecutter_json(catalog, defaults))
    asked = [question for question in catalog.questions.values() if question.is_asked]
    assert [name for name in content if not name.startswith("_")] == [question.name for question in asked]
    assert content["__prompts__"] == {question.name: question.help for question in asked}
    for question in asked:
        offered = content[question.name]
        if question.is_choice:
            assert offered[0] == defaults[question.name]
            assert sorted(offered) == sorted(question.choices.values())
        elif isinstance(defaults[question.name], dict):
            assert json.loads(offered) == defaults[question.name]
        else:
            assert offered == defaults[question.name]


def test_another_default_comes_first_and_only_once(catalog: Catalog, renderer: Renderer) -> None:
    others = {**renderer.defaults(), "azure_region": "uksouth", "tags": {"level": "gold"}, "description": "é"}
    text = cookiecutter_json(catalog, others)
    content = json.loads(text)
    assert content["azure_region"][0] == "uksouth"
    assert content["azure_region"].count("uksouth") == 1
    assert content["tags"] == '{"level": "gold"}'
    assert '"é"' in text


def test_a_question_without_a_default_is_left_to_copier(catalog: Catalog) -> None:
    content = json.loads(cookiecutter_json(catalog, {}))
    assert content["description"] == ""
    assert content["__folder"] == "{{ cookiecutter.project_name | slugify }}"


def test_a_computed_value_is_not_asked(catalog: Catalog) -> None:
    computed = replace(catalog.questions["contact"], is_computed=True)
    narrower = replace(catalog, questions={**catalog.questions, "contact": computed})
    content = json.loads(cookiecutter_json(narrower, {}))
    assert "contact" not in content
    assert "contact" not in content["__prompts__"]


# --- What becomes of the answers ---


def test_the_project_of_the_answers_takes_the_placeholders_place(released_catalog: Path, made: Path, capsys) -> None:
    assert render_into(made, as_cookiecutter_gives(released_catalog)) == DONE
    expected = Renderer(released_catalog, str(released_catalog), "1.0.0").render(ANSWERS).tree
    assert read_folder(made) == {path: (file.content, file.executable) for path, file in expected.items()}
    assert capsys.readouterr().err == ""


def test_an_answer_that_is_no_question_is_not_carried(released_catalog: Path, made: Path) -> None:
    given = as_cookiecutter_gives(released_catalog, package_name="evil", stray="x", layer={"ops": ""})
    assert render_into(made, given) == DONE
    assert (made / "src" / "fraud_rings" / "ops").is_dir()
    assert not (made / "src" / "evil").exists()


def test_a_checkout_names_the_release(own_catalog: Path, made: Path) -> None:
    (own_catalog / "templates" / "layers" / "{{layer.project}}" / "NEW.md").write_text("# New\n")
    git(own_catalog, "add", "--all")
    git(own_catalog, "commit", "--quiet", "--message", "New")
    git(own_catalog, "tag", "1.1.0")
    given = as_cookiecutter_gives(own_catalog)
    assert render_into(made, {**given, "_checkout": "1.0.0"}) == DONE
    assert not (made / "NEW.md").exists()
    assert "_commit: 1.0.0\n" in (made / ".copier-answers.yml").read_text()


def test_without_a_clone_the_template_itself_is_the_catalog(released_catalog: Path, made: Path) -> None:
    given = as_cookiecutter_gives(released_catalog)
    del given["_repo_dir"]
    assert render_into(made, given) == DONE
    assert f"_src_path: {released_catalog}\n" in (made / ".copier-answers.yml").read_text()


# --- What is refused ---


@pytest.mark.parametrize(
    ("answers", "problem"),
    [
        ({"data_classification": "restricted", "environments": "dev"}, "validation in test before anything reaches"),
        ({"azure_region": "mars"}, "azure_region 'mars' is refused"),
        ({"contact": "nobody"}, 'contact "nobody" is not an e-mail address'),
        ({"project_name": "nul"}, 'project_name "nul" is reserved'),
        ({"tags": "{a: "}, "tags cannot be parsed as YAML"),
        ({"tags": "{a: !!bool b}"}, "tags cannot be parsed as YAML"),
    ],
)
def test_a_refused_answer_is_one_sentence_and_writes_nothing(
    released_catalog: Path, made: Path, capsys, answers: dict[str, str], problem: str
) -> None:
    assert render_into(made, as_cookiecutter_gives(released_catalog, **answers)) == USAGE
    said = capsys.readouterr()
    assert said.err.startswith("Error: ")
    assert problem in said.err
    assert said.out == ""
    assert is_untouched(made)


@pytest.mark.parametrize("names", [("README.md",), (PLACEHOLDER, "README.md")])
def test_a_folder_that_holds_more_than_the_placeholder_is_refused(
    released_catalog: Path, tmp_path: Path, capsys, names: tuple[str, ...]
) -> None:
    folder = tmp_path / "used"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("mine")
    assert render_into(folder, as_cookiecutter_gives(released_catalog)) == USAGE
    assert "is not empty" in capsys.readouterr().err
    assert read_folder(folder) == dict.fromkeys(sorted(names), (b"mine", False))


def test_a_catalog_that_is_absent_or_broken_is_named(own_catalog: Path, made: Path, capsys) -> None:
    assert render_into(made, as_cookiecutter_gives(own_catalog / "absent")) == FAILED
    assert "absent does not exist" in capsys.readouterr().err
    (own_catalog / "templates" / "ownership.yml").write_text("_skip: []\n")
    git(own_catalog, "commit", "--quiet", "--all", "--message", "Break")
    git(own_catalog, "tag", "1.1.0")
    assert render_into(made, as_cookiecutter_gives(own_catalog)) == FAILED
    assert "ownership.yml:1: the ownership table has the unknown key '_skip'" in capsys.readouterr().err
    assert is_untouched(made)


def test_a_folder_that_cannot_be_written_is_named_without_a_traceback(
    released_catalog: Path, made: Path, capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "README.md")

    monkeypatch.setattr(cookiecutter_door, "write_tree", full)
    assert render_into(made, as_cookiecutter_gives(released_catalog)) == FAILED
    assert capsys.readouterr().err == "Error: README.md: No space left on device.\n"
