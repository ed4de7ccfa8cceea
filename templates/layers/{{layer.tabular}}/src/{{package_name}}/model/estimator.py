"""The model, and the simple baseline that it has to beat."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import product

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from .features import CATEGORIES, FEATURES

Floats = NDArray[np.float64]
Parameters = dict[str, float]


@dataclass(frozen=True)
class TrainingSettings:
    """What `config/training.yml` holds; `sweep` maps a parameter to the values that are tried."""

    parameters: dict[str, float]
    rounds: int
    early_stopping_rounds: int
    validation_share: float
    sweep: dict[str, list[float]] = field(default_factory=dict)
    sweep_folds: int = 3


@dataclass(frozen=True)
class Fitted:
    """A fitted model, the parameters that it was fitted with, and figures worth logging."""

    booster: lgb.Booster
    parameters: Parameters
    metrics: dict[str, float]


def _train(features: Floats, labels: Floats, settings: TrainingSettings, parameters: Parameters, seed: int) -> Fitted:
    fit_x, stop_x, fit_y, stop_y = train_test_split(
        features, labels, test_size=settings.validation_share, stratify=labels, random_state=seed
    )
    names, categories = list(FEATURES), list(CATEGORIES)
    fixed = {"objective": "binary", "metric": "auc", "seed": seed, "deterministic": True, "force_row_wise": True}
    train = lgb.Dataset(fit_x, fit_y, feature_name=names, categorical_feature=categories, free_raw_data=False)
    booster = lgb.train(
        {**parameters, **fixed, "num_threads": 1, "verbosity": -1},
        train,
        num_boost_round=settings.rounds,
        valid_sets=[lgb.Dataset(stop_x, stop_y, reference=train)],
        callbacks=[lgb.early_stopping(settings.early_stopping_rounds, first_metric_only=True, verbose=False)],
    )
    metrics = {"validation_auc": float(booster.best_score["valid_0"]["auc"]), "trees": float(booster.best_iteration)}
    return Fitted(booster, dict(parameters), metrics)


def _sweep(features: Floats, labels: Floats, settings: TrainingSettings, seed: int) -> Parameters:
    """The grid's best parameters by cross-validation within the training rows; the holdout is never seen."""
    folds = StratifiedKFold(settings.sweep_folds, shuffle=True, random_state=seed)
    best: tuple[float, Parameters] = (-1.0, settings.parameters)
    for values in product(*settings.sweep.values()):
        parameters = {**settings.parameters, **dict(zip(settings.sweep, values, strict=True))}
        aucs = [
            roc_auc_score(labels[out], predict(_train(features[rows], labels[rows], settings, parameters, seed).booster, features[out]))
            for rows, out in folds.split(features, labels)
        ]
        best = max(best, (float(np.mean(aucs)), parameters), key=lambda pair: pair[0])
    return best[1]


def fit(features: Floats, labels: Floats, settings: TrainingSettings, seed: int) -> Fitted:
    """Fit with early stopping on a part of the training rows; the same input gives the same model, bit by bit."""
    parameters = _sweep(features, labels, settings, seed) if settings.sweep else settings.parameters
    return _train(features, labels, settings, parameters, seed)


def predict(booster: lgb.Booster, features: Floats) -> Floats:
    """The probability that each loan goes bad, shape (rows,)."""
    return np.asarray(booster.predict(features, num_iteration=booster.best_iteration), dtype=np.float64)


def fit_baseline(features: Floats, labels: Floats) -> Callable[[Floats], Floats]:
    """A logistic regression on amount and duration alone: what a clerk could reckon."""
    columns = [FEATURES.index("credit_amount"), FEATURES.index("duration")]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(features[:, columns], labels)
    return lambda rows: np.asarray(model.predict_proba(rows[:, columns])[:, 1], dtype=np.float64)
