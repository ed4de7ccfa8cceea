"""Stage `monitor`: is a batch still what the model was made for?

    python -m <package>.stages.monitor --reference DIR --current DIR --config DIR --report DIR

Compares the batch with the training data, column by column; the model's predictions on it with those on the
records that were held out in training; and counts the records that break the contract. With `--labels`, the truth
about the batch, it also measures how well the model did. Writes `report.json` and `report.html`. The exit code is
0 for the verdict ok, and 3 for drift, bad_data, degraded and insufficient_data. In Azure ML, drift and degraded tag
the job as its own monitors do, and the event of the failed job asks for a training.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..model import features
from ..model.contract import CATEGORIES, ID, LABEL, RANGES
from ..ops.bootstrap import Resampling, metric_interval
from ..ops.drift import Column, DriftFinding, find_drift
from ..ops.errors import DONE, REFUSED, OpsError, run_main
from ..ops.files import write_json
from ..ops.registry import CHAMPION
from ..ops.report import monitoring_report, write_report
from ..ops.settings import read_settings
from ..ops.tracking import tag_job
from .bundle import Bundle
from .measures import METRICS
from .prepare import held_out
from .records import ContractBrokenError, opened
from .serving import load_version

_CHUNK_ROWS: Final = 100_000
_PREDICTION: Final = "prediction"
_FEW_VALUES: Final = 10  # numbers with no more distinct values are compared as categories
_ALARM: Final = {
    "azureml_modelmonitor_threshold_breached": (
        "monitor has failed due to one or more features violating metric thresholds"
    )
}
_RESAMPLING: Final = Resampling(confidence=0.9, resamples=500, seed=7)


@dataclass(frozen=True)
class MonitoringSettings:
    """What `config/monitoring.yml` holds."""

    level: float
    index_limit: float
    minimum_rows: int
    sample_rows: int
    maximum_quarantined_share: float
    maximum_fault_share: float
    maximum_auc_loss: float


@dataclass(frozen=True)
class Sample:
    """Valid records of a source, at most as many as were asked for, and what was wrong with the others."""

    records: pl.DataFrame
    rows: int
    quarantined: int
    faults: Counter[str]


@dataclass(frozen=True)
class Check:
    """One figure against its limit; a breach is what the verdict is made of."""

    kind: str
    name: str
    value: float
    limit: float
    is_breached: bool
    reason: str


@dataclass(frozen=True)
class Report:
    """The verdict on a batch, the reasons for it, every check, and what the tests of drift found."""

    verdict: str
    reasons: tuple[str, ...]
    checks: tuple[Check, ...] = ()
    findings: tuple[DriftFinding, ...] = ()


def read_sample(folder: Path, rows: int, *, labelled: bool) -> Sample:
    """Check all records of a folder in chunks, and keep a fixed sample of the valid ones."""
    faults: Counter[str] = Counter()
    kept, quarantined = [], 0
    with opened(folder, labelled=labelled) as source:
        share = min(1.0, rows / max(source.rows, 1))
        for checked in source.chunks(_CHUNK_ROWS):
            kept.append(checked.valid if share == 1.0 else checked.valid.sample(fraction=share, seed=7))
            faults += checked.reasons()
            quarantined += checked.quarantined.height
        if not kept:
            raise OpsError(f"{folder} holds no records.", "Give a folder with at least one record.")
        return Sample(pl.concat(kept), source.rows, quarantined, faults)


def quality(sample: Sample, settings: MonitoringSettings) -> list[Check]:
    """The shares of bad records: in all, and by each reason."""
    shares = [("records that break the contract", sample.quarantined, settings.maximum_quarantined_share)]
    shares += [(reason, count, settings.maximum_fault_share) for reason, count in sorted(sample.faults.items())]
    checks = []
    for name, count, limit in shares:
        share = count / max(sample.rows, 1)
        reason = f"{name}: {share:.1%} of {sample.rows} records; the limit is {limit:.1%}."
        checks.append(Check("quality", name, share, limit, share > limit, reason))
    return checks


def drift(
    reference: pl.DataFrame, current: pl.DataFrame, model: Bundle, settings: MonitoringSettings
) -> tuple[DriftFinding, ...]:
    """Every column, and the predictions, against the reference; one chance of a false alarm for all together."""
    columns = [_column(name, reference[name], current[name]) for name in (*RANGES, *CATEGORIES)]
    unseen = _unseen(reference, model)
    columns.append(Column(_PREDICTION, model.score(unseen), model.score(current)))
    return find_drift(columns, settings.level, settings.index_limit)


def _unseen(reference: pl.DataFrame, model: Bundle) -> pl.DataFrame:
    """The records that the model was not trained on: on the others its predictions are surer than they should be."""
    share, salt = model.facts.split["holdout_share"], model.facts.split["salt"]
    unseen = reference.filter(held_out(reference[ID], float(str(share)), str(salt)))
    if unseen.is_empty():
        raise OpsError("The reference holds no record that the model has not seen.", "Give the whole training data.")
    return unseen


def _column(name: str, reference: pl.Series, current: pl.Series) -> Column:
    if reference.dtype.is_numeric() and reference.n_unique() > _FEW_VALUES:
        return Column(name, reference.to_numpy().astype(np.float64), current.to_numpy().astype(np.float64))
    return Column(name, _texts(reference), _texts(current))


def _texts(series: pl.Series) -> NDArray[np.str_]:
    return series.cast(pl.String).to_numpy().astype(np.str_)


def _drift_check(found: DriftFinding, settings: MonitoringSettings) -> Check:
    kind = "prediction" if found.name == _PREDICTION else "drift"
    reason = f"{found.name}: stability index {found.stability_index:.3f}, corrected p-value {found.p_value:.2g}."
    return Check(kind, found.name, found.stability_index, settings.index_limit, found.has_drifted, reason)


def performance(
    reference: pl.DataFrame, current: pl.DataFrame, truth: Path, model: Bundle, settings: MonitoringSettings
) -> list[Check]:
    """The AUC on the labelled records of the batch against that on the records held out in training."""
    metric, unseen = METRICS["auc"], _unseen(reference, model)
    expected = metric.function(features.labels(unseen), model.score(unseen))
    known = current.join(_read_truth(truth), on=ID, how="inner")
    labels = features.labels(known)
    if len(labels) < settings.minimum_rows or len(np.unique(labels)) == 1:
        reason = f"{len(labels)} records have a label, too few or of one class only, so the AUC is not judged."
        return [Check("performance", "auc", float(len(labels)), float(settings.minimum_rows), False, reason)]  # noqa: FBT003
    found = metric_interval(metric, labels, model.score(known), _RESAMPLING)
    limit = expected - settings.maximum_auc_loss
    reason = (
        f"auc: {found.value:.3f} ({found.low:.3f} to {found.high:.3f}) on {len(labels)} records, "
        f"{expected:.3f} expected; the upper end must reach {limit:.3f}."
    )
    return [Check("performance", "auc", found.value, limit, found.high < limit, reason)]


def _read_truth(folder: Path) -> pl.DataFrame:
    files = sorted(folder.glob("*.csv"))
    none = pl.DataFrame(schema={ID: pl.String, LABEL: pl.Int64})
    try:
        return pl.concat(
            [none, *(pl.read_csv(path, columns=[ID, LABEL], schema_overrides=none.schema) for path in files)]
        )
    except pl.exceptions.PolarsError as error:
        problem = str(error).split("\n", maxsplit=1)[0]
        raise OpsError(f"{folder} holds no labels: {problem}.", f"Give files with {ID} and {LABEL}.") from None


def verdict(checks: Sequence[Check], valid: int, settings: MonitoringSettings) -> tuple[str, list[str]]:
    """The gravest of what was found, and the reasons for it."""
    words = (("quality", "bad_data"), ("performance", "degraded"), ("drift", "drift"), ("prediction", "drift"))
    breached = [check for check in checks if check.is_breached]
    for kind, word in words:
        if any(check.kind == kind for check in breached):
            return word, [check.reason for check in breached]
    if valid < settings.minimum_rows:
        return "insufficient_data", [f"{valid} valid records; at least {settings.minimum_rows} are needed."]
    return "ok", []


def monitor(reference: Path, current: Path, labels: Path | None, model: Bundle, settings: MonitoringSettings) -> Report:
    """Judge a batch.

    Raises:
        OpsError: The reference is not the training data.
        ContractBrokenError: A file of the batch has wrong columns or types.
    """
    before = read_sample(reference, settings.sample_rows, labelled=True).records
    after = read_sample(current, settings.sample_rows, labelled=False)
    checks = quality(after, settings)
    findings: tuple[DriftFinding, ...] = ()
    if after.records.height >= settings.minimum_rows:
        findings = drift(before, after.records, model, settings)
        checks += [_drift_check(found, settings) for found in findings]
        checks += performance(before, after.records, labels, model, settings) if labels else []
    word, reasons = verdict(checks, after.records.height, settings)
    return Report(word, tuple(reasons), tuple(checks), findings)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and monitor."""
    parser = argparse.ArgumentParser(description="Look for drift and bad data in a batch.")
    parser.add_argument("--reference", type=Path, required=True, help="folder of the labelled training data")
    parser.add_argument("--current", type=Path, required=True, help="folder of the batch")
    parser.add_argument("--labels", type=Path, help="folder of CSV files with the truth about the batch, once known")
    parser.add_argument("--config", type=Path, required=True, help="folder of settings")
    parser.add_argument("--report", type=Path, required=True, help="folder for the report")
    parser.add_argument("--model-version", default=CHAMPION, help="champion (default) or a version's number")
    given = parser.parse_args(argv)
    settings = read_settings(MonitoringSettings, given.config / "monitoring.yml")
    version, model = load_version(given.model_version)
    try:
        report = monitor(given.reference, given.current, given.labels, model, settings)
    except ContractBrokenError as error:
        report = Report("bad_data", (str(error),))
    write_json(given.report / "report.json", asdict(report) | {"model_version": version.number})
    page = monitoring_report(report.verdict, report.reasons, report.findings, settings.index_limit)
    write_report(given.report / "report.html", page)
    is_ok = report.verdict == "ok"
    if report.verdict in ("drift", "degraded"):
        tag_job(_ALARM)
    print(f"Verdict: {report.verdict}. {' '.join(report.reasons)}", file=sys.stdout if is_ok else sys.stderr)
    print(f"The report is {given.report / 'report.html'}.")
    return DONE if is_ok else REFUSED


if __name__ == "__main__":
    run_main(main)
