"""Stage `evaluate`: measure the model on the holdout, compare it with the baseline and the champion, decide."""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import lightgbm as lgb
import numpy as np
import polars as pl
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score, roc_curve

from ..model.contract import LABEL, SENSITIVE
from ..model.estimator import fit_baseline, predict
from ..model.features import encode, groups
from ..ops.bootstrap import Floats, Metric, metric_interval
from ..ops.errors import DONE, OpsError, run_main
from ..ops.files import files_of, write_json
from ..ops.gate import Decision, FairnessFinding, Footprint, GatePolicy, Scores, decide
from ..ops.registry import Registry
from ..ops.settings import read_settings
from .frames import read_table, write_table
from .model_files import load_model

_TIMED_ROWS = 1000
_TIMED_ROUNDS = 7


def _kolmogorov_smirnov(labels: Floats, scores: Floats) -> float:
    false_positives, true_positives, _ = roc_curve(labels, scores)
    return float(np.max(true_positives - false_positives))


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auc", lambda labels, scores: float(roc_auc_score(labels, scores)), higher_is_better=True),
        Metric("average_precision", lambda y, s: float(average_precision_score(y, s)), higher_is_better=True),
        Metric("brier", lambda labels, scores: float(brier_score_loss(labels, scores)), higher_is_better=False),
        Metric("ks", _kolmogorov_smirnov, higher_is_better=True),
        Metric("log_loss", lambda labels, scores: float(log_loss(labels, scores)), higher_is_better=False),
    )
}


@dataclass(frozen=True)
class ScoringSettings:
    """What `config/scoring.yml` holds: the score from which an application is refused, and rows per chunk."""

    threshold: float
    chunk_rows: int


def measure_footprint(model: Path, booster: lgb.Booster, features: Floats) -> Footprint:
    """The model's size, and the median time of several rounds over 1,000 rows."""
    rows = np.resize(features, (_TIMED_ROWS, features.shape[1]))
    seconds = []
    for _ in range(_TIMED_ROUNDS):
        started = time.perf_counter()
        predict(booster, rows)
        seconds.append(time.perf_counter() - started)
    size = sum(path.stat().st_size for path in files_of(model))
    return Footprint(size, round(statistics.median(seconds) * 1000, 3))


def fairness_findings(
    labels: Floats, refused: NDArray[np.bool_], frame: pl.DataFrame, limits: Mapping[str, float]
) -> tuple[FairnessFinding, ...]:
    """Differences between the groups of each sensitive attribute, for each metric that has a limit."""
    known = {
        "demographic_parity_difference": demographic_parity_difference,
        "equalized_odds_difference": equalized_odds_difference,
    }
    findings = []
    for attribute in SENSITIVE:
        for name, limit in limits.items():
            if name not in known:
                raise OpsError(f"config/gate.yml names the fairness metric {name!r}.", f"Use one of {sorted(known)}.")
            value = known[name](labels, refused, sensitive_features=groups(frame)[attribute])
            findings.append(FairnessFinding(name, attribute, float(value), limit))
    return tuple(findings)


def _slices(labels: Floats, scores: Floats, frame: pl.DataFrame) -> list[dict[str, object]]:
    facts: list[dict[str, object]] = []
    for attribute, members in groups(frame).items():
        for group in np.unique(members):
            rows = members == group
            has_both = len(np.unique(labels[rows])) > 1
            auc = float(roc_auc_score(labels[rows], scores[rows])) if has_both else None
            share = float(labels[rows].mean())
            facts.append({"attribute": attribute, "group": str(group), "rows": int(rows.sum()), "bad": share, "auc": auc})
    return facts


def _champion_scores(features: Floats) -> tuple[int | None, Floats | None]:
    registry = Registry()
    champion = registry.champion()
    if champion is None:
        return None, None
    with tempfile.TemporaryDirectory() as folder:
        booster = load_model(registry.download(champion.number, Path(folder)))
        return champion.number, predict(booster, features)


def evaluate(model: Path, train: Path, holdout: Path, config: Path, evaluation: Path) -> Decision:
    """Write `evaluation.json`, `decision.json` and `scores.parquet`, and give the decision.

    Raises:
        OpsError: A setting that is unknown, or a model or holdout that does not fit this code.
    """
    policy = read_settings(GatePolicy, config / "gate.yml")
    threshold = read_settings(ScoringSettings, config / "scoring.yml").threshold
    if policy.metric not in METRICS:
        raise OpsError(f"config/gate.yml names the metric {policy.metric!r}.", f"Use one of {sorted(METRICS)}.")
    booster, frame = load_model(model), read_table(holdout / "holdout.parquet")
    known = read_table(train / "train.parquet")
    features, labels = encode(frame), frame[LABEL].to_numpy().astype(np.float64)
    baseline = fit_baseline(encode(known), known[LABEL].to_numpy().astype(np.float64))(features)
    number, champion = _champion_scores(features)
    scores = Scores(labels, predict(booster, features), champion, baseline, groups(frame))
    findings = fairness_findings(labels, scores.challenger >= threshold, frame, policy.fairness)
    footprint = measure_footprint(model, booster, features)
    decision = decide(policy, METRICS[policy.metric], scores, footprint, findings)
    intervals = {
        name: asdict(metric_interval(metric, labels, scores.challenger, policy.resampling))
        for name, metric in METRICS.items()
        if np.isfinite(scores.challenger).all() and len(np.unique(labels)) > 1
    }
    facts = {
        "rows": len(frame),
        "metrics": intervals,
        "slices": _slices(labels, scores.challenger, frame),
        "fairness": [asdict(finding) for finding in findings],
        "footprint": asdict(footprint),
        "champion": number,
        "threshold": threshold,
    }
    _write(evaluation, facts, decision, scores)
    return decision


def _write(evaluation: Path, facts: Mapping[str, object], decision: Decision, scores: Scores) -> None:
    columns = {"label": scores.labels, "challenger": scores.challenger, "baseline": scores.baseline}
    if scores.champion is not None:
        columns["champion"] = scores.champion
    write_table(pl.DataFrame(columns), evaluation / "scores.parquet")
    write_json(evaluation / "evaluation.json", facts)
    write_json(evaluation / "decision.json", asdict(decision))


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments, evaluate, and print the decision; a refusal is an outcome, not a failure."""
    parser = argparse.ArgumentParser(description="Evaluate a model and decide.")
    for name in ("model", "train", "holdout", "config", "evaluation"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    given = parser.parse_args(argv)
    decision = evaluate(given.model, given.train, given.holdout, given.config, given.evaluation)
    print(f"{decision.outcome}: {' '.join(decision.reasons)}")
    return DONE


if __name__ == "__main__":
    run_main(main)
