"""What an event of Azure Machine Learning asks for: one training with the gate at its end, and nothing else.

Events come at least once and in any order. One signal asks once in a window of time, however often it is told; where
the CI system does not take the request, the claim is given back, so that the next delivery asks again.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

ASKS: Final = "aml-data-drift"
"""The one thing that the relay can ask for; the workflow `drift` listens to it, and it trains and does not release."""
RUN_STATUS_CHANGED: Final = "Microsoft.MachineLearningServices.RunStatusChanged"
_TAG: Final = "azureml_modelmonitor_threshold_breached"
_SAYS: Final = "violating metric thresholds"
_DATA_FAULT: Final = "data_quality"
_WINDOW: Final = 6 * 3600


class Claims(Protocol):
    """Remembers what was asked for; `claim` gives False where somebody else was first."""

    def claim(self, key: str) -> bool:
        """Claim a key, once for all callers."""

    def release(self, key: str) -> None:
        """Give a claim back."""


@dataclass(frozen=True)
class Event:
    """An event as Event Grid delivers it."""

    id: str
    kind: str
    subject: str
    data: Mapping[str, object]


def asks(event: Event) -> bool:
    """Whether an event is the alarm of a monitor; faults in the data go to people, and no training mends them."""
    if event.kind != RUN_STATUS_CHANGED:
        return False
    tags = event.data.get("runTags") or event.data.get("RunTags")  # the documentation spells it in both ways
    signal = str(tags.get(_TAG, "")) if isinstance(tags, Mapping) else ""
    return _SAYS in signal and _DATA_FAULT not in signal


def key_of(event: Event, moment: float) -> str:
    """The same for all events of a monitor in a window of time; `moment` is in seconds since 1970."""
    experiment = event.data.get("experimentName") or event.data.get("ExperimentName") or event.subject
    return hashlib.sha256(f"{ASKS}|{experiment}|{int(moment // _WINDOW)}".encode()).hexdigest()


def request(event: Event) -> dict[str, str]:
    """What is told along: names and ids, and no value of the data."""
    run = event.data.get("runId") or event.data.get("RunId") or ""
    return {"event_id": event.id, "subject": event.subject, "run": str(run)}


def relay(event: Event, claims: Claims, ask: Callable[[dict[str, str]], None], moment: float) -> bool:
    """Ask for a training if an event calls for one that nobody has asked for yet; gives whether it did.

    Whatever `ask` raises is raised, after the claim was given back: Event Grid then delivers again.
    """
    if not asks(event):
        return False
    key = key_of(event, moment)
    if not claims.claim(key):
        return False
    try:
        ask(request(event))
    except BaseException:
        claims.release(key)
        raise
    return True
