"""Stage `evaluate`: judge a model on the rows that were held out, and decide whether it may become the champion.

    python -m <package>.stages.evaluate --model DIR --holdout DIR --config DIR --evaluation DIR

Writes `evaluation.json` (figures with intervals, for slices and sensitive groups too, beside the baseline and
the champion), `decision.json` (what the gate says) and `scores.parquet`. Whatever the gate says, the exit code
is 0: a verdict is a result.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from ..model import estimator, features
from ..model.contract import ID, LABEL
from ..model.features import Vector
from ..ops import gate
from ..ops.bootstrap import metric_interval
from ..ops.errors import DONE, OpsError, run_main
from ..ops.files import files_of, write_json
from ..ops.gate import Decision, Footprint, GatePolicy, Scores
from ..ops.registry import Registry
from ..ops.settings import read_settings
from . import bundle
from .bundle import Bundle
from .fairness import Difference, differences, group_sizes
from .measures import METRICS
from .tables import read_table, write_table

_TIMED_CALLS: Final = 7


@dataclass(frozen=True)
class Champion:
    """The registered champion and its scores on the holdout, or the reason why it cannot be scored."""

    number: int
    scores: Vector | None
    note: str


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate a model; see the module's text."""
    parser = argparse.ArgumentParser(description="Judge a model on the rows held out.")
    parser.add_argument("--model", type=Path, required=True, help="folder of the model")
    parser.add_argument("--holdout", type=Path, required=True, help="folder of the records held out")
    parser.add_argument("--config", type=Path, required=True, help="folder of settings")
    parser.add_argument("--evaluation", type=Path, required=True, help="folder for the results")
    given = parser.parse_args(argv)
    policy = read_settings(GatePolicy, given.config / "gate.yml")
    records = read_table(given.holdout / "holdout.parquet")
    model = bundle.load(given.model)
    champion = _champion(Registry(), records, model)
    scores = _scores(model, records, champion)
    approved = estimator.decide(scores.challenger, model.facts.threshold) == "approve"
    groups = estimator.groups(records)
    unfair = differences(scores.labels, approved, groups, policy)
    footprint = _footprint(model, given.model, records)
    decision = _decide(policy, scores, footprint, unfair, champion)
    write_table(given.evaluation / "scores.parquet", _table(records, scores))
    facts = _figures(policy, scores) | _comparison(policy, scores, champion)
    facts |= {"footprint": asdict(footprint), "fairness": [asdict(found) for found in unfair]}
    sizes = {name: group_sizes(approved, members, policy.minimum_slice_rows) for name, members in groups.items()}
    facts |= {"groups": {name: [asdict(group) for group in members] for name, members in sizes.items()}}
    facts |= {"rows": len(scores.labels), "threshold": model.facts.threshold}
    write_json(given.evaluation / "evaluation.json", facts)
    write_json(given.evaluation / "decision.json", asdict(decision))
    print(f"The gate says {decision.outcome}: {' '.join(decision.reasons)}")
    return DONE


def _champion(registry: Registry, records: pl.DataFrame, model: Bundle) -> Champion | None:
    version = registry.champion()
    if version is None:
        return None
    with tempfile.TemporaryDirectory(prefix="champion-") as scratch:
        try:
            found = bundle.load(registry.download(version.number, Path(scratch)))
        except OpsError as error:
            return Champion(version.number, None, str(error))
        scores = bundle.finite(found.score(records), f"the champion, version {version.number}")
    note = ""
    if found.facts.split != model.facts.split:
        note = "It was trained with another split, so it may have seen some of these rows, which flatters it."
    return Champion(version.number, scores, note)


def _scores(model: Bundle, records: pl.DataFrame, champion: Champion | None) -> Scores:
    encoded = features.encode(records)
    return Scores(
        labels=features.labels(records),
        challenger=estimator.predict(model.booster, encoded),
        champion=champion.scores if champion else None,
        baseline=model.baseline.predict(encoded),
        slices=estimator.slices(records),
    )


def _footprint(model: Bundle, folder: Path, records: pl.DataFrame) -> Footprint:
    """The folder's size, and the median time that encoding and scoring 1,000 rows takes on one thread or more."""
    batch = pl.concat([records] * -(-1_000 // records.height)).head(1_000)
    seconds = []
    for _ in range(_TIMED_CALLS):
        started = time.perf_counter()
        model.score(batch)
        seconds.append(time.perf_counter() - started)
    size = sum(path.stat().st_size for path in files_of(folder))
    return Footprint(size, round(statistics.median(seconds) * 1_000, 3))


def _decide(
    policy: GatePolicy,
    scores: Scores,
    footprint: Footprint,
    unfair: Sequence[Difference],
    champion: Champion | None,
) -> Decision:
    if policy.metric not in METRICS:
        raise OpsError(f"gate.yml names the metric {policy.metric!r}.", f"Choose one of {', '.join(METRICS)}.")
    findings = [difference.finding() for difference in unfair]
    decision = gate.decide(policy, METRICS[policy.metric], scores, footprint, findings)
    if champion is None or champion.scores is not None or decision.outcome is gate.Outcome.REJECT:
        return decision
    # Without the comparison the gate has seen too little to let a model replace the one in use.
    reason = f"The champion, version {champion.number}, cannot be compared with. {champion.note}"
    check = gate.Check("champion", gate.Status.UNDECIDED, reason)
    return replace(decision, outcome=gate.Outcome.NO_DECISION, reasons=(reason,), checks=(*decision.checks, check))


def _figures(policy: GatePolicy, scores: Scores) -> dict[str, object]:
    """Every metric with its interval, for all rows and for each slice that is large enough."""
    slices = []
    for attribute, groups in scores.slices.items():
        for group in np.unique(groups):
            rows = groups == group
            labels = scores.labels[rows]
            is_judged = len(labels) >= policy.minimum_slice_rows and len(np.unique(labels)) > 1
            figures = _intervals(policy, labels, scores.challenger[rows]) if is_judged else {}
            slices.append({"attribute": attribute, "group": str(group), "rows": len(labels), "metrics": figures})
    return {"metrics": _intervals(policy, scores.labels, scores.challenger), "slices": slices}


def _comparison(policy: GatePolicy, scores: Scores, champion: Champion | None) -> dict[str, object]:
    facts: dict[str, object] = {"baseline": {"metrics": _intervals(policy, scores.labels, scores.baseline)}}
    facts["champion"] = None
    if champion is not None:
        figures = {} if champion.scores is None else _intervals(policy, scores.labels, champion.scores)
        facts["champion"] = {"version": champion.number, "note": champion.note, "metrics": figures}
    return facts


def _intervals(policy: GatePolicy, labels: Vector, values: Vector) -> Mapping[str, dict[str, float]]:
    return {
        name: asdict(metric_interval(metric, labels, values, policy.resampling)) for name, metric in METRICS.items()
    }


def _table(records: pl.DataFrame, scores: Scores) -> pl.DataFrame:
    columns = {"score": scores.challenger, "baseline": scores.baseline}
    columns |= {} if scores.champion is None else {"champion": scores.champion}
    return records.select(ID, LABEL).with_columns(pl.Series(name, values) for name, values in columns.items())


if __name__ == "__main__":
    run_main(main)
