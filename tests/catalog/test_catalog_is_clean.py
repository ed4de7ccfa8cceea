"""The real catalog, with every legal combination, by the real tools."""

from pathlib import Path

import pytest
from conftest import copy_catalog
from mlops_new.check.tools import TOOLS
from mlops_new.errors import DONE
from small import run_check


@pytest.mark.slow
def test_the_real_catalog_has_no_finding_in_any_combination_by_any_tool(tmp_path: Path) -> None:
    code, report = run_check(copy_catalog(tmp_path / "catalog"))
    assert [f"{finding['place']}: {finding['message']}" for finding in report["findings"]] == []
    assert code == DONE
    assert report["combinations"] > 0
    assert report["distinct_contents"] > 0
    assert {run["tool"]: run["projects"] > 0 for run in report["runs"]} == {tool.name: True for tool in TOOLS}
    assert all(run["versions"] for run in report["runs"])
