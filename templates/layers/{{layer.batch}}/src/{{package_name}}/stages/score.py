"""Stage `score`: write a prediction for each record of a batch, in chunks, so that memory stays bounded.

Each chunk becomes a part file that is whole or absent. A restart goes on after the last part, and the parts are
joined in order at the end, so an interrupted run gives the same file as an undisturbed one. A batch that was
scored already, with the same model and settings, is recognised and left alone.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..model.contract import ID, Application
from ..model.estimator import predict
from ..model.features import encode
from ..ops.errors import DONE, OpsError, run_main
from ..ops.files import read_json, remove, sha256_of, write_json
from ..ops.registry import CHAMPION, ModelVersion, Registry
from ..ops.settings import read_settings
from .evaluate import ScoringSettings
from .frames import check_columns, check_rows, scan, table_files, write_table
from .model_files import load_model


_REPEATED = f"{ID}: repeated in the batch"


@dataclass(frozen=True)
class Job:
    """What is scored with which model; equal jobs give equal files."""

    batch_sha256: str
    model_version: int
    run_id: str
    threshold: float
    chunk_rows: int


def chosen_version(registry: Registry, wanted: str) -> ModelVersion:
    """The champion, or a version by its number.

    Raises:
        OpsError: There is no champion, or no such version.
    """
    if wanted != CHAMPION:
        if not wanted.isdecimal():
            raise OpsError(f"{wanted!r} is no version of a model.", "Give champion or a number.")
        return registry.version(int(wanted))
    champion = registry.champion()
    if champion is None:
        raise OpsError(f"{registry.name} has no champion.", "Train, register and promote a model first.")
    return champion


def _chunks(files: Sequence[Path], rows: int) -> Iterator[tuple[str, pl.DataFrame]]:
    for number, file in enumerate(files):
        try:
            frames = scan(file).collect_batches(chunk_size=rows, maintain_order=True)
            for index, frame in enumerate(_even(frames, rows)):
                yield f"{number:05d}-{index:06d}", frame
        except (pl.exceptions.PolarsError, OSError) as error:
            raise OpsError(f"{file} cannot be read as a table: {error}.", "Mend or replace the file.") from None


def _even(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """The same rows in chunks of exactly `rows`, whatever sizes the reader gives, but for the last."""
    waiting: list[pl.DataFrame] = []
    held = 0
    for frame in frames:
        waiting.append(frame)
        held += len(frame)
        while held >= rows:
            joined = pl.concat(waiting, rechunk=True)
            yield joined.head(rows)
            waiting, held = [joined.slice(rows)], held - rows
    if held:
        yield pl.concat(waiting, rechunk=True)


class KnownIds:
    """The ids seen so far, as sorted 64-bit hashes: eight bytes a record, whatever an id's length."""

    def __init__(self) -> None:
        """Start with none."""
        self._hashes = np.empty(0, dtype=np.uint64)

    def add(self, ids: pl.Series) -> NDArray[np.bool_]:
        """Remember ids; gives for each whether it was new."""
        hashes = ids.hash(seed=0).to_numpy()
        fresh = ~np.isin(hashes, self._hashes)
        self._hashes = np.union1d(self._hashes, hashes)
        return fresh


def _predictions(valid: pl.DataFrame, booster: lgb.Booster, job: Job) -> pl.DataFrame:
    scores = predict(booster, encode(valid)) if len(valid) else np.empty(0)
    return valid.select(ID).with_columns(
        pl.Series("score", scores, dtype=pl.Float64),
        pl.Series("is_refused", scores >= job.threshold, dtype=pl.Boolean),
        pl.lit(job.model_version).alias("model_version"),
        pl.lit(job.run_id).alias("run_id"),
    )


