"""`mlops-new support` as a person and as a machine reads it."""

import json
import subprocess

from conftest import BIN, ROOT
from mlops_new.answers import combinations
from mlops_new.catalog import load_catalog


def support(*options: str) -> str:
    command = [str(BIN / "mlops-new"), "support", "--catalog", str(ROOT), *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_the_table_shows_only_what_decides_with_the_reason_and_the_nearest_legal_combination() -> None:
    said = support()
    assert "data_classification" in said
    assert "environments" in said
    assert "azure_region" not in said
    assert "python_version" not in said
    assert "1. environments: Confidential and restricted data need" in said
    assert "Nearest legal: environments=dev_test_prod." in said
    assert len(said.splitlines()) < 15
    assert max(len(line) for line in said.splitlines() if line.startswith(("┃", "│"))) <= 80


def test_the_machine_gets_every_combination_with_its_verdict() -> None:
    rows = json.loads(support("--json"))
    catalog = load_catalog(ROOT)
    assert [row["answers"] for row in rows] == [c for name in catalog.patterns for c in combinations(catalog, name)]
    refused = [row for row in rows if not row["legal"]]
    assert refused
    assert all(row["reason"] and row["nearest"] for row in refused)
    assert all(not row["reason"] and not row["nearest"] for row in rows if row["legal"])
