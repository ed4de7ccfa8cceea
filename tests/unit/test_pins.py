"""The pins of rendered projects: how tools/pins.py reads and keeps them, and what templates/pins holds."""

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "templates" / "pins"
SETS = sorted(PINS.glob("*-py*.json"))
A, B = "a" * 64, "b" * 64
EXPORT = f"""\
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:{A} \\
    --hash=sha256:{B}
numpy==2.4.6 \\
    --hash=sha256:{B}
"""


def _load():
    spec = importlib.util.spec_from_file_location("pins_tool", ROOT / "tools" / "pins.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pins = _load()


def test_an_export_is_read_with_markers_and_all_hashes():
    assert pins.parse_export(EXPORT) == {"colorama==0.4.6 ; sys_platform == 'win32'": [A, B], "numpy==2.4.6": [B]}


@pytest.mark.parametrize(
    "line", ["--index-url https://example.org/simple", "thing @ https://example.org/t.whl", "thing>=1", "-e ."]
)
def test_a_line_that_is_no_pin_is_refused_above_all_an_address(line):
    with pytest.raises(ValueError, match="neither a pin nor a hash"):
        pins.parse_export(f"{EXPORT}{line}\n")


def test_a_pin_without_a_hash_is_refused():
    with pytest.raises(ValueError, match=re.escape("no hash for pytz==2025.2")):
        pins.parse_export(f"{EXPORT}pytz==2025.2\n")


def test_a_constraint_keeps_its_marker_only_where_a_name_has_two_versions():
    given = ["colorama==0.4.6 ; sys_platform == 'win32'", "numpy==1 ; a == 'b'", "numpy==2 ; a == 'c'"]

    assert pins.constraints(given) == ["colorama==0.4.6", "numpy==1 ; a == 'b'", "numpy==2 ; a == 'c'"]


PYPROJECT = """\
[tool.uv]
constraint-dependencies = [
    "numpy==2.4.6",
    "numpy-extra==1.0",
    # The team's:
]

[tool.poe]
"""


def test_one_pin_or_all_can_be_freed_and_nothing_else():
    one = pins.freed(PYPROJECT, ["numpy"])

    assert "numpy==" not in one
    assert "numpy-extra==1.0" in one
    assert pins.freed(PYPROJECT, []) == PYPROJECT
    assert pins.freed(PYPROJECT, None) == "[tool.uv]\n\n[tool.poe]\n"


def test_a_version_that_falls_is_named_and_one_that_rises_is_not():
    before = ["alembic==1.20.1", "mlflow==3.17.2", "scipy==1.9.0"]

    assert pins.fallen(before, ["alembic==1.20.1", "mlflow==3.9.0", "scipy==1.10.0"]) == ["mlflow 3.17.2 -> 3.9.0"]


def test_the_hashes_of_one_version_come_together_from_all_python_versions(tmp_path):
    path, hashes = tmp_path / "set.json", {"numpy==2.4.6": [A]}
    path.write_text('{"constraints": ["numpy==2.5.0"]}', encoding="utf-8")
    groups = {group: {"numpy==2.4.6": [B]} for group in ("runtime", "azure", "dev", "everything")}

    fallen = pins.store(path, groups, hashes)

    assert hashes == {"numpy==2.4.6": [A, B]}
    assert fallen == ["numpy 2.5.0 -> 2.4.6"]
    assert json.loads(path.read_text(encoding="utf-8"))["constraints"] == ["numpy==2.4.6"]


def test_there_is_a_set_for_each_pattern_and_python_version():
    assert [path.stem for path in SETS] == [f"{name}-py{python}" for name in pins.patterns() for python in pins.PYTHONS]


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_each_pinned_version_has_hashes_and_each_group_agrees(path):
    lists = json.loads(path.read_text(encoding="utf-8"))
    hashes = json.loads((PINS / "hashes.json").read_text(encoding="utf-8"))
    versions = {pin.partition(" ")[0] for pin in lists["constraints"]}

    assert len(versions) > 50
    assert [pin for pin in versions if not hashes.get(pin)] == []
    for group in ("runtime", "azure", "dev"):
        assert {pin.partition(" ")[0] for pin in lists[group]} <= versions


def test_no_file_of_pins_names_a_download_address():
    assert [path.name for path in PINS.iterdir() if "://" in path.read_text(encoding="utf-8")] == []
