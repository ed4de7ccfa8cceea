"""Bootstrap intervals of a metric, and of the difference between two models on the same rows.

Percentile intervals after Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13. Both
models are evaluated on the same resamples (the paired bootstrap), so that the interval of the difference
does not carry the variation that they share. Rows are drawn within each class, because a resample without
one of the classes has no ranking metric.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metric:
    """A figure of merit of scores against labels, both of shape (rows,)."""

    name: str
    function: Callable[[Floats, Floats], float]
    higher_is_better: bool

    def gain(self, labels: Floats, challenger: Floats, champion: Floats) -> float:
        """By how much the challenger is better than the champion; negative when it is worse."""
        difference = self.function(labels, challenger) - self.function(labels, champion)
        return difference if self.higher_is_better else -difference


@dataclass(frozen=True)
class Resampling:
    """How intervals are made: their confidence in (0, 1), the number of resamples, and the seed."""

    confidence: float
    resamples: int
    seed: int


@dataclass(frozen=True)
class Interval:
    """An estimate with the lower and upper end of its confidence interval."""

    value: float
    low: float
    high: float


def resampled_rows(labels: Floats, resampling: Resampling) -> NDArray[np.int64]:
    """Row numbers of each resample, shape (resamples, rows), drawn with replacement within each class."""
    generator = np.random.default_rng(resampling.seed)
    parts = []
    for value in np.unique(labels):
        rows = np.flatnonzero(labels == value)
        parts.append(rows[generator.integers(0, len(rows), (resampling.resamples, len(rows)))])
    return np.concatenate(parts, axis=1)


def _interval(value: float, draws: Floats, confidence: float) -> Interval:
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return Interval(float(value), float(low), float(high))


def metric_interval(metric: Metric, labels: Floats, scores: Floats, resampling: Resampling) -> Interval:
    """The metric of one model with its interval."""
    rows = resampled_rows(labels, resampling)
    draws = np.array([metric.function(labels[drawn], scores[drawn]) for drawn in rows])
    return _interval(metric.function(labels, scores), draws, resampling.confidence)


def gain_interval(
    metric: Metric, labels: Floats, challenger: Floats, champion: Floats, resampling: Resampling
) -> Interval:
    """The challenger's gain over the champion with its interval, from the paired bootstrap."""
    rows = resampled_rows(labels, resampling)
    draws = np.array([metric.gain(labels[drawn], challenger[drawn], champion[drawn]) for drawn in rows])
    return _interval(metric.gain(labels, challenger, champion), draws, resampling.confidence)
