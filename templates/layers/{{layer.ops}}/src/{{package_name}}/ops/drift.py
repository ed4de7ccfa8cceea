"""Has the data changed? Tests of one column against a reference, corrected for their number.

Numbers: the two-sample Kolmogorov-Smirnov test. Categories: Pearson's chi-square test. Family-wise error is held
by Holm's step-down method (Scandinavian Journal of Statistics, 1979). With many rows a test finds changes that
do not matter, so a finding also needs a population stability index above a limit (Siddiqi, Credit Risk
Scorecards, 2006: 0.1 is a small shift, 0.25 a large one). Missing numbers are NaN; their share is compared too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from .errors import OpsError

_FLOOR = 1e-4  # the share of a bin that is empty, whose logarithm would be infinite
_BINS = 10


@dataclass(frozen=True)
class Column:
    """The values of a column, reference and current; numbers of type float, categories of type str.

    Raises:
        OpsError: A side has no values, or one side holds numbers and the other categories.
    """

    name: str
    reference: NDArray[np.float64] | NDArray[np.str_]
    current: NDArray[np.float64] | NDArray[np.str_]

    def __post_init__(self) -> None:
        """Refuse what cannot be compared."""
        for side, values in (("reference", self.reference), ("current", self.current)):
            if not len(values):
                raise OpsError(f"The column {self.name} has no {side} values.", "Give at least one row.")
        if self.is_numeric != bool(np.issubdtype(self.current.dtype, np.number)):
            problem = f"The column {self.name} holds numbers on one side and categories on the other."
            raise OpsError(problem, "Read both with the same types.")

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds numbers."""
        return bool(np.issubdtype(self.reference.dtype, np.number))


@dataclass(frozen=True)
class DriftFinding:
    """What became of one column: its index, its corrected p-value, and whether both say that it drifted."""

    name: str
    stability_index: float
    p_value: float
    has_drifted: bool


def _counts(reference: NDArray[np.str_], current: NDArray[np.str_]) -> NDArray[np.int64]:
    """How often each category occurs, of shape (2, categories): the reference first."""
    categories = np.unique(np.concatenate([reference, current]))
    sides = [np.bincount(np.searchsorted(categories, side), minlength=len(categories)) for side in (reference, current)]
    return np.array(sides, dtype=np.int64)


def _numbers(column: Column) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return column.reference.astype(np.float64), column.current.astype(np.float64)


def _texts(column: Column) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    return column.reference.astype(np.str_), column.current.astype(np.str_)


def _binned(column: Column) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    reference, current = _numbers(column)
    present = reference[~np.isnan(reference)]
    edges = np.unique(present)
    has_few_values = len(edges) <= _BINS
    if not has_few_values:
        edges = np.unique(np.quantile(present, np.linspace(0, 1, _BINS + 1)[1:-1], method="higher"))

    def binned(values: NDArray[np.float64]) -> NDArray[np.str_]:
        numbered = np.searchsorted(edges, values, side="right")
        if has_few_values:  # each value is a bin, and so is each gap between two, where a new value would stand
            numbered = numbered + np.searchsorted(edges, values, side="left")
        return np.where(np.isnan(values), "missing", numbered.astype(np.str_))

    return binned(reference), binned(current)


def stability_index(column: Column) -> float:
    """The population stability index of a column: 0 when the shares of its bins or categories are the same."""
    counts = _counts(*(_binned(column) if column.is_numeric else _texts(column)))
    expected, actual = np.maximum(counts / counts.sum(axis=1, keepdims=True), _FLOOR)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def p_value(column: Column) -> float:
    """The probability of a difference at least as large when nothing has changed.

    Where numbers are missing, the present ones and the share of the missing ones are tested, and the smaller
    p-value is doubled (Bonferroni).
    """
    if not column.is_numeric:
        return _chi_square(_counts(*_texts(column)))
    reference, current = _numbers(column)
    missing = np.isnan(reference), np.isnan(current)
    present = reference[~missing[0]], current[~missing[1]]
    of_values = float(stats.ks_2samp(*present).pvalue) if len(present[0]) and len(present[1]) else 1.0
    if not (missing[0].any() or missing[1].any()):
        return of_values
    of_missing = _chi_square(_counts(missing[0].astype(np.str_), missing[1].astype(np.str_)))
    return min(1.0, 2.0 * min(of_values, of_missing))


def _chi_square(counts: NDArray[np.int64]) -> float:
    return float(stats.chi2_contingency(counts).pvalue) if counts.shape[1] > 1 else 1.0


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """Corrected p-values: comparing each with a level holds the chance of any false alarm to that level."""
    corrected: dict[str, float] = {}
    largest = 0.0
    for rank, name in enumerate(sorted(p_values, key=lambda name: p_values[name])):
        largest = max(largest, min(1.0, p_values[name] * (len(p_values) - rank)))
        corrected[name] = largest
    return corrected


def find_drift(columns: Sequence[Column], level: float, index_limit: float) -> tuple[DriftFinding, ...]:
    """Test each column; it has drifted when the corrected test and the stability index both say so.

    Args:
        columns: The columns, each with at least one row on both sides.
        level: The chance of any false alarm among all columns, such as 0.01.
        index_limit: The stability index from which a change matters, such as 0.1.
    """
    corrected = holm({column.name: p_value(column) for column in columns})
    findings = []
    for column in columns:
        index = stability_index(column)
        drifted = corrected[column.name] < level and index > index_limit
        findings.append(DriftFinding(column.name, index, corrected[column.name], drifted))
    return tuple(findings)
