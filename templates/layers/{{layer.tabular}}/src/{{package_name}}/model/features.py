"""How an application becomes numbers.

Categories are encoded by their place in the contract's lists. There is no fitted state, so training and scoring
cannot disagree. Sex and age are used to look for unfair differences, and are not features.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from . import contract

CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "housing": contract.HOUSING,
    "saving_accounts": contract.SAVING_ACCOUNTS,
    "checking_account": contract.CHECKING_ACCOUNTS,
    "purpose": contract.PURPOSES,
}
NUMBERS: Final = ("job", "credit_amount", "duration", "monthly_amount")
FEATURES: Final = (*CATEGORIES, *NUMBERS)
_YOUNG: Final = 25


def encode(frame: pl.DataFrame) -> NDArray[np.float64]:
    """The features of valid applications, shape (rows, len(FEATURES)), categories first."""
    codes = [
        pl.col(name).replace_strict(dict(zip(values, range(len(values)), strict=True)), return_dtype=pl.Float64)
        for name, values in CATEGORIES.items()
    ]
    monthly = (pl.col("credit_amount") / pl.col("duration")).alias("monthly_amount")
    numbers = [pl.col("job"), pl.col("credit_amount"), pl.col("duration"), monthly]
    return frame.select(*codes, *(number.cast(pl.Float64) for number in numbers)).to_numpy()


def groups(frame: pl.DataFrame) -> dict[str, NDArray[np.str_]]:
    """The group of each row for each attribute by which the model is judged, sensitive ones included."""
    age_group = pl.when(pl.col("age") < _YOUNG).then(pl.lit("under 25")).otherwise(pl.lit("25 and over"))
    chosen = frame.select("sex", age_group.alias("age_group"), "housing")
    return {name: chosen[name].to_numpy().astype(np.str_) for name in chosen.columns}
