"""Differences between sensitive groups in who is approved, measured with fairlearn.

Demographic parity compares the shares of approved records; equalized odds compares them among good and among
bad records apart, and takes the larger difference (Hardt, Price and Srebro, 2016). A difference between small
groups is mostly chance, so groups of few rows are only counted, and each difference has a bootstrap interval.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from fairlearn import metrics as fairlearn
from numpy.typing import NDArray

from ..model.features import Vector
from ..ops.bootstrap import Interval, Resampling, resampled_rows
from ..ops.errors import OpsError
from ..ops.gate import FairnessFinding, GatePolicy


@dataclass(frozen=True)
class Group:
    """A group's size and the share of it that is approved; too small a group is not compared."""

    name: str
    rows: int
    selection_rate: float
    is_compared: bool


@dataclass(frozen=True)
class Difference:
    """The largest difference between the groups of an attribute, with its interval and its limit."""

    attribute: str
    metric: str
    interval: Interval
    limit: float

    def finding(self) -> FairnessFinding:
        """What the gate judges: the end of the interval that the difference surely reaches."""
        return FairnessFinding(self.metric, self.attribute, self.interval.low, self.limit)


def differences(
    labels: Vector, approved: NDArray[np.bool_], groups: Mapping[str, NDArray[np.str_]], policy: GatePolicy
) -> list[Difference]:
    """Every limited difference for every attribute with at least two groups that are large enough."""
    unknown = sorted(set(policy.fairness) - set(_FAIRLEARN))
    if unknown:
        known = " and ".join(_FAIRLEARN)
        raise OpsError(f"gate.yml limits {unknown[0]!r}, which is not measured.", f"Known are {known}.")
    found = []
    for attribute, members in groups.items():
        sizes = group_sizes(approved, members, policy.minimum_slice_rows)
        compared = np.isin(members, [group.name for group in sizes if group.is_compared])
        if len(np.unique(members[compared])) == 1 or not compared.any():
            continue
        kept = (1.0 - labels[compared], approved[compared], members[compared])
        for metric, limit in policy.fairness.items():
            interval = _interval(metric, *kept, policy.resampling)
            found.append(Difference(attribute, metric, interval, limit))
    return found


def group_sizes(approved: NDArray[np.bool_], members: NDArray[np.str_], least: int) -> tuple[Group, ...]:
    """Every group of an attribute; those with fewer than `least` rows are not compared."""
    return tuple(
        Group(
            str(name),
            int(np.count_nonzero(members == name)),
            float(fairlearn.selection_rate(approved[members == name], approved[members == name])),
            bool(np.count_nonzero(members == name) >= least),
        )
        for name in np.unique(members)
    )


def _interval(
    metric: str, good: Vector, approved: NDArray[np.bool_], members: NDArray[np.str_], how: Resampling
) -> Interval:
    measured = _FAIRLEARN[metric](good, approved, sensitive_features=members)
    # fairlearn takes a hundredth of a second for a call; the resamples are measured by the same formula, faster.
    draws = [_RESAMPLED[metric](good[rows], approved[rows], members[rows]) for rows in resampled_rows(good, how)]
    tail = (1.0 - how.confidence) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return Interval(float(measured), float(low), float(high))


def parity_gap(_good: Vector, approved: NDArray[np.bool_], members: NDArray[np.str_]) -> float:
    """The largest difference between groups in the share that is approved."""
    rates = [approved[members == group].mean() for group in np.unique(members)]
    return float(max(rates) - min(rates))


def odds_gap(good: Vector, approved: NDArray[np.bool_], members: NDArray[np.str_]) -> float:
    """The larger of the parity gaps among good and among bad records."""
    return max(parity_gap(good[rows], approved[rows], members[rows]) for rows in (good == 1.0, good == 0.0))


_FAIRLEARN: Final[Mapping[str, Callable[..., float]]] = {
    "demographic_parity_difference": fairlearn.demographic_parity_difference,
    "equalized_odds_difference": fairlearn.equalized_odds_difference,
}
_RESAMPLED: Final[Mapping[str, Callable[[Vector, NDArray[np.bool_], NDArray[np.str_]], float]]] = {
    "demographic_parity_difference": parity_gap,
    "equalized_odds_difference": odds_gap,
}
