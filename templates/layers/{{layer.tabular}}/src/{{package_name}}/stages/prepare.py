"""Stage `prepare`: split the records into those to train with and those that the gate holds out.

    python -m <package>.stages.prepare --valid DIR --config DIR --train DIR --holdout DIR

The side of a record follows from its id and the salt alone. So a record never changes sides when others are
added, the same record is never on both, and the order of the rows does not matter.
"""

import argparse
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl

from ..model.contract import ID
from ..ops.errors import DONE, OpsError, run_main
from .configuration import read_training
from .tables import read_table, write_table


def position(record_id: str, salt: str) -> float:
    """A record's fixed place in [0, 1), as good as random, from the SHA-256 of salt and id."""
    digest = hashlib.sha256(f"{salt}\0{record_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def held_out(record_ids: Iterable[str], share: float, salt: str) -> list[bool]:
    """Whether each record belongs to the holdout."""
    return [position(record_id, salt) < share for record_id in record_ids]


def main(argv: Sequence[str] | None = None) -> int:
    """Split the records of a folder; see the module's text."""
    parser = argparse.ArgumentParser(description="Split the records into training and holdout.")
    parser.add_argument("--valid", type=Path, required=True, help="folder of valid records")
    parser.add_argument("--config", type=Path, required=True, help="folder of settings")
    parser.add_argument("--train", type=Path, required=True, help="folder for the training records")
    parser.add_argument("--holdout", type=Path, required=True, help="folder for the records held out")
    parser.add_argument("--sample-fraction", type=float, default=1.0, help="share of the records to use")
    parser.add_argument("--seed", type=int, default=42, help="draws the sample")
    given = parser.parse_args(argv)
    if not 0.0 < given.sample_fraction <= 1.0:
        raise OpsError(f"The sample fraction is {given.sample_fraction:g}.", "Give one above 0 and up to 1.")

    split = read_training(given.config).split
    records = read_table(given.valid / "data.parquet").sort(ID)
    if given.sample_fraction < 1.0:
        records = records.filter(held_out(records[ID], given.sample_fraction, f"sample {given.seed}"))
    is_holdout = pl.Series(held_out(records[ID], split.holdout_share, split.salt), dtype=pl.Boolean)
    train, holdout = records.filter(~is_holdout), records.filter(is_holdout)
    if train.is_empty() or holdout.is_empty():
        raise OpsError(
            f"Of {records.height} records, {train.height} are left to train with and {holdout.height} held out.",
            "Give more records, or change split.holdout_share in training.yml.",
        )
    write_table(given.train / "train.parquet", train)
    write_table(given.holdout / "holdout.parquet", holdout)
    print(f"{train.height} records to train with, {holdout.height} held out.")
    return DONE


if __name__ == "__main__":
    run_main(main)