def _score_chunk(chunk: pl.DataFrame, booster: lgb.Booster, job: Job, known: KnownIds, part: Path) -> None:
    checked = check_rows(chunk, Application)
    fresh = pl.Series(known.add(checked.valid[ID]), dtype=pl.Boolean)
    valid, reasons, aside = checked.valid.filter(fresh), dict(checked.reasons), checked.quarantined
    if len(valid) < len(checked.valid):
        reasons[_REPEATED] = len(checked.valid) - len(valid)
        again = chunk.filter(pl.col(ID).is_in(checked.valid.filter(~fresh)[ID].implode()))
        aside = pl.concat([aside, again.with_columns(pl.lit(_REPEATED).alias("reasons"))])
    write_table(aside, part.with_suffix(".quarantine.parquet"))
    write_json(part.with_suffix(".json"), {"rows": len(chunk), "scored": len(valid), "reasons": reasons})
    # Last: a part that is there tells that its chunk is finished.
    write_table(_predictions(valid, booster, job), part)


def _join(parts: Sequence[Path], target: Path) -> None:
    temporary = target.with_name(f".{target.name}.tmp")
    pl.scan_parquet(list(parts)).sink_parquet(temporary, compression="zstd", statistics=False, maintain_order=True)
    temporary.replace(target)


def _summary(parts: Sequence[Path]) -> dict[str, object]:
    rows = scored = 0
    reasons: dict[str, int] = {}
    for part in parts:
        facts = read_json(part.with_suffix(".json"))
        assert isinstance(facts, dict)
        rows, scored = rows + facts["rows"], scored + facts["scored"]
        for reason, count in facts["reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    return {"rows": rows, "scored": scored, "set_aside": rows - scored, "reasons": dict(sorted(reasons.items()))}


def score(batch: Path, booster: lgb.Booster, job: Job, predictions: Path) -> dict[str, object]:
    """Score every table of a folder; gives the manifest that stands beside `predictions.parquet`.

    Raises:
        OpsError: A table that cannot be read, or whose columns are not the contract's.
    """
    manifest, parts_folder = predictions / "manifest.json", predictions / "parts"
    target = predictions / "predictions.parquet"
    started = {"job": asdict(job)}
    if manifest.is_file() and target.is_file():
        known_manifest = read_json(manifest)
        if isinstance(known_manifest, dict) and known_manifest["job"] == started["job"]:
            return known_manifest
    job_file = parts_folder / "job.json"
    if not job_file.is_file() or read_json(job_file) != started:
        remove(parts_folder)
        write_json(job_file, started)
    files = table_files(batch)
    for file in files:
        check_columns(scan(file).collect_schema().names(), Application, str(file))
    known_ids = KnownIds()
    parts = []
    for name, chunk in _chunks(files, job.chunk_rows):
        part = parts_folder / f"{name}.parquet"
        parts.append(part)
        if part.is_file():
            known_ids.add(pl.read_parquet(part, columns=[ID])[ID])
        else:
            _score_chunk(chunk, booster, job, known_ids, part)
    if not parts:
        raise OpsError(f"{batch} holds no rows.", "Give a batch with at least one record.")
    _join(parts, target)
    _join([part.with_suffix(".quarantine.parquet") for part in parts], predictions / "quarantine.parquet")
    result = started | _summary(parts) | {"predictions_sha256": sha256_of(target)}
    write_json(manifest, result)
    remove(parts_folder)
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and score."""
    parser = argparse.ArgumentParser(description="Score a batch with the champion.")
    for name in ("batch", "config", "predictions"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--model-version", default=CHAMPION, help="champion (default) or a version's number")
    given = parser.parse_args(argv)
    settings = read_settings(ScoringSettings, given.config / "scoring.yml")
    registry = Registry()
    version = chosen_version(registry, given.model_version)
    job = Job(sha256_of(given.batch), version.number, version.run_id, settings.threshold, settings.chunk_rows)
    with tempfile.TemporaryDirectory() as folder:
        booster = load_model(registry.download(version.number, Path(folder)))
        result = score(given.batch, booster, job, given.predictions)
    print(f"{result['scored']} of {result['rows']} records scored by version {version.number}; {result['set_aside']} set aside.")
    return DONE


if __name__ == "__main__":
    run_main(main)
