"""Reading a catalog: what is wrong in it is named with file, line and nearest key."""

from pathlib import Path

import pytest
from mlops_new.catalog import load_catalog, load_organization
from mlops_new.errors import CatalogError
from mlops_new.model import Catalog


def replace(catalog: Path, path: str, old: str, new: str) -> None:
    file = catalog / path
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_catalog_has_the_patterns_layers_and_questions_of_its_files(catalog: Catalog) -> None:
    assert "batch-scoring" in catalog.patterns
    assert set(catalog.patterns["batch-scoring"].layers) <= set(catalog.layers)
    assert catalog.questions["pattern"].choices == {"batch-scoring": "batch-scoring"}
    assert catalog.questions["package_name"].is_computed
    assert catalog.questions["scoring_frequency"].is_conditional


@pytest.mark.parametrize(
    ("path", "old", "new", "message"),
    [
        ("templates/catalog/batch-scoring.yml", "summary:", "sumary:", r"batch-scoring\.yml:2: .*'sumary'.*'summary'"),
        ("templates/catalog/batch-scoring.yml", "status: stable", "status: old", "unknown status"),
        ("templates/catalog/layers/batch.yml", "summary:", "sumary:", "layer batch has the unknown key 'sumary'"),
        ("templates/catalog/rules.yml", "reason:", "because:", "unknown key 'because'"),
        ("templates/ownership.yml", "_shared:", "_share:", "unknown key '_share'.*'_shared'"),
        (
            "templates/catalog/layering.yml",
            "[[terraform], [bicep]]",
            "[terraform]",
            r"layering\.yml:3: .*no list of lists",
        ),
        ("templates/catalog/layering.yml", "[[terraform], [bicep]]", "[[]]", "turns infra on for no layers"),
        ("organization.yml", "forbid:", "forbids:", "unknown key 'forbids'.*'forbid'"),
        ("templates/questions/project.yml", "help: Name", "hepl: Name", "unknown key 'hepl'.*'help'"),
        ("templates/catalog/batch-scoring.yml", "title: Batch scoring", "title: [1]", "no text"),
        ("templates/catalog/batch-scoring.yml", "title: Batch", "title: {", "cannot be read"),
    ],
)
def test_a_fault_is_named_with_its_place(own_catalog: Path, path: str, old: str, new: str, message: str) -> None:
    replace(own_catalog, path, old, new)
    with pytest.raises(CatalogError, match=message):
        load_catalog(own_catalog)


def test_a_folder_without_a_catalog_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="holds no catalog"):
        load_catalog(tmp_path)


def test_a_missing_organization_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match=r"none\.yml is missing"):
        load_organization(tmp_path / "none.yml")
