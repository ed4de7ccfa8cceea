"""`mlops-new patterns`: the catalog, in brief, in full and for a machine."""

import json
from pathlib import Path

import pytest
from cli import mlops_new
from conftest import ROOT
from mlops_new.model import Catalog


def test_each_pattern_says_when_it_fits_when_not_and_what_it_costs(catalog: Catalog) -> None:
    done = mlops_new("patterns", "--catalog", ROOT)
    assert done.returncode == 0
    for pattern in catalog.patterns.values():
        for text in (pattern.name, pattern.summary, pattern.use_when[0], pattern.avoid_when[0]):
            assert text in done.stdout
        assert f"about {pattern.local_cost.minutes:g} minutes" in done.stdout


def test_one_pattern_is_shown_in_full(catalog: Catalog) -> None:
    pattern = catalog.patterns["batch-scoring"]
    shown = mlops_new("patterns", "batch-scoring", "--catalog", ROOT).stdout
    for text in (*pattern.use_when, *pattern.avoid_when, *pattern.layers, *pattern.stages):
        assert text in shown
    for stage in pattern.stages.values():
        assert f"{stage.does}. {stage.laptop} / {stage.azure}" in shown


def test_a_machine_reads_all_of_it(catalog: Catalog) -> None:
    listed = json.loads(mlops_new("patterns", "--catalog", ROOT, "--json").stdout)
    assert [entry["name"] for entry in listed] == list(catalog.patterns)
    one = json.loads(mlops_new("patterns", "batch-scoring", "--catalog", ROOT, "--json").stdout)
    assert one == next(entry for entry in listed if entry["name"] == "batch-scoring")
    pattern = catalog.patterns["batch-scoring"]
    assert list(one["stages"]) == list(pattern.stages)
    assert set(one["layers"]) == set(pattern.layers)
    assert one["local_cost"] == {"minutes": pattern.local_cost.minutes, "disk_gb": pattern.local_cost.disk_gb}


def test_an_unknown_pattern_names_the_nearest() -> None:
    done = mlops_new("patterns", "batch-scorin", "--catalog", ROOT)
    assert done.returncode == 2
    assert done.stderr == "Error: The catalog has no pattern 'batch-scorin'. Did you mean 'batch-scoring'?\n"


@pytest.mark.parametrize("content", [None, "a: [\n", "title: only\n"])
def test_a_broken_manifest_is_named_with_its_file(own_catalog: Path, content: str | None) -> None:
    manifest = own_catalog / "templates" / "catalog" / "batch-scoring.yml"
    if content is None:
        manifest.write_bytes(b"\xff")
    else:
        manifest.write_text(content)
    done = mlops_new("patterns", "--catalog", own_catalog)
    assert done.returncode == 1
    assert "templates/catalog/batch-scoring.yml" in done.stderr
    assert "Traceback" not in done.stderr
