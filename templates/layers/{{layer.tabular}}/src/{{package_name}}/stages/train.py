"""Stage `train`: fit a model, and the baseline that it has to stand up to.

    python -m <package>.stages.train --train DIR --config DIR --model DIR --metrics FILE

The same records, settings and seed give the same trees, byte by byte. One MLflow run keeps the parameters,
the figures, the hashes of data, settings and code, and the model.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..model import estimator, features
from ..ops import tracking
from ..ops.errors import DONE, run_main
from ..ops.files import write_json
from ..ops.lineage import collect
from . import bundle
from .configuration import read_training
from .measures import METRICS
from .sweep import best_parameters
from .tables import read_table


def main(argv: Sequence[str] | None = None) -> int:
    """Train on the records of a folder; see the module's text."""
    parser = argparse.ArgumentParser(description="Fit a model on the training records.")
    parser.add_argument("--train", type=Path, required=True, help="folder of training records")
    parser.add_argument("--config", type=Path, required=True, help="folder of settings")
    parser.add_argument("--model", type=Path, required=True, help="folder for the model")
    parser.add_argument("--metrics", type=Path, required=True, help="JSON file for the figures on the training rows")
    parser.add_argument("--seed", type=int, default=42, help="for everything that is drawn")
    given = parser.parse_args(argv)
    settings = read_training(given.config)
    records = read_table(given.train / "train.parquet")
    encoded, labels = features.encode(records), features.labels(records)
    with tracking.tracked_run("train", {}) as run_id:
        parameters = best_parameters(encoded, labels, settings.parameters, settings.sweep, given.seed)
        facts = bundle.Facts(
            encoding=features.description(),
            threshold=estimator.threshold(**asdict(settings.costs)),
            split=asdict(settings.split),
            parameters=asdict(parameters),
        )
        booster = estimator.fit(encoded, labels, parameters, given.seed)
        made = bundle.Bundle(booster, estimator.fit_baseline(encoded, labels), facts)
        lineage = collect(run_id, given.train, given.config, given.seed)
        bundle.save(made, lineage, given.model)
        scores = made.score(records)
        figures = {name: metric.function(labels, scores) for name, metric in METRICS.items()}
        figures |= {"rows": float(len(labels)), "trees": float(booster.num_trees())}
        hashes = {name: value for name, value in asdict(lineage).items() if name.endswith("sha256")}
        tracking.log(facts.parameters | hashes | {"seed": given.seed}, _on_training_rows(figures), given.model)
    write_json(given.metrics, figures | {"run_id": run_id})
    print(f"{booster.num_trees()} trees on {len(labels)} records, run {run_id}.")
    return DONE


def _on_training_rows(figures: dict[str, float]) -> dict[str, float]:
    """The names say that these figures flatter: the model has seen the rows."""
    return {f"train_{name}": value for name, value in figures.items()}


if __name__ == "__main__":
    run_main(main)
