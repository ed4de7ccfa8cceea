"""Stage `validate`: hold new records against the data contract.

    python -m <package>.stages.validate --raw DIR --config DIR --valid DIR --quarantine DIR --report FILE

Rows that break the contract go to `quarantine/rows.parquet`, each with its reasons; the others to
`valid/data.parquet`. A file with wrong columns, or with too many such rows, is refused with exit code 3.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ..ops.errors import DONE, REFUSED, run_main
from ..ops.files import sha256_of, write_json
from .configuration import read_training
from .records import ContractBrokenError, Source, opened
from .tables import PartWriter

_CHUNK_ROWS: Final = 100_000


def validate(raw: Path, valid: Path, quarantine: Path, limit: float, *, labelled: bool) -> dict[str, object]:
    """Write the rows that keep the contract and those that break it; gives the counts.

    Raises:
        ContractBrokenError: Columns or types are wrong, or a larger share than `limit` of the rows is bad.
    """
    with opened(raw, labelled=labelled) as source:
        rows = source.rows
        if rows == 0:
            raise ContractBrokenError(f"{raw} holds no rows.", "Ask the source for the data.")
        reasons, quarantined = _divide(source, valid, quarantine)
    if quarantined > limit * rows or rows == quarantined:
        shown = ", ".join(f"{reason} ({count})" for reason, count in reasons.most_common(3))
        problem = f"{quarantined} of {rows} rows in {raw} break the contract, more than {limit:.1%}: {shown}."
        raise ContractBrokenError(problem, f"See {quarantine}, and ask the source for a better file.")
    counts: dict[str, object] = {"rows": rows, "valid": rows - quarantined, "quarantined": quarantined}
    return counts | {"reasons": dict(reasons)}


def _divide(source: Source, valid: Path, quarantine: Path) -> tuple[Counter[str], int]:
    """Write the two kinds of rows; gives the reasons and the number of rows set aside."""
    reasons: Counter[str] = Counter()
    count = 0
    with PartWriter(valid / "data.parquet") as kept, PartWriter(quarantine / "rows.parquet") as aside:
        for checked in source.chunks(_CHUNK_ROWS):
            kept.write(checked.valid)
            aside.write(checked.quarantined)
            reasons += checked.reasons()
            count += checked.quarantined.height
    return reasons, count


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and validate."""
    parser = argparse.ArgumentParser(description="Hold new records against the data contract.")
    parser.add_argument("--raw", type=Path, required=True, help="folder of CSV or parquet files")
    parser.add_argument("--config", type=Path, required=True, help="folder of settings")
    parser.add_argument("--valid", type=Path, required=True, help="folder for the rows that keep the contract")
    parser.add_argument("--quarantine", type=Path, required=True, help="folder for the rows that break it")
    parser.add_argument("--report", type=Path, required=True, help="JSON file for the counts")
    parser.add_argument("--unlabelled", action="store_true", help="the records have no label yet")
    given = parser.parse_args(argv)
    limit = read_training(given.config).contract.maximum_quarantined_share
    report: dict[str, object] = {"source_sha256": sha256_of(given.raw), "refused": ""}
    try:
        report |= validate(given.raw, given.valid, given.quarantine, limit, labelled=not given.unlabelled)
    except ContractBrokenError as error:
        write_json(given.report, report | {"refused": str(error)})
        print(error, file=sys.stderr)
        return REFUSED
    write_json(given.report, report)
    print(f"{report['valid']} of {report['rows']} rows keep the contract, {report['quarantined']} are set aside.")
    return DONE


if __name__ == "__main__":
    run_main(main)
