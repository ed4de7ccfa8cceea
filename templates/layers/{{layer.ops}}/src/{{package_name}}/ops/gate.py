"""The gate: may a challenger become the champion?

A pure function of both models' scores on the same holdout rows and of the limits in `config/gate.yml`. The
comparison is a test of non-inferiority (Piaggio et al., CONSORT extension, JAMA 2012;308(24)): the challenger
passes when the lower end of the interval of its gain is no lower than minus the margin. Too little evidence
gives no decision, which is not a promotion.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from .bootstrap import Floats, Metric, Resampling, gain_interval
from .errors import OpsError


class Outcome(StrEnum):
    """What the gate decides."""

    PROMOTE = "promote"
    REJECT = "reject"
    NO_DECISION = "no_decision"


class Status(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"
    NOT_JUDGED = "not_judged"


@dataclass(frozen=True)
class GatePolicy:
    """The limits of a promotion.

    Margins are in units of the metric. Times are milliseconds per 1,000 rows, sizes are bytes.
    """

    metric: str
    margin: float
    baseline_margin: float
    confidence: float
    resamples: int
    seed: int
    minimum_rows: int
    minimum_rows_per_class: int
    slice_margin: float
    minimum_slice_rows: int
    maximum_model_bytes: int
    maximum_milliseconds_per_1000_rows: float
    fairness: dict[str, float]

    @property
    def resampling(self) -> Resampling:
        """How the gate's intervals are made."""
        return Resampling(self.confidence, self.resamples, self.seed)


@dataclass(frozen=True)
class Footprint:
    """What a model costs to keep and to run."""

    bytes: int
    milliseconds_per_1000_rows: float


@dataclass(frozen=True)
class FairnessFinding:
    """What a difference between the groups of a sensitive attribute surely reaches, and what it must not pass."""

    metric: str
    attribute: str
    value: float
    limit: float


@dataclass(frozen=True)
class Scores:
    """Labels (0 or 1) and the scores of each model, all of shape (rows,) and in the same order.

    `slices` gives each row's group for each attribute. There may be no champion yet.
    """

    labels: Floats
    challenger: Floats
    champion: Floats | None
    baseline: Floats
    slices: Mapping[str, NDArray[np.str_]]


@dataclass(frozen=True)
class Check:
    """One check of the gate, with the sentence that people read."""

    name: str
    status: Status
    reason: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Decision:
    """The outcome, the reasons for it, and every check behind it."""

    outcome: Outcome
    reasons: tuple[str, ...]
    checks: tuple[Check, ...]


def decide(
    policy: GatePolicy, metric: Metric, scores: Scores, footprint: Footprint, fairness: Sequence[FairnessFinding]
) -> Decision:
    """Decide whether the challenger may become the champion.

    Raises:
        OpsError: The scores do not belong together, or the champion's or baseline's are not finite.
    """
    _verify(scores)
    checks = [_finite(scores.challenger), *_footprint(policy, footprint), *map(_fair, fairness)]
    if checks[0].status is Status.PASSED:
        sample = _sample(policy, scores.labels)
        checks += sample
        if all(check.status is Status.PASSED for check in sample):
            checks += _comparisons(policy, metric, scores)
    return _conclude(checks)


def _conclude(checks: Sequence[Check]) -> Decision:
    for outcome, status in ((Outcome.REJECT, Status.FAILED), (Outcome.NO_DECISION, Status.UNDECIDED)):
        reasons = tuple(check.reason for check in checks if check.status is status)
        if reasons:
            return Decision(outcome, reasons, tuple(checks))
    reasons = tuple(check.reason for check in checks if check.name in ("baseline", "champion"))
    return Decision(Outcome.PROMOTE, reasons, tuple(checks))


def _verify(scores: Scores) -> None:
    lengths = {"challenger": len(scores.challenger), "baseline": len(scores.baseline)}
    if scores.champion is not None:
        lengths["champion"] = len(scores.champion)
    lengths |= {f"slice {name}": len(groups) for name, groups in scores.slices.items()}
    for name, length in lengths.items():
        if length != len(scores.labels):
            problem = f"The gate got {len(scores.labels)} labels, but {length} values of {name}."
            raise OpsError(problem, "Score the same rows with every model.")
    if not np.isin(scores.labels, (0.0, 1.0)).all():
        raise OpsError("The gate got labels other than 0 and 1.", "Check the label column of the holdout rows.")
    for name, values in (("champion", scores.champion), ("baseline", scores.baseline)):
        if values is not None and not np.isfinite(values).all():
            raise OpsError(f"The {name}'s scores are not all finite.", f"Check the {name} before you compare with it.")


def _finite(challenger: Floats) -> Check:
    broken = int(np.count_nonzero(~np.isfinite(challenger)))
    if broken:
        return Check("finite_scores", Status.FAILED, f"{broken} of the challenger's scores are not finite.")
    return Check("finite_scores", Status.PASSED, "All of the challenger's scores are finite.")


