"""Figures of merit of probabilities against labels, all of shape (rows,)."""

from typing import Final

import numpy as np

from ..model.features import Vector
from ..ops.bootstrap import Metric

_TINY: Final = 1e-15


def auc(labels: Vector, scores: Vector) -> float:
    """The area under the ROC curve, by ranks: the chance that a bad loan scores above a good one."""
    order = np.argsort(scores, kind="stable")
    _, inverse, counts = np.unique(scores[order], return_inverse=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    bad = labels == 1.0
    positives = int(bad.sum())
    negatives = len(labels) - positives
    return float((ranks[bad].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def brier(labels: Vector, scores: Vector) -> float:
    """The mean squared error of the probabilities (Brier, 1950)."""
    return float(np.mean((scores - labels) ** 2))


def log_loss(labels: Vector, scores: Vector) -> float:
    """The mean negative logarithm of the probability that was given to what came true."""
    clipped = np.clip(scores, _TINY, 1.0 - _TINY)
    return float(-np.mean(np.where(labels == 1.0, np.log(clipped), np.log(1.0 - clipped))))


def ks(labels: Vector, scores: Vector) -> float:
    """The largest distance between the score distributions of bad and good loans (Kolmogorov and Smirnov)."""
    points = np.unique(scores)
    bad, good = np.sort(scores[labels == 1.0]), np.sort(scores[labels == 0.0])
    shares = [np.searchsorted(part, points, side="right") / len(part) for part in (bad, good)]
    return float(np.max(np.abs(shares[0] - shares[1])))


def average_precision(labels: Vector, scores: Vector) -> float:
    """The area under the precision-recall curve, as a sum of steps without interpolation; ties are one step."""
    order = np.argsort(-scores, kind="stable")
    hits = np.cumsum(labels[order])
    last_of_tie = np.append(np.diff(scores[order]) != 0, values=True)
    hits, taken = hits[last_of_tie], np.flatnonzero(last_of_tie) + 1
    return float(np.sum(np.diff(hits, prepend=0.0) * hits / taken) / hits[-1])


METRICS: Final = {
    metric.name: metric
    for metric in (
        Metric("auc", auc, higher_is_better=True),
        Metric("average_precision", average_precision, higher_is_better=True),
        Metric("brier", brier, higher_is_better=False),
        Metric("ks", ks, higher_is_better=True),
        Metric("log_loss", log_loss, higher_is_better=False),
    )
}
