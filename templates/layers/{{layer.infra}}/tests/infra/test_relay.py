"""An event asks for one gated training at most, and for nothing else; the events are as Azure sends them."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

RELAY = Path(__file__).resolve().parents[2] / "infra" / "relay"
SPEC = importlib.util.spec_from_file_location("relay", RELAY / "relay.py")
relay = importlib.util.module_from_spec(SPEC)
sys.modules["relay"] = relay
SPEC.loader.exec_module(relay)

SAYS = "{} has failed due to one or more features violating metric thresholds"
TAG = "azureml_modelmonitor_threshold_breached"
HOUR = 3600


class Memory:
    """Claims in memory."""

    def __init__(self):
        self.keys = set()

    def claim(self, key):
        is_new = key not in self.keys
        self.keys.add(key)
        return is_new

    def release(self, key):
        self.keys.discard(key)


def alarm(identifier="1", signal="feature_drift", spelling="runTags", experiment="credit-monitoring"):
    data = {
        "experimentId": "e",
        "experimentName": experiment,
        "runId": f"run-{identifier}",
        "runStatus": "Failed",
        spelling: {TAG: SAYS.format(signal)},
    }
    return relay.Event(identifier, relay.RUN_STATUS_CHANGED, f"experiments/e/runs/run-{identifier}", data)


@pytest.fixture
def told():
    return []


def deliver(event, memory, told, moment=0.0):
    return relay.relay(event, memory, told.append, moment)


@pytest.mark.parametrize("spelling", ["runTags", "RunTags"])
def test_an_alarm_asks_for_a_training(told, spelling):
    assert deliver(alarm(spelling=spelling), Memory(), told)
    assert told == [{"event_id": "1", "subject": "experiments/e/runs/run-1", "run": "run-1"}]


@pytest.mark.parametrize(
    "event",
    [
        alarm(signal="data_quality"),
        relay.Event("1", relay.RUN_STATUS_CHANGED, "s", {"runStatus": "Failed"}),
        relay.Event("1", relay.RUN_STATUS_CHANGED, "s", {"runTags": {TAG: "all is well"}}),
        relay.Event("1", relay.RUN_STATUS_CHANGED, "s", {"runTags": "text"}),
        relay.Event("1", "Microsoft.MachineLearningServices.ModelRegistered", "s", alarm().data),
        relay.Event("1", "Microsoft.MachineLearningServices.ModelDeployed", "s", {}),
    ],
)
def test_everything_else_asks_for_nothing(told, event):
    assert not deliver(event, Memory(), told)
    assert told == []


def test_a_signal_asks_once_in_six_hours_however_often_it_is_told(told):
    memory = Memory()
    for identifier in ("1", "1", "2", "3"):
        deliver(alarm(identifier), memory, told, 5 * HOUR)
    assert len(told) == 1
    deliver(alarm("4"), memory, told, 7 * HOUR)
    deliver(alarm("5", experiment="other-monitoring"), memory, told, 7 * HOUR)
    assert [entry["event_id"] for entry in told] == ["1", "4", "5"]


def test_a_request_that_fails_is_made_again_at_the_next_delivery(told):
    memory = Memory()

    def refuse(_body):
        raise OSError("the CI system is away")

    with pytest.raises(OSError, match="away"):
        relay.relay(alarm(), memory, refuse, 0.0)
    assert deliver(alarm(), memory, told)


def test_no_value_of_the_data_is_passed_on(told):
    event = alarm()
    deliver(relay.Event(event.id, event.kind, event.subject, {**event.data, "income": "12345"}), Memory(), told)
    assert set(told[0]) == {"event_id", "subject", "run"}


def test_the_function_can_ask_for_nothing_but_the_training():
    text = (RELAY / "function_app.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "post"]
    assert len(asked) == 1
    assert relay.ASKS == "aml-data-drift"
    assert "release" not in ast.unparse(asked[0])


def test_the_workflow_listens_to_what_the_relay_asks_for():
    root = RELAY.parents[1]
    listening = [*root.glob(".github/workflows/*.yml"), *root.glob(".azuredevops/*.yml")]
    assert [path.stem for path in listening if relay.ASKS in path.read_text(encoding="utf-8")] == ["drift"]