def _at_most(name: str, value: float, limit: float, what: str) -> Check:
    if value <= limit:
        return Check(name, Status.PASSED, f"{what} is {value:g}, within the limit of {limit:g}.", value, limit)
    return Check(name, Status.FAILED, f"{what} is {value:g}, above the limit of {limit:g}.", value, limit)


def _footprint(policy: GatePolicy, footprint: Footprint) -> list[Check]:
    pace, limit = footprint.milliseconds_per_1000_rows, policy.maximum_milliseconds_per_1000_rows
    return [
        _at_most("model_bytes", footprint.bytes, policy.maximum_model_bytes, "The model's size in bytes"),
        _at_most("latency", pace, limit, "The time per 1,000 rows in milliseconds"),
    ]


def _fair(finding: FairnessFinding) -> Check:
    name = f"fairness.{finding.attribute}.{finding.metric}"
    what = f"The lower end of the interval of {finding.metric} by {finding.attribute}"
    return _at_most(name, finding.value, finding.limit, what)


def _sample(policy: GatePolicy, labels: Floats) -> list[Check]:
    rarer = min(np.count_nonzero(labels == 0.0), np.count_nonzero(labels == 1.0))
    counts = (
        ("minimum_rows", len(labels), policy.minimum_rows, "holdout rows"),
        ("minimum_rows_per_class", int(rarer), policy.minimum_rows_per_class, "holdout rows of the rarer class"),
    )
    checks = []
    for name, count, least, what in counts:
        status = Status.PASSED if count >= least else Status.UNDECIDED
        reason = f"There are {count} {what}; at least {least} are needed to decide."
        checks.append(Check(name, status, reason, count, least))
    return checks


def _comparisons(policy: GatePolicy, metric: Metric, scores: Scores) -> list[Check]:
    checks = [_baseline(policy, metric, scores)]
    if scores.champion is None:
        reason = "There is no champion yet, so the baseline and the guards decide."
        return [*checks, Check("champion", Status.NOT_JUDGED, reason)]
    checks.append(_champion(policy, metric, scores, scores.champion))
    for attribute, groups in scores.slices.items():
        for group in np.unique(groups):
            name = f"slice.{attribute}.{group}"
            checks.append(_slice(policy, metric, scores, scores.champion, (name, groups == group)))
    return checks


def _baseline(policy: GatePolicy, metric: Metric, scores: Scores) -> Check:
    gain = gain_interval(metric, scores.labels, scores.challenger, scores.baseline, policy.resampling)
    limit = policy.baseline_margin
    status = Status.PASSED if gain.low >= limit else Status.FAILED
    reason = (
        f"Against the baseline the gain in {metric.name} is {gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f}); "
        f"its lower end must reach {limit:g}."
    )
    return Check("baseline", status, reason, gain.low, limit)


def _champion(policy: GatePolicy, metric: Metric, scores: Scores, champion: Floats) -> Check:
    if np.array_equal(scores.challenger, champion):
        reason = "The challenger scores every row as the champion does, so there is nothing to gain."
        return Check("champion", Status.UNDECIDED, reason, 0.0, -policy.margin)
    gain = gain_interval(metric, scores.labels, scores.challenger, champion, policy.resampling)
    limit = -policy.margin
    status = Status.PASSED if gain.low >= limit else Status.FAILED if gain.high < limit else Status.UNDECIDED
    reason = (
        f"Against the champion the gain in {metric.name} is {gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f}); "
        f"a lower end of {limit:g} shows that it is not worse, a higher end below that shows that it is."
    )
    return Check("champion", status, reason, gain.low, limit)


def _slice(
    policy: GatePolicy, metric: Metric, scores: Scores, champion: Floats, part: tuple[str, NDArray[np.bool_]]
) -> Check:
    name, rows = part
    labels = scores.labels[rows]
    count = len(labels)
    if count < policy.minimum_slice_rows or len(np.unique(labels)) == 1:
        reason = f"{name} has {count} rows, too few or of one class only, so it is not judged."
        return Check(name, Status.NOT_JUDGED, reason, count, policy.minimum_slice_rows)
    gain = gain_interval(metric, labels, scores.challenger[rows], champion[rows], policy.resampling)
    limit = -policy.slice_margin
    # Small slices vary by chance: a fall counts when it is both larger than the margin and surely a fall.
    status = Status.FAILED if gain.value < limit and gain.high < 0.0 else Status.PASSED
    reason = (
        f"In {name} the gain in {metric.name} is {gain.value:.4f} ({gain.low:.4f} to {gain.high:.4f}); "
        f"it must not fall below {limit:g} for sure."
    )
    return Check(name, status, reason, gain.value, limit)
