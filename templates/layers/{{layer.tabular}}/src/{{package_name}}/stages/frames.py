"""Reading and writing tables, and checking them against the contract."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandera.polars as pa
import polars as pl

from ..ops.errors import OpsError

SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class Checked:
    """Rows that keep the contract, rows that break it with a `reasons` column, and how often each reason was."""

    valid: pl.DataFrame
    quarantined: pl.DataFrame
    reasons: Mapping[str, int]


def table_files(folder: Path) -> tuple[Path, ...]:
    """The CSV and Parquet files of a folder, in the order of their names.

    Raises:
        OpsError: There is none.
    """
    found = [folder] if folder.is_file() else sorted(folder.iterdir()) if folder.is_dir() else []
    files = tuple(path for path in found if path.suffix in SUFFIXES)
    if not files:
        raise OpsError(f"{folder} holds no CSV or Parquet file.", "Put the data there, or give another folder.")
    return files


def scan(path: Path) -> pl.LazyFrame:
    """A table whose columns are read as text: types are the contract's to judge."""
    if path.suffix == ".parquet":
        return pl.scan_parquet(path).select(pl.all().cast(pl.String))
    return pl.scan_csv(path, infer_schema=False)


def read_raw(folder: Path) -> pl.DataFrame:
    """All tables of a folder, one below the other, as text."""
    try:
        return pl.concat([scan(path).collect() for path in table_files(folder)])
    except (pl.exceptions.PolarsError, OSError) as error:
        raise OpsError(f"{folder} cannot be read as tables: {error}.", "Mend or replace the file.") from None


def write_table(frame: pl.DataFrame, path: Path) -> None:
    """Write a Parquet file that is whole or absent."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    frame.write_parquet(temporary, compression="zstd", statistics=False)
    os.replace(temporary, path)


def read_table(path: Path) -> pl.DataFrame:
    """Read a Parquet file that a stage wrote."""
    if not path.is_file():
        raise OpsError(f"{path} does not exist.", "Run the stage that writes it.")
    return pl.read_parquet(path)


def check_columns(names: list[str], schema: type[pa.DataFrameModel], place: str) -> None:
    """Refuse a table that lacks a column of the contract or has one more.

    Raises:
        OpsError: The names of the columns at fault.
    """
    expected = set(schema.to_schema().columns)
    missing, extra = sorted(expected - set(names)), sorted(set(names) - expected)
    if missing or extra:
        lacks = f" lacks the columns {', '.join(missing)}" if missing else ""
        has = f" has the unknown columns {', '.join(extra)}" if extra else ""
        raise OpsError(f"{place}{lacks}{' and' if missing and extra else ''}{has}.", "Correct the file.")


def _typed(raw: pl.DataFrame, schema: type[pa.DataFrameModel]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The columns in the contract's types, and for each row the reasons of values that have no such type."""
    columns = schema.to_schema().columns
    types = {name: column.dtype.type for name, column in columns.items()}
    typed = raw.select(pl.col(name).cast(kind, strict=False) for name, kind in types.items())
    faults = [
        pl.DataFrame({"row": rows, "reason": [f"{name}: not of type {types[name]}"] * len(rows)})
        for name in types
        if len(rows := (raw[name].is_not_null() & typed[name].is_null()).arg_true())
    ]
    empty = pl.DataFrame(schema={"row": pl.UInt32, "reason": pl.String})
    return typed, pl.concat([empty, *faults], how="vertical_relaxed")


def check_rows(raw: pl.DataFrame, schema: type[pa.DataFrameModel]) -> Checked:
    """Split rows into those that keep the contract and those that break it, each with all of its reasons."""
    typed, faults = _typed(raw, schema)
    try:
        schema.validate(typed, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.filter(pl.col("index").is_not_null())
        reasons = pl.format("{}: {}", "column", "check").alias("reason")
        found = cases.select(pl.col("index").cast(pl.UInt32).alias("row"), reasons)
        # A value of the wrong type has become null: its own reason says more.
        wrong = faults.select("row", pl.col("reason").str.extract(r"^(\w+)", 1) + ": not_nullable")
        faults = pl.concat([faults, found.join(wrong, on=["row", "reason"], how="anti")], how="vertical_relaxed")
    numbered = typed.with_row_index("row")
    by_row = faults.group_by("row").agg(pl.col("reason").unique().sort().str.join("; ").alias("reasons"))
    counts = faults.group_by("reason").len().sort("reason")
    original = raw.with_row_index("row")
    return Checked(
        valid=numbered.join(by_row, on="row", how="anti", maintain_order="left").drop("row"),
        quarantined=original.join(by_row, on="row", how="inner", maintain_order="left").drop("row"),
        reasons=dict(zip(counts["reason"].to_list(), counts["len"].to_list(), strict=True)),
    )
