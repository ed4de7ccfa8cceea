"""Records read in chunks and held against the data contract: whole files are refused, bad rows set aside."""

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from ..model import contract
from ..ops.errors import OpsError

if TYPE_CHECKING:
    import pandera.polars as pa

REASONS: Final = "reasons"
SEPARATOR: Final = "; "
_ROW: Final = "_row"


class ContractBrokenError(OpsError):
    """A whole file does not keep the data contract, so no row of it is used."""


@dataclass(frozen=True)
class Checked:
    """The rows of a chunk that keep the contract, in its types, and those that do not, with their reasons."""

    valid: pl.DataFrame
    quarantined: pl.DataFrame

    def reasons(self) -> Counter[str]:
        """How many rows have each reason; a row can have several."""
        texts = self.quarantined[REASONS].to_list()
        return Counter(reason for text in texts for reason in text.split(SEPARATOR))


@dataclass(frozen=True)
class Source:
    """The records of a folder's CSV or parquet files, in the order of the files' names."""

    files: tuple[Path, ...]
    labelled: bool

    @cached_property
    def schema(self) -> "pa.DataFrameSchema":
        """The contract that the rows are held against."""
        return contract.schema(labelled=self.labelled)

    @cached_property
    def rows(self) -> int:
        """The number of records."""
        return int(self._scan().select(pl.len()).collect().item())

    @cached_property
    def duplicates(self) -> pl.Series:
        """The ids that more than one record has."""
        ids = self._scan().select(pl.col(contract.ID).cast(pl.String))
        hashes = ids.select(pl.col(contract.ID).hash()).collect(engine="streaming").to_series()
        # Hashes first: they are small. Equal ids have equal hashes, so only those few rows are read as texts.
        repeated = hashes.filter(hashes.is_duplicated()).unique()
        if repeated.is_empty():
            return pl.Series(contract.ID, [], dtype=pl.String)
        found = ids.filter(pl.col(contract.ID).hash().is_in(repeated.implode())).collect().to_series()
        return found.filter(found.is_duplicated()).drop_nulls().unique()

    def chunk(self, start: int, rows: int) -> Checked:
        """Check some of the records, by their place in the source."""
        frame = self._scan().slice(start, rows).collect(engine="streaming")
        return _check(frame, self.schema, self.duplicates)

    def chunks(self, rows: int) -> Iterator[Checked]:
        """Check all records, `rows` at a time."""
        for start in range(0, self.rows, rows):
            yield self.chunk(start, rows)

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(list(self.files))


@contextmanager
def opened(folder: Path, *, labelled: bool) -> Iterator[Source]:
    """The records of a folder, with CSV files turned into temporary parquet ones.

    Raises:
        OpsError: The folder holds no such files, or both kinds.
        ContractBrokenError: A file cannot be read, or has other columns or types than the contract.
    """
    with tempfile.TemporaryDirectory(prefix="records-") as scratch:
        yield open_records(folder, Path(scratch), labelled=labelled)


