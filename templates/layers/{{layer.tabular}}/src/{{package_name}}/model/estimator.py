"""The model: gradient-boosted trees that estimate the probability that a loan is not paid back."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .features import FEATURES, NUMERIC, Matrix, Vector

if TYPE_CHECKING:
    import lightgbm as lgb

_CODES: Final = list(range(len(NUMERIC), len(FEATURES)))
_YOUNG: Final = 25  # years
_OLD: Final = 60
_RECKONED: Final = [FEATURES.index("credit_amount"), FEATURES.index("duration")]
_UNITS: Final = np.array([1_000.0, 12.0])  # thousand marks, years


@dataclass(frozen=True)
class Parameters:
    """Hyper-parameters, named as LightGBM names them; early stopping looks at `validation_share` of the rows."""

    learning_rate: float = 0.05
    num_leaves: int = 4
    min_data_in_leaf: int = 15
    feature_fraction: float = 0.5
    bagging_fraction: float = 0.8
    lambda_l2: float = 5.0
    maximum_trees: int = 500
    early_stopping_rounds: int = 40
    validation_share: float = 0.2


def fit(features: Matrix, labels: Vector, parameters: Parameters, seed: int) -> "lgb.Booster":
    """Find the number of trees by early stopping on an inner split, then fit that many on all rows.

    The same rows, parameters and seed give the same model, byte by byte.
    """
    import lightgbm as lgb  # noqa: PLC0415 - takes seconds, so only where it is used

    options = _options(parameters, seed)
    held_out = np.random.default_rng(seed).random(len(labels)) < parameters.validation_share
    inner = lgb.Dataset(features[~held_out], labels[~held_out], categorical_feature=_CODES)
    watched = lgb.Dataset(features[held_out], labels[held_out], reference=inner)
    stop = lgb.early_stopping(parameters.early_stopping_rounds, verbose=False)
    found = lgb.train(options, inner, parameters.maximum_trees, valid_sets=[watched], callbacks=[stop])
    return lgb.train(options, lgb.Dataset(features, labels, categorical_feature=_CODES), found.best_iteration)


def _options(parameters: Parameters, seed: int) -> dict[str, object]:
    own = {"maximum_trees", "early_stopping_rounds", "validation_share"}
    given = {name: value for name, value in asdict(parameters).items() if name not in own}
    fixed = {"objective": "binary", "metric": "binary_logloss", "bagging_freq": 1, "verbose": -1}
    repeatable = {"seed": seed, "deterministic": True, "force_row_wise": True, "num_threads": 1}
    return given | fixed | repeatable


def predict(model: "lgb.Booster", features: Matrix) -> Vector:
    """The probability of a loan that is not paid back, for each row."""
    return np.asarray(model.predict(features), dtype=np.float64)


@dataclass(frozen=True)
class Baseline:
    """A logistic regression on amount and term of the loan alone: what a clerk could reckon."""

    weights: tuple[float, ...]
    intercept: float

    def predict(self, features: Matrix) -> Vector:
        """The probability of a loan that is not paid back, for each row."""
        return np.asarray(1.0 / (1.0 + np.exp(-(_design(features) @ np.array(self.weights) + self.intercept))))


def fit_baseline(features: Matrix, labels: Vector) -> Baseline:
    """Fit the baseline on the same rows as the model."""
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes seconds, so only where it is used

    fitted = LogisticRegression(max_iter=1_000).fit(_design(features), labels)
    return Baseline(tuple(map(float, fitted.coef_[0])), float(fitted.intercept_[0]))


def _design(features: Matrix) -> Matrix:
    return np.asarray(features[:, _RECKONED] / _UNITS)


def threshold(cost_of_missed_default: float, cost_of_refused_customer: float) -> float:
    """The probability from which referring costs less than approving, after Elkan (2001), equation 2."""
    return cost_of_refused_customer / (cost_of_refused_customer + cost_of_missed_default)


def decide(scores: Vector, limit: float) -> NDArray[np.str_]:
    """`approve` below the limit; from it on `refer`, to a person: the model refuses nobody by itself."""
    return np.where(scores < limit, "approve", "refer")


def groups(records: pl.DataFrame) -> Mapping[str, NDArray[np.str_]]:
    """The groups between which decisions should be fair, from the sensitive columns."""
    age = records["age"].to_numpy()
    bands = np.select([age <= _YOUNG, age < _OLD], ["up to 25", "26 to 59"], "60 and over")
    return {"age": bands, "sex": records["sex"].to_numpy().astype(str)}


def slices(records: pl.DataFrame) -> Mapping[str, NDArray[np.str_]]:
    """The parts of the data in each of which the model must work."""
    return {**groups(records), "housing": records["housing"].to_numpy().astype(str)}
