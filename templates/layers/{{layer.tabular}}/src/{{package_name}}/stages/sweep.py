"""The search for hyper-parameters: every combination of a grid, on inner folds of the training rows."""

import itertools
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray

from ..model import estimator
from ..model.estimator import Parameters
from ..model.features import Matrix, Vector
from ..ops.settings import from_mapping
from .configuration import Sweep
from .measures import log_loss


def best_parameters(features: Matrix, labels: Vector, start: Parameters, sweep: Sweep, seed: int) -> Parameters:
    """The combination with the lowest mean log loss over the folds; the first of the grid among equals."""
    if not sweep.grid:
        return start
    folds = np.random.default_rng(seed).permutation(len(labels)) % sweep.folds
    best, lowest = start, np.inf
    for values in itertools.product(*sweep.grid.values()):
        tried = from_mapping(Parameters, asdict(start) | dict(zip(sweep.grid, values, strict=True)), "sweep.grid")
        loss = float(np.mean([_loss(features, labels, folds == fold, tried, seed) for fold in range(sweep.folds)]))
        if loss < lowest:
            best, lowest = tried, loss
    return best


def _loss(features: Matrix, labels: Vector, out: NDArray[np.bool_], tried: Parameters, seed: int) -> float:
    model = estimator.fit(features[~out], labels[~out], tried, seed)
    return log_loss(labels[out], estimator.predict(model, features[out]))