def open_records(folder: Path, scratch: Path, *, labelled: bool) -> Source:
    """As `opened`, with a folder that the caller keeps for as long as the source is used."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".parquet"))
    kinds = {path.suffix for path in files}
    if len(kinds) != 1:
        found = "both CSV and parquet files" if kinds else "no CSV or parquet file"
        raise OpsError(f"{folder} holds {found}.", "Give a folder with files of one of the two kinds.")
    for path in files:
        _check_columns(path, labelled=labelled)
    if kinds == {".csv"}:
        files = [_as_parquet(path, scratch / f"{number:05}.parquet") for number, path in enumerate(files)]
    return Source(tuple(files), labelled)


def _scan_file(path: Path) -> pl.LazyFrame:
    # A CSV file is read as text: the contract, not the first rows, says what a column holds.
    return pl.scan_csv(path, infer_schema=False) if path.suffix == ".csv" else pl.scan_parquet(path)


def _check_columns(path: Path, *, labelled: bool) -> None:
    try:
        found = _scan_file(path).collect_schema()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise _unreadable(path, error) from None
    expected = contract.schema(labelled=labelled).columns
    missing = [name for name in expected if name not in found]
    extra = [name for name in found if name not in expected]
    for names, what in ((missing, "lacks"), (extra, "has, against the contract,")):
        if names:
            raise ContractBrokenError(
                f"{path} {what} the column {', '.join(names)}.", "Ask the source for a file that keeps the contract."
            )
    for name, column in expected.items():
        if not _fits(found[name], column.dtype.type, is_text=path.suffix == ".csv"):
            raise ContractBrokenError(
                f"{path}: the column {name} is {found[name]}, and not {column.dtype}.",
                "Ask the source for a file that keeps the contract.",
            )


def _fits(found: pl.DataType, wanted: pl.DataType, *, is_text: bool) -> bool:
    if is_text or found == wanted:
        return True
    if wanted == pl.String:
        return found.is_integer() or found in (pl.Categorical, pl.Enum)
    return found.is_integer() or found.is_float()


def _unreadable(path: Path, error: Exception) -> ContractBrokenError:
    problem = " ".join(str(error).split("\n", maxsplit=1)[0].split())
    return ContractBrokenError(f"{path} cannot be read: {problem}.", "Ask the source for the file again.")


def _as_parquet(path: Path, target: Path) -> Path:
    if target.exists():
        return target
    temporary = target.with_suffix(".tmp")
    try:
        _scan_file(path).sink_parquet(temporary)
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from None
    return temporary.replace(target)


def _check(frame: pl.DataFrame, schema: "pa.DataFrameSchema", duplicates: pl.Series) -> Checked:
    raw = frame.select(list(schema.columns))
    typed = raw.select(pl.col(name).cast(column.dtype.type, strict=False) for name, column in schema.columns.items())
    faults = pl.concat([_lost(raw, typed), _broken(typed, schema), _repeated(typed, duplicates)])
    told = (
        faults.unique([_ROW, "column"], keep="first", maintain_order=True)
        .group_by(_ROW)
        .agg(pl.concat_str("column", "reason", separator=": ").sort().str.join(SEPARATOR).alias(REASONS))
        .sort(_ROW)
    )
    rows = told[_ROW]
    quarantined = raw.with_columns(pl.all().cast(pl.String))[rows].with_columns(told[REASONS])
    kept = pl.int_range(typed.height, dtype=pl.Int64, eager=True).is_in(rows.implode()).not_()
    return Checked(typed.filter(kept), quarantined)


def _faults(rows: pl.Series, column: str, reason: str) -> pl.DataFrame:
    return pl.DataFrame({_ROW: rows.cast(pl.Int64)}).with_columns(
        column=pl.lit(column, pl.String), reason=pl.lit(reason, pl.String)
    )


def _lost(raw: pl.DataFrame, typed: pl.DataFrame) -> pl.DataFrame:
    """The cells that hold something, but nothing of their column's type."""
    found = [_faults(pl.Series([], dtype=pl.Int64), "", "")]
    for name in raw.columns:
        before, after = raw[name], typed[name]
        lost = before.is_not_null() & after.is_null()
        if before.dtype.is_float():
            lost |= before != after.cast(before.dtype)
        found.append(_faults(lost.fill_null(value=False).arg_true(), name, "not a whole number"))
    return pl.concat(found)


def _broken(typed: pl.DataFrame, schema: "pa.DataFrameSchema") -> pl.DataFrame:
    """The cells that a check of the contract refuses."""
    import pandera.polars as pa  # noqa: PLC0415 - takes seconds, so only where it is used

    names = {"not_nullable": "missing", "field_uniqueness": "not unique"}
    try:
        schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases: pl.DataFrame = error.failure_cases
        return cases.select(
            pl.col("index").cast(pl.Int64).alias(_ROW),
            pl.col("column").cast(pl.String),
            pl.col("check").cast(pl.String).replace(names).alias("reason"),
        )
    return _faults(pl.Series([], dtype=pl.Int64), "", "")


def _repeated(typed: pl.DataFrame, duplicates: pl.Series) -> pl.DataFrame:
    """The rows whose id occurs elsewhere in the source too: which one is right, nobody can tell."""
    rows = typed[contract.ID].is_in(duplicates.implode()).fill_null(value=False).arg_true()
    return _faults(rows, contract.ID, "not unique")
