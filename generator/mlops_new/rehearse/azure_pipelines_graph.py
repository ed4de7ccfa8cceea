"""What became of stages, or of the jobs of a stage, and whether one that stands behind them may start."""

import threading
from collections.abc import Mapping, Sequence

from mlops_new.rehearse.azure_pipelines_conditions import Condition
from mlops_new.rehearse.azure_pipelines_evaluate import evaluate
from mlops_new.rehearse.azure_pipelines_functions import Data, truth

_GOOD = frozenset({"Succeeded", "SucceededWithIssues"})
# Of several results the first one here is that of the whole.
_WORST = ("Failed", "Canceled", "SucceededWithIssues", "Succeeded")


class Graph:
    """The results by name, of those that were settled so far; each is settled after those that it waits for."""

    def __init__(self, needs: Mapping[str, Sequence[str]], cancel: threading.Event) -> None:
        """Start with no results; what starts although the run was cancelled is not cancelled itself."""
        self._needs, self._cancel, self._goes_on = needs, cancel, cancel.is_set()
        self._results: dict[str, str] = {}

    def settle(self, name: str, result: str) -> None:
        """Note a result, in the service's word."""
        self._results[name] = result

    def result(self, name: str) -> str:
        """The result of one that was settled, in the service's word."""
        return self._results[name]

    def summary(self) -> str:
        """The result of all together: skipped only if every one was."""
        found = set(self._results.values())
        return next((word for word in _WORST if word in found), "Skipped")

    def is_wanted(self, name: str, condition: Condition | None, roots: Mapping[str, Data]) -> bool:
        """Whether one may start: by its condition, else if all before it succeeded."""

        def status(function: str, named: Sequence[str]) -> bool:
            return self._status(name, function, named)

        if condition is None:
            return self._status(name, "succeeded", ())
        return truth(evaluate(condition.expression, roots, status))

    def _status(self, name: str, function: str, named: Sequence[str]) -> bool:
        if function in {"always", "canceled"}:
            return function == "always" or self._cancel.is_set()
        if self._cancel.is_set() and not self._goes_on:
            return False
        found = [self._results[other] for other in named or self._before(name)]
        if function == "succeeded":
            return _GOOD.issuperset(found)
        if function == "failed":
            return "Failed" in found
        return not named or any(result in {*_GOOD, "Failed"} for result in found)

    def _before(self, name: str) -> set[str]:
        """All that one waits for, directly or through others."""
        found: set[str] = set()
        open_ones = list(self._needs[name])
        while open_ones:
            other = open_ones.pop()
            if other not in found:
                found.add(other)
                open_ones += self._needs[other]
        return found
