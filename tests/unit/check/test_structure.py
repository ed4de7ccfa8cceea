"""Each check of the catalog itself, by a catalog that has the one fault."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import ROOT
from mlops_new.answers import legal_combinations
from mlops_new.catalog import load_catalog
from mlops_new.check import structure
from mlops_new.check.findings import Finding
from mlops_new.engine import Renderer
from mlops_new.model import Answers, Catalog, Rule

LAYERS = "templates/layers"


@pytest.fixture
def own(tmp_path: Path) -> Catalog:
    """A catalog that a test may change."""
    root = tmp_path / "catalog"
    shutil.copytree(ROOT / "templates", root / "templates", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("copier.yml", "organization.yml"):
        shutil.copy(ROOT / name, root / name)
    return load_catalog(root)


def places(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(finding.check, finding.place) for finding in findings]


@pytest.mark.parametrize("check", structure.STRUCTURE_CHECKS, ids=lambda check: check.__name__)
def test_the_real_catalog_passes(check: object, catalog: Catalog) -> None:
    assert list(check(catalog)) == []


def test_a_pattern_without_a_choice_is_found(catalog: Catalog) -> None:
    pattern = replace(catalog.patterns["batch-scoring"], name="other")
    found = list(structure.check_names(replace(catalog, patterns={**catalog.patterns, "other": pattern})))
    assert [finding.message for finding in found] == [
        "The pattern other is no choice of the question pattern: add it, or remove the other."
    ]
    assert found[0].place == "templates/questions/pattern.yml:1"


def test_a_choice_without_a_manifest_is_found(catalog: Catalog) -> None:
    found = list(structure.check_names(replace(catalog, patterns={})))
    assert ["has no manifest" in finding.message for finding in found] == [True]


def test_an_unknown_layer_and_an_unknown_question_of_a_manifest_are_found(catalog: Catalog) -> None:
    pattern = replace(catalog.patterns["batch-scoring"], layers=("projet",), questions=("frequency",))
    found = list(structure.check_names(replace(catalog, patterns={"batch-scoring": pattern})))
    assert places(found) == [("names", "templates/catalog/batch-scoring.yml:1")] * 2
    assert "projet" in found[0].message
    assert "frequency" in found[1].message


@pytest.mark.parametrize(
    ("lack", "place"),
    [
        ("folder", "templates/catalog/layers/batch.yml"),
        ("manifest", f"{LAYERS}/{{{{layer.batch}}}}"),
        ("entry", "templates/catalog/layers/batch.yml"),
    ],
)
def test_a_layer_that_lacks_a_part_is_found_where_it_is_known(own: Catalog, lack: str, place: str) -> None:
    if lack == "folder":
        shutil.rmtree(own.root / LAYERS / "{{layer.batch}}")
    if lack == "manifest":
        own = replace(own, layers={name: layer for name, layer in own.layers.items() if name != "batch"})
    if lack == "entry":
        layer = own.questions["layer"]
        own = replace(
            own, questions={**own.questions, "layer": replace(layer, default=layer.default.replace("'batch', ", ""))}
        )
    found = list(structure.check_layer_names(own))
    assert places(found) == [("names", place)]
    assert f"The layer batch lacks a{'n' if lack == 'entry' else ''} {lack}" in found[0].message


def test_a_layer_that_nothing_uses_is_found(catalog: Catalog) -> None:
    pattern = replace(catalog.patterns["batch-scoring"], layers=("project", "ops", "tabular"))
    found = structure.check_layers_used(replace(catalog, patterns={"batch-scoring": pattern}))
    assert places(found) == [("unused-layer", "templates/catalog/layers/batch.yml:1")]


@pytest.mark.parametrize("name", ["README.md.jinja", "Readme.md", "README.md"])
def test_a_path_that_two_layers_give_is_found(own: Catalog, name: str) -> None:
    (own.root / LAYERS / "{{layer.tabular}}" / name).write_text("# Two\n", encoding="utf-8")
    (finding,) = structure.check_owners(own)
    assert finding.check == "one-owner"
    assert "{{layer.project}}/README.md.jinja" in finding.message
    assert finding.place == f"{LAYERS}/{{{{layer.tabular}}}}/{name}"


def test_a_path_that_one_layer_gives_twice_is_found(own: Catalog) -> None:
    (own.root / LAYERS / "{{layer.project}}" / "README.md").write_text("# Two\n", encoding="utf-8")
    assert [finding.check for finding in structure.check_owners(own)] == ["one-owner"]


def test_layers_that_are_never_on_together_may_give_the_same_path(own: Catalog) -> None:
    (own.root / LAYERS / "{{layer.spare}}").mkdir()
    (own.root / LAYERS / "{{layer.spare}}" / "README.md").write_text("# Two\n", encoding="utf-8")
    assert list(structure.check_owners(own)) == []


def test_a_question_without_a_default_is_found(catalog: Catalog) -> None:
    bare = replace(catalog.questions["contact"], has_default=False)
    found = structure.check_questions(replace(catalog, questions={**catalog.questions, "contact": bare}))
    assert places(found) == [("default", str(bare.place))]


def test_a_rule_with_an_unknown_question_or_value_is_found_at_its_line(catalog: Catalog) -> None:
    rule = Rule("enviroments", {"data_classification": ("secrt",)}, ("dev",), "Because.")
    found = list(structure.check_values(replace(catalog, rules=(rule,))))
    assert len(found) == 2
    assert {finding.place.rpartition(":")[0] for finding in found} == {"templates/catalog/rules.yml"}
    assert "Did you mean 'environments'?" in found[0].message
    assert "'secrt' is no choice" in found[1].message


def test_a_manifest_and_an_organization_with_an_unknown_value_are_found(catalog: Catalog) -> None:
    pattern = replace(catalog.patterns["batch-scoring"], allowed={"python_version": ("3.9",)})
    organization = replace(catalog.organization, forbid={"ci": ("jenkins",)}, require={"contact": "a@b.example"})
    changed = replace(catalog, patterns={"batch-scoring": pattern}, organization=organization)
    assert places(structure.check_values(changed)) == [
        ("values", "templates/catalog/batch-scoring.yml:1"),
        ("values", "organization.yml"),
    ]


def test_a_template_that_gives_another_result_each_time_is_found_at_its_line(own: Catalog) -> None:
    path = own.root / LAYERS / "{{layer.project}}" / "NOW.md.jinja"
    path.write_text("# Now\n\n{{ now() }}, but not datetime.now().\n", encoding="utf-8")
    assert places(structure.check_sources(own)) == [("pure", f"{LAYERS}/{{{{layer.project}}}}/NOW.md.jinja:3")]


def test_a_file_that_an_update_overlooks_is_found(own: Catalog) -> None:
    (own.root / LAYERS / "{{layer.project}}" / "tags").write_text("a\n", encoding="utf-8")
    assert places(structure.check_sources(own)) == [("update", f"{LAYERS}/{{{{layer.project}}}}/tags")]


def with_layering(own: Catalog, text: str) -> Catalog:
    (own.root / structure.LAYERING).write_text(text, encoding="utf-8")
    return load_catalog(own.root)


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("batch: [[tabular]]\nopz: [[ops]]\n", 2, "'opz' is no layer of this catalog. Did you mean 'ops'?"),
        ("ops: [[project], [batch, tabula]]\n", 1, "'tabula' is no layer of this catalog. Did you mean 'tabular'?"),
        ("ops: [[project, ops]]\n", 1, "ops follows from itself"),
        ("batch: [[tabular]]\ntabular: [[ops]]\n", 1, "batch follows from tabular, which stands below it"),
    ],
)
def test_a_layer_that_follows_from_no_layer_is_found(own: Catalog, text: str, line: int, said: str) -> None:
    found = list(structure.check_layering(with_layering(own, text)))
    assert places(found) == [("names", f"{structure.LAYERING}:{line}")]
    assert said in found[0].message


def test_a_layer_that_follows_from_others_counts_as_used(own: Catalog) -> None:
    pattern = replace(own.patterns["batch-scoring"], layers=("project", "ops", "tabular"))
    changed = replace(own, patterns={"batch-scoring": pattern})
    assert "layer batch" in " ".join(finding.message for finding in structure.check_layers_used(changed))
    following = replace(changed, layering={**changed.layering, "batch": (("tabular",),)})
    assert list(structure.check_layers_used(following)) == []


def jinja_layers(root: Path, answers: Answers) -> frozenset[str]:
    """The layers that copier turns on, read from the files that it renders."""
    tree = Renderer(root, "catalog", "1.0.0").render(answers).tree
    return frozenset(name for name in structure.layer_folders(root) if f"mark-{name}.txt" in tree)


@pytest.mark.parametrize(
    "layering",
    [
        "",
        "batch: [[tabular]]\n",
        "tabular: [[ops]]\nbatch: [[tabular, github_actions], [tabular, project]]\n",
        "github_actions: [[project, absent], [ops]]\nbatch: [[tabular, ops]]\n",
        "tabular: [[batch]]\n",
    ],
)
def test_copier_and_python_agree_on_the_layers_of_every_combination(own: Catalog, layering: str) -> None:
    for name, folder in structure.layer_folders(own.root).items():
        for path in (path for path in folder.rglob("*") if path.is_file() and "environments" not in path.parts):
            path.unlink()
        (folder / f"mark-{name}.txt").touch()
    manifest = own.root / own.patterns["batch-scoring"].place.path
    text = manifest.read_text(encoding="utf-8")
    narrowed = text.replace("layers: [project, ops, tabular, batch]", "layers: [project, ops]") if layering else text
    manifest.write_text(narrowed, encoding="utf-8")
    catalog = with_layering(own, layering or "{}\n")
    axes = ("pattern", *structure.AXES)
    legal = legal_combinations(catalog, catalog.organization, "batch-scoring")
    distinct = {tuple((axis, answers[axis]) for axis in axes) for answers in legal}
    by_copier = {jinja_layers(catalog.root, dict(combination)) for combination in distinct}
    assert by_copier == structure.used_layers(catalog, "batch-scoring")
