"""What the SDK lets pass and the kit refuses, in tiny documents."""

from pathlib import Path

import pytest
from mlops_new.lint.azureml_gaps import gaps

ZONES = frozenset({"UTC", "W. Europe Standard Time"})


def schedule(**trigger: str) -> dict[str, object]:
    return {"trigger": {"type": "cron", "expression": "0 2 * * 1", "time_zone": "UTC", **trigger}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "score.py").write_text("", encoding="utf-8")
    (tmp_path / "conda.yml").write_text("", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text("", encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (schedule(expression="0 25 * * *"), "trigger.expression"),
        (schedule(expression="61 2 * * *"), "trigger.expression"),
        (schedule(expression="0 2 * *"), "trigger.expression"),
        (schedule(expression="0 5-2 * * *"), "trigger.expression"),
        (schedule(expression="0 two * * *"), "trigger.expression"),
        (schedule(expression="0 2 * * 7"), "trigger.expression"),
        (schedule(expression="0 2 1 * *"), "trigger.expression"),
        (schedule(time_zone="Mars"), "trigger.time_zone"),
        (schedule(start_time="tomorrow"), "trigger.start_time"),
        ({"conda_file": "conda.yaml"}, "conda_file"),
        ({"code": "../nowhere"}, "code"),
        ({"build": {"path": ".", "dockerfile_path": "Containerfile"}}, "build.dockerfile_path"),
        ({"code_configuration": {"code": "src", "scoring_script": "scre.py"}}, "code_configuration.scoring_script"),
        ({"command": "x ${{inputs.rate}}", "inputs": {"rte": 1}}, "command"),
        ({"command": "x ${{outputs.model}}"}, "command"),
        ({"trial": {"command": "x ${{search_space.depth}}"}, "search_space": {"dpth": {}}}, "trial.command"),
        ({"create_monitor": {"lookback_window_size": "7 days"}}, "create_monitor.lookback_window_size"),
        ({"lookback_window_size": "P"}, "lookback_window_size"),
    ],
)
def test_a_gap_of_the_sdk_is_closed(document: dict[str, object], place: str, folder: Path) -> None:
    found = list(gaps(document, folder, ZONES))
    assert [where for where, _ in found] == [place]
    assert all(message.endswith(".") for _, message in found)


@pytest.mark.parametrize(
    "document",
    [
        schedule(),
        schedule(expression="*/15 0-6,12 * * 1-5", time_zone="W. Europe Standard Time"),
        schedule(start_time="2026-01-31T02:00:00"),
        {"trigger": {"type": "recurrence", "frequency": "day", "interval": 1}},
        {"conda_file": "conda.yml", "code": "src", "build": {"path": "."}},
        {"conda_file": {"dependencies": ["python=3.11"]}},
        {"code": "azureml://registries/x/codes/y/versions/1"},
        {"code_configuration": {"code": "src", "scoring_script": "score.py"}},
        {"command": "x ${{inputs.rate}} ${{outputs.model}}", "inputs": {"rate": 1}, "outputs": {"model": {}}},
        {
            "trial": {"command": "x ${{search_space.depth}} ${{inputs.a}}", "inputs": {"a": 1}},
            "search_space": {"depth": 1},
        },
        {"create_monitor": {"lookback_window_size": "P7D", "lookback_window_offset": "P1DT12H"}},
    ],
)
def test_what_the_service_accepts_passes(document: dict[str, object], folder: Path) -> None:
    assert list(gaps(document, folder, ZONES)) == []
