"""Stage `validate`: rows that keep the contract go on, the others are set aside with their reasons."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model.contract import Application, LabelledApplication
from ..ops.errors import DONE, REFUSED, run_main
from ..ops.files import sha256_of, write_json
from ..ops.settings import read_settings
from .frames import check_columns, check_rows, read_raw, write_table


@dataclass(frozen=True)
class ValidationSettings:
    """What `config/validation.yml` holds: the share of bad rows from which the whole data set is refused."""

    maximum_bad_share: float


def validate(raw: Path, config: Path, valid: Path, quarantine: Path, report: Path, *, labelled: bool) -> int:
    """Check all tables of a folder; refuse them as a whole when columns are wrong or too many rows are bad.

    Returns:
        0, or 3 when the share of bad rows is above the limit; the report is written in both cases.

    Raises:
        OpsError: A table that cannot be read, or whose columns are not the contract's.
    """
    settings = read_settings(ValidationSettings, config / "validation.yml")
    schema = LabelledApplication if labelled else Application
    rows = read_raw(raw)
    check_columns(rows.columns, schema, str(raw))
    checked = check_rows(rows, schema)
    write_table(checked.quarantined, quarantine / "rows.parquet")
    share = len(checked.quarantined) / max(len(rows), 1)
    refused = share > settings.maximum_bad_share or len(checked.valid) == 0
    facts = {"rows": len(rows), "valid": len(checked.valid), "quarantined": len(checked.quarantined)}
    verdict = {"verdict": "refused" if refused else "accepted", "maximum_bad_share": settings.maximum_bad_share}
    write_json(report, {**facts, **verdict, "reasons": checked.reasons, "source_sha256": sha256_of(raw)})
    print(f"{facts['valid']} of {facts['rows']} rows keep the contract, {facts['quarantined']} are set aside.")
    if refused:
        limit = settings.maximum_bad_share
        print(f"{raw} is refused: {share:.1%} of its rows are bad, more than {limit:.1%}; see {report}.", file=sys.stderr)
        return REFUSED
    write_table(checked.valid, valid / "data.parquet")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and validate."""
    parser = argparse.ArgumentParser(description="Check raw data against the contract.")
    for name in ("raw", "config", "valid", "quarantine", "report"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--unlabelled", action="store_true", help="the rows have no label yet")
    given = parser.parse_args(argv)
    labelled = not given.unlabelled
    return validate(given.raw, given.config, given.valid, given.quarantine, given.report, labelled=labelled)


if __name__ == "__main__":
    run_main(main)
