"""The data contract: which columns a record has, what they may hold, and what each one is for.

One row is one loan application. The columns are described in `data/README.md`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import polars as pl

if TYPE_CHECKING:
    import pandera.polars as pa

ID: Final = "application_id"
LABEL: Final = "is_bad"  # 1: the loan was not paid back as agreed, 0: it was
SENSITIVE: Final = ("sex", "age")  # to measure fairness with; never among the features

RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "age": (18, 100),  # years
    "job": (0, 3),  # skill, from unskilled and not resident to highly qualified
    "credit_amount": (1, 100_000),  # German marks
    "duration": (1, 120),  # months
}
CATEGORIES: Final[Mapping[str, tuple[str, ...]]] = {
    "sex": ("female", "male"),
    "housing": ("free", "rent", "own"),
    "saving_accounts": ("not_known", "little", "moderate", "quite rich", "rich"),
    "checking_account": ("not_known", "little", "moderate", "rich"),
    "purpose": (
        "business",
        "car",
        "domestic appliances",
        "education",
        "furniture/equipment",
        "radio/TV",
        "repairs",
        "vacation/others",
    ),
}


def columns(*, labelled: bool) -> tuple[str, ...]:
    """The columns of a record, with or without its label."""
    return (ID, *RANGES, *CATEGORIES, *((LABEL,) if labelled else ()))


def schema(*, labelled: bool) -> "pa.DataFrameSchema":
    """The contract as a pandera schema; each check's `error` is the reason that a refused row is given."""
    import pandera.polars as pa  # noqa: PLC0415 - takes seconds, so only where it is used

    ranges = dict(RANGES) | ({LABEL: (0, 1)} if labelled else {})
    written = pa.Check.str_matches("^A[0-9]{4,12}$", error="not A and 4 to 12 digits")
    fields = {ID: pa.Column(pl.String, written, unique=True)}
    for name, (low, high) in ranges.items():
        fields[name] = pa.Column(pl.Int64, pa.Check.in_range(low, high, error=f"outside {low} to {high}"))
    for name, allowed in CATEGORIES.items():
        fields[name] = pa.Column(pl.String, pa.Check.isin(allowed, error="category not allowed"))
    return pa.DataFrameSchema(fields, strict=True)
