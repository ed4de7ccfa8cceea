"""Which combinations are looked at, what changes between them, and where a render fails."""

from dataclasses import replace
from pathlib import Path

import jinja2
import pytest
from mlops_new.check.effects import check_choices, check_texts
from mlops_new.check.rendered import PROJECT, Rendered, failing_place, materialise
from mlops_new.check.run import Options, check_catalog, check_folder
from mlops_new.errors import AnswersError, CatalogError
from mlops_new.model import Catalog, RenderedFile


def rendered(*trees: dict[str, str]) -> Rendered:
    return Rendered([({"pattern": "p", "number": number}, tree) for number, tree in enumerate(trees)])


def test_few_combinations_cover_every_distinct_content() -> None:
    found = rendered({"src/a": "1"}, {"src/a": "1", "src/b": "1"}, {"src/a": "2", "docs/x": "9"}, {"src/a": "2"})
    assert sorted(found.covering(("src/",))) == [1, 2]


def test_contents_that_settings_decide_are_covered_with_each_of_their_settings() -> None:
    found = rendered({"src/a": "1", "cfg": "x"}, {"src/a": "1", "cfg": "y"}, {"src/a": "1", "cfg": "y", "docs": "2"})
    assert len(found.covering(("src/",))) == 1
    assert sorted(found.covering(("src/",), ("cfg",))) == [0, 1]


def test_nothing_to_cover_takes_no_combination() -> None:
    assert rendered({"src/a": "1"}).covering(("azureml/",), ("src/",)) == []


def of_frequency(catalog: Catalog, *trees: tuple[str, dict[str, str]]) -> Rendered:
    base = {
        question.name: next(iter(question.choices.values())) for question in catalog.choice_questions("batch-scoring")
    }
    fixed = {"project_name": PROJECT, "pattern": "batch-scoring", **base}
    return Rendered([({**fixed, "scoring_frequency": value}, tree) for value, tree in trees])


def test_a_value_that_changes_only_the_readme_has_no_effect(catalog: Catalog) -> None:
    found = list(
        check_choices(
            catalog,
            of_frequency(
                catalog,
                ("hourly", {"README.md": "1", ".copier-answers.yml": "1", "a": "1"}),
                ("daily", {"README.md": "2", ".copier-answers.yml": "2", "a": "1"}),
                ("weekly", {"README.md": "3", ".copier-answers.yml": "3", "a": "2"}),
            ),
        )
    )
    assert [finding.message for finding in found] == [
        "scoring_frequency daily changes no file that hourly does not give as well: remove it."
    ]
    assert found[0].place == str(catalog.questions["scoring_frequency"].place)


def test_a_value_is_compared_with_the_first_that_is_legal(catalog: Catalog) -> None:
    found = check_choices(catalog, of_frequency(catalog, ("daily", {"a": "1"}), ("weekly", {"a": "1"})))
    assert ["weekly changes no file that daily" in finding.message for finding in found] == [True]


def test_a_file_that_comes_or_goes_is_an_effect(catalog: Catalog) -> None:
    assert not list(check_choices(catalog, of_frequency(catalog, ("daily", {"a": "1"}), ("weekly", {}))))


def test_every_text_of_the_real_catalog_has_an_effect(catalog: Catalog) -> None:
    assert list(check_texts(catalog, of_frequency(catalog, ("daily", {})))) == []


def test_a_text_that_the_organization_requires_is_not_tried(catalog: Catalog) -> None:
    unused = replace(catalog.questions["contact"], name="unheard")
    questions = {**catalog.questions, "unheard": unused}
    one = of_frequency(catalog, ("daily", {}))
    assert [f.check for f in check_texts(replace(catalog, questions=questions), one)] == ["no-effect"]
    organization = replace(catalog.organization, require={"unheard": "x"})
    assert not list(check_texts(replace(catalog, questions=questions, organization=organization), one))


def test_a_failing_template_is_named_with_its_line() -> None:
    environment = jinja2.Environment(
        loader=jinja2.DictLoader({"templates/layers/{{layer.a}}/a.md.jinja": "one\n{% if %}\n"}), autoescape=True
    )
    with pytest.raises(jinja2.TemplateSyntaxError) as caught:
        environment.get_template("templates/layers/{{layer.a}}/a.md.jinja")
    assert failing_place(caught.value) == "templates/layers/{{layer.a}}/a.md.jinja:2"


def test_a_refused_answer_blames_the_questions() -> None:
    assert failing_place(AnswersError("ci x is refused.", "Choose another.")) == "templates/questions"


def test_files_are_written_with_their_permissions(tmp_path: Path) -> None:
    materialise({"bin/a": RenderedFile(b"x", executable=True), "b": RenderedFile(b"y")}, tmp_path)
    assert (tmp_path / "bin" / "a").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o644


def test_an_unknown_pattern_is_refused_before_anything_is_rendered(catalog: Catalog) -> None:
    with pytest.raises(AnswersError, match="no pattern 'batch'"):
        check_catalog(catalog, Options(patterns=("batch",)), lambda *_: None)


def test_a_folder_without_a_catalog_is_an_error_and_no_finding(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="holds no catalog"):
        check_folder(tmp_path, Options(), lambda *_: None)
