"""Which answers are refused, and what is offered instead."""

from pathlib import Path

import pytest
from mlops_new import answers
from mlops_new.engine import Renderer
from mlops_new.errors import AnswersError
from mlops_new.model import AnswerValue, Catalog, Organization


def organization(**values) -> Organization:
    empty = {"defaults": {}, "require": {}, "forbid": {}, "prefix": "", "tags": {}, "source": "contoso.yml"}
    return Organization(**{**empty, **values})


def test_an_unknown_question_is_refused_with_the_nearest_name(catalog: Catalog) -> None:
    with pytest.raises(AnswersError, match=r"'azure_regoin'.*Did you mean 'azure_region'"):
        answers.check_known(catalog, {"azure_regoin": "westeurope"}, "The command")


def test_a_computed_value_is_no_question(catalog: Catalog) -> None:
    with pytest.raises(AnswersError, match="package_name"):
        answers.check_known(catalog, {"package_name": "x"}, "The command")


def test_a_combination_that_a_rule_forbids_is_refused_with_reason_and_nearest(catalog: Catalog) -> None:
    wrong = {"pattern": "batch-scoring", "data_classification": "restricted", "environments": "dev"}
    with pytest.raises(AnswersError, match=r"validation in test.*nearest legal answers are environments=dev_test_prod"):
        answers.check_legal(catalog, catalog.organization, wrong)


def test_a_value_that_is_no_choice_is_refused(catalog: Catalog) -> None:
    with pytest.raises(AnswersError, match=r"ci 'jenkins' is refused.*nearest legal answers are ci=github_actions"):
        answers.check_legal(catalog, catalog.organization, {"pattern": "batch-scoring", "ci": "jenkins"})


def test_an_organization_forbids_and_requires(catalog: Catalog) -> None:
    strict = organization(forbid={"data_classification": ("public",)}, require={"azure_region": "uksouth"})
    given = {"pattern": "batch-scoring", "data_classification": "public", "azure_region": "eastus2"}
    found = {refusal.question: refusal.reason for refusal in answers.refusals(catalog, strict, given)}
    assert found == {"data_classification": "contoso.yml forbids it.", "azure_region": "contoso.yml requires uksouth."}


def test_an_organization_presets_but_does_not_overrule(catalog: Catalog) -> None:
    presets = organization(defaults={"azure_region": "uksouth", "cost_centre": "CC-1"}, prefix="ct", tags={"a": "b"})
    completed = answers.with_organization(catalog, presets, {"cost_centre": "CC-2"})
    assert completed == {"azure_region": "uksouth", "cost_centre": "CC-2", "name_prefix": "ct", "tags": {"a": "b"}}


@pytest.mark.parametrize(
    ("own", "together"),
    [
        ({"b": "2"}, {"a": "1", "b": "2"}),
        ('{b: "2", a: own}', {"a": "own", "b": "2"}),
        ("[no, mapping]", "[no, mapping]"),
        ("{broken", "{broken"),
    ],
)
def test_an_organizations_tags_stand_beside_the_projects_own(
    catalog: Catalog, own: AnswerValue, together: AnswerValue
) -> None:
    tagging = organization(tags={"a": "1"})
    assert answers.with_organization(catalog, tagging, {"tags": own})["tags"] == together


def test_the_tags_of_the_catalogs_own_organization_file_reach_every_asset_and_no_record(own_catalog: Path) -> None:
    (own_catalog / "organization.yml").write_text("tags: {criticality: high}\n")
    rendering = Renderer(own_catalog, "catalog", "0").render({"tags": {"level": "gold"}})
    for path in ("azureml/workspaces.yml", "azureml/pipelines/training.yml"):
        text = rendering.tree[path].content.decode()
        assert 'criticality: "high"' in text
        assert 'level: "gold"' in text
    assert rendering.answers["tags"] == {"level": "gold"}


def test_legal_and_refused_combinations_make_up_all(catalog: Catalog) -> None:
    every = list(answers.combinations(catalog, "batch-scoring"))
    legal = list(answers.legal_combinations(catalog, catalog.organization, "batch-scoring"))
    assert 0 < len(legal) < len(every)
    assert [c for c in every if not answers.refusals(catalog, catalog.organization, c)] == legal


def test_copier_refuses_exactly_what_the_catalog_refuses(catalog: Catalog, renderer: Renderer) -> None:
    """The rules are read twice, by Python and by Jinja; over the axes that rules name, both must agree."""
    for classification in ("public", "internal", "confidential", "restricted"):
        for environments in ("dev", "dev_prod", "dev_test_prod"):
            given = {"pattern": "batch-scoring", "data_classification": classification, "environments": environments}
            refused = bool(answers.refusals(catalog, catalog.organization, given))
            try:
                renderer.render(given)
            except AnswersError:
                assert refused, given
            else:
                assert not refused, given
