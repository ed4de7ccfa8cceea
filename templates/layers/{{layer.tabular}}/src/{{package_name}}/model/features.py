"""From records to the numbers that the estimator sees: fixed by the contract, so nothing is fitted here."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from .contract import CATEGORIES, LABEL

NUMERIC: Final = ("credit_amount", "duration", "job")
CATEGORICAL: Final = ("housing", "saving_accounts", "checking_account", "purpose")
FEATURES: Final = NUMERIC + CATEGORICAL

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def encode(records: pl.DataFrame) -> Matrix:
    """Records as a matrix with one column for each of `FEATURES`; a category becomes its place in the contract's list.

    Raises:
        polars.exceptions.InvalidOperationError: A category that the contract does not know.
    """
    codes = [
        pl.col(name).replace_strict(CATEGORIES[name], range(len(CATEGORIES[name])), return_dtype=pl.Float64)
        for name in CATEGORICAL
    ]
    numbers = [pl.col(name).cast(pl.Float64) for name in NUMERIC]
    return records.select(numbers + codes).to_numpy()


def labels(records: pl.DataFrame) -> Vector:
    """What the model predicts, of shape (rows,): 1.0 where the loan was not paid back, else 0.0."""
    return records[LABEL].to_numpy().astype(np.float64)


def description() -> dict[str, object]:
    """The encoding as plain data; it is kept with a model, and a model made with another one is refused."""
    return {"categories": {name: list(CATEGORIES[name]) for name in CATEGORICAL}, "features": list(FEATURES)}
