"""Stage `train`: fit the model in one MLflow run, with all that is needed to make it again."""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..model.contract import LABEL
from ..model.estimator import TrainingSettings, fit
from ..model.features import encode
from ..ops.errors import DONE, OpsError, run_main
from ..ops.files import copy, remove, write_json
from ..ops.lineage import collect
from ..ops.settings import read_settings
from ..ops.tracking import log, tracked_run
from .frames import read_table
from .model_files import save_model

_SAMPLE_ROWS = 5


def train(data: Path, config: Path, model: Path, metrics: Path, seed: int) -> None:
    """Fit on `data/train.parquet` and write the model's folder and its metrics.

    Raises:
        OpsError: The training rows hold one class only.
    """
    settings = read_settings(TrainingSettings, config / "training.yml")
    frame = read_table(data / "train.parquet")
    labels = frame[LABEL].to_numpy().astype(np.float64)
    if len(np.unique(labels)) == 1:
        raise OpsError(f"All {len(labels)} training rows have the same label.", "Give rows of both classes.")
    features = encode(frame)
    with tracked_run("train", {"seed": str(seed)}) as run_id, tempfile.TemporaryDirectory() as folder:
        fitted = fit(features, labels, settings, seed)
        lineage = collect(run_id, data, config, seed)
        made = Path(folder) / "model"
        save_model(fitted.booster, features[:_SAMPLE_ROWS], lineage, made)
        facts = {"data_sha256": lineage.data_sha256, "code_sha256": lineage.code_sha256, "commit": lineage.commit}
        log(params={**fitted.parameters, "rows": len(frame), "seed": seed, **facts}, metrics=fitted.metrics, model=made)
        remove(model)
        copy(made, model)
    write_json(metrics, fitted.metrics)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and train."""
    parser = argparse.ArgumentParser(description="Fit the model.")
    for name in ("train", "config", "model", "metrics"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--seed", type=int, required=True)
    given = parser.parse_args(argv)
    train(given.train, given.config, given.model, given.metrics, given.seed)
    return DONE


if __name__ == "__main__":
    run_main(main)
