"""Has the data changed? Tests of one column against a reference, corrected for their number.

Numbers: the two-sample Kolmogorov-Smirnov test. Categories: Pearson's chi-square test. Family-wise error is held
by Holm's step-down method (Scandinavian Journal of Statistics, 1979). With many rows a test finds changes that
do not matter, so a finding also needs a population stability index above a limit (Siddiqi, Credit Risk
Scorecards, 2006: 0.1 is a small shift, 0.25 a large one).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

_FLOOR = 1e-4
_BINS = 10


@dataclass(frozen=True)
class Column:
    """The values of a column, reference and current; numbers of type float, categories of type str."""

    name: str
    reference: NDArray[np.float64] | NDArray[np.str_]
    current: NDArray[np.float64] | NDArray[np.str_]

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


def _shares(values: NDArray[np.str_], categories: Sequence[str]) -> NDArray[np.float64]:
    counts = np.array([np.count_nonzero(values == category) for category in categories], dtype=np.float64)
    return np.maximum(counts / max(len(values), 1), _FLOOR)


def _binned(column: Column) -> tuple[NDArray[np.str_], NDArray[np.str_]]:
    edges = np.unique(np.quantile(column.reference.astype(np.float64), np.linspace(0, 1, _BINS + 1)[1:-1]))
    reference = np.searchsorted(edges, column.reference.astype(np.float64), side="right")
    current = np.searchsorted(edges, column.current.astype(np.float64), side="right")
    return reference.astype(np.str_), current.astype(np.str_)


def stability_index(column: Column) -> float:
    """The population stability index of a column: 0 when the shares of its bins or categories are the same."""
    reference, current = _binned(column) if column.is_numeric else (column.reference, column.current)
    reference, current = reference.astype(np.str_), current.astype(np.str_)
    categories = sorted({*reference.tolist(), *current.tolist()})
    expected, actual = _shares(reference, categories), _shares(current, categories)
    return float(np.sum((actual - expected) * np.log(actual / expected)))


def p_value(column: Column) -> float:
    """The probability of a difference at least as large when nothing has changed."""
    if column.is_numeric:
        reference, current = column.reference.astype(np.float64), column.current.astype(np.float64)
        return float(stats.ks_2samp(reference, current).pvalue)
    reference_texts, current_texts = column.reference.astype(np.str_), column.current.astype(np.str_)
    categories = sorted({*reference_texts.tolist(), *current_texts.tolist()})
    counts = [
        [np.count_nonzero(values == category) for category in categories] for values in (reference_texts, current_texts)
    ]
    if len(categories) == 1:
        return 1.0
    return float(stats.chi2_contingency(np.array(counts)).pvalue)


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
