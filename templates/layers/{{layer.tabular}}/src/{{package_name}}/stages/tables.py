"""Parquet files that are whole or absent, also when they are larger than memory."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import polars as pl

from ..ops.errors import OpsError

_ROW_GROUP: Final = 100_000


def read_table(path: Path) -> pl.DataFrame:
    """Read a table, or say which one is missing."""
    if not path.is_file():
        raise OpsError(f"{path} does not exist.", "Run the stage that writes it.")
    return pl.read_parquet(path)


def write_table(path: Path, frame: pl.DataFrame) -> None:
    """Write a table so that a reader sees the old or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    frame.write_parquet(temporary)
    os.replace(temporary, path)


def assemble(parts: Sequence[Path], path: Path) -> None:
    """Put tables of the same columns after one another, in bounded memory; equal parts give equal bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    pl.scan_parquet(list(parts)).sink_parquet(temporary, row_group_size=_ROW_GROUP, maintain_order=True)
    os.replace(temporary, path)


class PartWriter:
    """Writes a table chunk by chunk; the file appears at the end, when all went well."""

    def __init__(self, path: Path) -> None:
        """Remember the target; parts stand in a hidden folder beside it."""
        self._path = path
        self._folder = path.with_name(f".{path.name}.{os.getpid()}.parts")
        self._parts: list[Path] = []

    def __enter__(self) -> Self:
        """Make the folder for the parts."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        return self

    def write(self, frame: pl.DataFrame) -> None:
        """Add rows."""
        part = self._folder / f"{len(self._parts):05}.parquet"
        frame.write_parquet(part)
        self._parts.append(part)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Put the parts together, unless something failed, and remove them."""
        try:
            if kind is None:
                assemble(self._parts, self._path)
        finally:
            shutil.rmtree(self._folder)
