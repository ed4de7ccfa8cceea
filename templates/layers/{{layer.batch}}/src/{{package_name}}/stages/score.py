"""Stage `score`: write a prediction for each record of a batch, in chunks, so that memory stays bounded.

    python -m <package>.stages.score --input DIR --config DIR --predictions DIR

Writes `predictions.parquet`, `quarantine.parquet` (records that break the contract, with their reasons) and, last,
`manifest.json`. Each chunk becomes a part that is whole or absent. After a kill the same command goes on with the
first part that is missing, and gives the same bytes as an undisturbed run. A batch that was scored already by the
same model, code and settings is recognised and left alone. A batch with too many bad records is refused with
exit code 3.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import polars as pl

from ..model import estimator
from ..model.contract import ID
from ..ops.errors import DONE, REFUSED, OpsError, run_main
from ..ops.files import read_mapping, remove, sha256_of, write_json
from ..ops.registry import CHAMPION
from ..ops.settings import read_settings
from .bundle import Bundle
from .records import REASONS, SEPARATOR, ContractBrokenError, Source, open_records
from .serving import load_version
from .tables import assemble, write_table

_CODE: Final = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class ScoringSettings:
    """What `config/scoring.yml` holds: rows in a chunk, and the share of bad rows from which a batch is refused."""

    chunk_rows: int
    maximum_quarantined_share: float


@dataclass(frozen=True)
class Job:
    """What is scored, by which model and code; equal jobs give equal files."""

    input_sha256: str
    code_sha256: str
    model_version: int
    run_id: str
    chunk_rows: int


def score(batch: Path, model: Bundle, job: Job, limit: float, predictions: Path) -> dict[str, object]:
    """Score every record of a folder; gives the manifest that stands beside `predictions.parquet`.

    Args:
        batch: Folder of CSV or parquet files without labels.
        model: The model of the job's version.
        job: What makes the result what it is.
        limit: The share of bad records above which the batch is refused.
        predictions: Folder for the result; it may hold what an interrupted run of the same job left.

    Raises:
        OpsError: The folder holds no records.
        ContractBrokenError: Columns or types are wrong, or too many records are bad.
    """
    finished = _finished(job, predictions)
    if finished is not None:
        return finished
    work = predictions / ".work"
    _enter(work, job)
    source = open_records(batch, work, labelled=False)
    if source.rows == 0:
        raise OpsError(f"{batch} holds no records.", "Give a batch with at least one record.")
    parts = _score_chunks(source, model, job, work)
    counts = _counts(source.rows, [_aside(part) for part in parts])
    manifest = predictions / "manifest.json"
    remove(manifest)  # it vouches for the files beside it, which are about to change
    assemble([_aside(part) for part in parts], predictions / "quarantine.parquet")
    if counts.quarantined > limit * counts.rows:
        remove(work)
        problem = f"{counts.quarantined} of {counts.rows} records break the data contract, more than {limit:.1%}"
        see = f"See {predictions / 'quarantine.parquet'}, and ask the source for a better batch."
        raise ContractBrokenError(f"{problem}: {counts.most_common()}.", see)
    assemble(parts, predictions / "predictions.parquet")
    facts = asdict(counts) | {"predictions_sha256": sha256_of(predictions / "predictions.parquet")}
    facts |= {"job": asdict(job), "scored": counts.rows - counts.quarantined}
    write_json(manifest, facts)
    remove(work)
    return facts


@dataclass(frozen=True)
class Counts:
    """Records in the batch, those of them set aside, and how many of these have each reason."""

    rows: int
    quarantined: int
    reasons: dict[str, int]

    def most_common(self) -> str:
        """The three most common reasons as a text."""
        return ", ".join(f"{reason} ({count})" for reason, count in Counter(self.reasons).most_common(3))


def _finished(job: Job, predictions: Path) -> dict[str, object] | None:
    manifest, table = predictions / "manifest.json", predictions / "predictions.parquet"
    if not manifest.is_file() or not table.is_file():
        return None
    facts = read_mapping(manifest)
    if facts.get("job") != asdict(job) or facts.get("predictions_sha256") != sha256_of(table):
        return None
    remove(predictions / ".work")
    return facts


def _enter(work: Path, job: Job) -> None:
    """Go on in the folder of an interrupted run of the same job, or begin a new one."""
    known = work / "job.json"
    if not known.is_file() or read_mapping(known) != asdict(job):
        remove(work)
        write_json(known, asdict(job))


def _aside(part: Path) -> Path:
    return part.with_name(f"{part.stem}.quarantine.parquet")


def _score_chunks(source: Source, model: Bundle, job: Job, work: Path) -> list[Path]:
    parts = []
    for number, start in enumerate(range(0, source.rows, job.chunk_rows)):
        part = work / "parts" / f"{number:06}.parquet"
        parts.append(part)
        if part.is_file():
            continue
        checked = source.chunk(start, job.chunk_rows)
        write_table(_aside(part), checked.quarantined)
        # Last: a part that is there tells that its chunk is finished.
        write_table(part, predict(checked.valid, model, job))
    return parts


def predict(records: pl.DataFrame, model: Bundle, job: Job) -> pl.DataFrame:
    """Id, score, decision, model version and run id for each valid record, in order."""
    scores = model.score(records)
    return records.select(ID).with_columns(
        pl.Series("score", scores, dtype=pl.Float64),
        pl.Series("decision", estimator.decide(scores, model.facts.threshold), dtype=pl.String),
        pl.lit(job.model_version, dtype=pl.Int64).alias("model_version"),
        pl.lit(job.run_id, dtype=pl.String).alias("run_id"),
    )


def _counts(rows: int, asides: Sequence[Path]) -> Counts:
    texts = pl.scan_parquet(list(asides)).group_by(REASONS).len().collect(engine="streaming")
    reasons: Counter[str] = Counter()
    for text, count in texts.rows():
        reasons.update(dict.fromkeys(text.split(SEPARATOR), count))
    return Counts(rows, int(texts["len"].sum()), dict(reasons))


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and score."""
    parser = argparse.ArgumentParser(description="Score a batch with the champion.")
    parser.add_argument("--input", type=Path, required=True, help="folder of CSV or parquet files without labels")
    parser.add_argument("--config", type=Path, required=True, help="folder of settings")
    parser.add_argument("--predictions", type=Path, required=True, help="folder for the predictions")
    parser.add_argument("--model-version", default=CHAMPION, help="champion (default) or a version's number")
    given = parser.parse_args(argv)
    settings = read_settings(ScoringSettings, given.config / "scoring.yml")
    if settings.chunk_rows < 1:
        raise OpsError(f"scoring.yml: chunk_rows is {settings.chunk_rows}.", "Give at least 1.")
    version, model = load_version(given.model_version)
    job = Job(sha256_of(given.input), sha256_of(_CODE), version.number, version.run_id, settings.chunk_rows)
    try:
        facts = score(given.input, model, job, settings.maximum_quarantined_share, given.predictions)
    except ContractBrokenError as error:
        print(error, file=sys.stderr)
        return REFUSED
    print(f"{facts['scored']} of {facts['rows']} records scored by version {version.number}; the others are set aside.")
    return DONE


if __name__ == "__main__":
    run_main(main)
