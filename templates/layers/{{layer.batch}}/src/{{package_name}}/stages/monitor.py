"""Stage `monitor`: has the batch drifted from the training data, or is it bad?"""

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl

from ..model.contract import ID, LABEL, Application, LabelledApplication
from ..model.estimator import predict
from ..model.features import encode
from ..ops.drift import Column, DriftFinding, find_drift
from ..ops.errors import DONE, REFUSED, run_main
from ..ops.files import write_json
from ..ops.registry import CHAMPION, Registry
from ..ops.report import monitoring_report, write_report
from ..ops.settings import read_settings
from .frames import Checked, check_columns, check_rows, read_raw
from .model_files import load_model
from .score import chosen_version


@dataclass(frozen=True)
class MonitoringSettings:
    """What `config/monitoring.yml` holds."""

    level: float
    index_limit: float
    minimum_rows: int
    maximum_bad_share: float


def _columns(reference: pl.DataFrame, current: pl.DataFrame) -> list[Column]:
    columns = []
    for name in reference.columns:
        if name in (ID, LABEL):
            continue
        kind = np.float64 if reference[name].dtype.is_numeric() and reference[name].n_unique() > 10 else np.str_
        columns.append(Column(name, reference[name].to_numpy().astype(kind), current[name].to_numpy().astype(kind)))
    return columns


def _verdict(settings: MonitoringSettings, current: Checked, findings: Sequence[DriftFinding]) -> tuple[str, list[str]]:
    rows = len(current.valid) + len(current.quarantined)
    bad_share = len(current.quarantined) / max(rows, 1)
    if bad_share > settings.maximum_bad_share:
        return "bad_data", [f"{bad_share:.1%} of the rows break the contract, more than {settings.maximum_bad_share:.1%}."]
    if len(current.valid) < settings.minimum_rows:
        return "insufficient_data", [f"{len(current.valid)} valid rows; at least {settings.minimum_rows} are needed."]
    drifted = [finding for finding in findings if finding.has_drifted]
    reasons = [f"{f.name} has drifted: stability index {f.stability_index:.3f}, p {f.p_value:.2g}." for f in drifted]
    return ("drift" if drifted else "ok"), reasons


def monitor(reference: Path, current: Path, settings: MonitoringSettings, booster: lgb.Booster, report: Path) -> str:
    """Compare a batch with the training data, features and predictions; write `report.json` and `report.html`.

    Returns:
        `ok`, `drift`, `bad_data`, or `insufficient_data`.
    """
    known, arrived = read_raw(reference), read_raw(current)
    check_columns(known.columns, LabelledApplication, str(reference))
    check_columns(arrived.columns, Application, str(current))
    before, after = check_rows(known, LabelledApplication).valid, check_rows(arrived, Application)
    findings: tuple[DriftFinding, ...] = ()
    if len(after.valid) >= settings.minimum_rows:
        columns = _columns(before, after.valid)
        columns.append(Column("prediction", predict(booster, encode(before)), predict(booster, encode(after.valid))))
        findings = find_drift(columns, settings.level, settings.index_limit)
    verdict, reasons = _verdict(settings, after, findings)
    facts = {"rows": len(arrived), "valid": len(after.valid), "contract": dict(after.reasons)}
    drift = [asdict(finding) for finding in findings]
    write_json(report / "report.json", {**facts, "verdict": verdict, "reasons": reasons, "drift": drift})
    write_report(report / "report.html", monitoring_report(verdict, reasons, findings, settings.index_limit))
    return verdict


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and monitor; 3 tells of drift, bad data or too little data."""
    parser = argparse.ArgumentParser(description="Look for drift and bad data in a batch.")
    for name in ("reference", "current", "config", "report"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--model-version", default=CHAMPION, help="champion (default) or a version's number")
    given = parser.parse_args(argv)
    settings = read_settings(MonitoringSettings, given.config / "monitoring.yml")
    registry = Registry()
    version = chosen_version(registry, given.model_version)
    with tempfile.TemporaryDirectory() as folder:
        booster = load_model(registry.download(version.number, Path(folder)))
        verdict = monitor(given.reference, given.current, settings, booster, given.report)
    print(f"Verdict: {verdict}. The report is {given.report / 'report.html'}.")
    return DONE if verdict == "ok" else REFUSED


if __name__ == "__main__":
    run_main(main)
