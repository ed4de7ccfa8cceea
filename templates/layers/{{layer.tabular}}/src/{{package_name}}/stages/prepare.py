"""Stage `prepare`: split rows into training and holdout by a hash of their id.

A row's side depends on its id alone, so a row never changes sides when data are added, reordered or sampled, and
no row of an old holdout is ever trained on.
"""

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from ..model.contract import ID
from ..ops.errors import DONE, OpsError, run_main
from ..ops.settings import read_settings
from .frames import read_table, write_table

_SIDE = "side"
_SAMPLE = "sample"


@dataclass(frozen=True)
class SplitSettings:
    """What `config/split.yml` holds: the share of ids in the holdout, and the text that separates splits."""

    holdout_share: float
    salt: str


def unit_hash(text: str) -> float:
    """A number in [0, 1) that depends on a text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / (1 << 48)


def _hashes(frame: pl.DataFrame, salt: str) -> pl.Series:
    return pl.Series([unit_hash(f"{salt}:{row_id}") for row_id in frame[ID].to_list()], dtype=pl.Float64)


def split(
    frame: pl.DataFrame, settings: SplitSettings, sample_fraction: float, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Training and holdout rows, each sorted by id; `seed` changes which rows a sample holds, never their side."""
    ordered = frame.sort(ID)
    if sample_fraction < 1.0:
        ordered = ordered.filter(_hashes(ordered, f"{_SAMPLE}{seed}") < sample_fraction)
    is_holdout = _hashes(ordered, f"{_SIDE}{settings.salt}") < settings.holdout_share
    return ordered.filter(~is_holdout), ordered.filter(is_holdout)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and split."""
    parser = argparse.ArgumentParser(description="Split valid rows into training and holdout.")
    for name in ("valid", "config", "train", "holdout"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--sample-fraction", type=float, default=1.0)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args(argv)
    settings = read_settings(SplitSettings, given.config / "split.yml")
    frame = read_table(given.valid / "data.parquet")
    train, holdout = split(frame, settings, given.sample_fraction, given.seed)
    if not len(train) or not len(holdout):
        problem = f"{len(frame)} rows leave {len(train)} for training and {len(holdout)} for the holdout."
        raise OpsError(problem, "Give more rows, or a larger --sample-fraction.")
    write_table(train, given.train / "train.parquet")
    write_table(holdout, given.holdout / "holdout.parquet")
    print(f"{len(train)} rows for training, {len(holdout)} for the holdout.")
    return DONE


if __name__ == "__main__":
    run_main(main)
