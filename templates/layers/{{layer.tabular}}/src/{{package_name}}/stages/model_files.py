"""The model's folder: an MLflow model in LightGBM's own text format, its features and its lineage."""

import json
from dataclasses import asdict
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..model.features import CATEGORIES, FEATURES
from ..ops.errors import OpsError
from ..ops.files import read_json, write_json
from ..ops.lineage import Lineage


def feature_spec() -> dict[str, object]:
    """What the features mean: their order, and the code of each category."""
    spec = {"features": list(FEATURES), "categories": {name: list(values) for name, values in CATEGORIES.items()}}
    plain: dict[str, object] = json.loads(json.dumps(spec))
    return plain


def save_model(booster: lgb.Booster, sample: NDArray[np.float64], lineage: Lineage, target: Path) -> None:
    """Write the model's folder; `sample` are some rows of features, from which the signature is read."""
    import mlflow.lightgbm  # noqa: PLC0415 - takes seconds, and scoring does without it
    from mlflow.models import infer_signature  # noqa: PLC0415 - as above

    frame = pd.DataFrame(sample, columns=list(FEATURES))
    signature = infer_signature(frame, booster.predict(sample))
    requirements = [f"lightgbm=={lgb.__version__}", f"numpy=={np.__version__}"]
    mlflow.lightgbm.save_model(booster, str(target), signature=signature, pip_requirements=requirements)
    write_json(target / "features.json", feature_spec())
    write_json(target / "lineage.json", asdict(lineage))


def load_model(folder: Path) -> lgb.Booster:
    """Read the model.

    Raises:
        OpsError: The folder holds no model, or one whose features are not those of this code.
    """
    path = folder / "model.lgb"
    if not path.is_file():
        raise OpsError(f"{folder} holds no model.", "Train one, or give the folder of one.")
    if read_json(folder / "features.json") != feature_spec():
        problem = f"The model in {folder} was trained on other features than this code makes."
        raise OpsError(problem, "Use the commit in its lineage.json, or train it again.")
    return lgb.Booster(model_file=str(path))
