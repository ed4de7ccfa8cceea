"""A model's folder: the MLflow model, how records were encoded for it, its baseline and its lineage."""

import importlib.metadata
import logging
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from ..model import estimator, features
from ..model.features import Vector
from ..ops.errors import OpsError
from ..ops.files import read_mapping, remove, write_json
from ..ops.lineage import Lineage
from ..ops.settings import from_mapping

if TYPE_CHECKING:
    import lightgbm as lgb

_PACKAGES: Final = ("lightgbm", "numpy", "polars")


@dataclass(frozen=True)
class Facts:
    """What belongs to a model besides its trees: `features.json`.

    `threshold` is the probability from which a record is referred; `split` is the share and the salt of the
    holdout that the model has not seen.
    """

    encoding: dict[str, object]
    threshold: float
    split: dict[str, object]
    parameters: dict[str, object]


@dataclass(frozen=True)
class Bundle:
    """A model that is ready to score."""

    booster: "lgb.Booster"
    baseline: estimator.Baseline
    facts: Facts

    def score(self, records: pl.DataFrame) -> Vector:
        """The probability that the model gives each valid record."""
        return estimator.predict(self.booster, features.encode(records))


def save(bundle: Bundle, lineage: Lineage, folder: Path) -> None:
    """Write a model's folder; what stood in it before goes."""
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        made = Path(scratch) / "model"
        _save_mlflow(bundle.booster, made)
        write_json(made / "features.json", asdict(bundle.facts))
        write_json(made / "baseline.json", asdict(bundle.baseline))
        write_json(made / "lineage.json", asdict(lineage))
        # In a cloud job the folder is a mount: it can be filled, but neither removed nor renamed.
        for old in folder.iterdir() if folder.is_dir() else ():
            remove(old)
        shutil.copytree(made, folder, dirs_exist_ok=True)


def _save_mlflow(booster: "lgb.Booster", folder: Path) -> None:
    import mlflow.lightgbm  # noqa: PLC0415 - takes seconds, so only where it is used
    from mlflow.models import ModelSignature  # noqa: PLC0415 - as above
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415 - as above

    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    signature = ModelSignature(
        inputs=Schema([ColSpec("double", name) for name in features.FEATURES]),
        outputs=Schema([ColSpec("double")]),
    )
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in _PACKAGES]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # on its first use MLflow warns of type hints of its own
        mlflow.lightgbm.save_model(booster, str(folder), signature=signature, pip_requirements=pins)


def load(folder: Path) -> Bundle:
    """Read a model's folder.

    Raises:
        OpsError: It is no such folder, or the model was made for records that are encoded in another way.
    """
    import lightgbm as lgb  # noqa: PLC0415 - takes seconds, so only where it is used

    trees = folder / "model.lgb"
    if not trees.is_file():
        raise OpsError(f"{folder} holds no model.", "Give the folder that the train stage wrote.")
    facts = from_mapping(Facts, read_mapping(folder / "features.json"), str(folder / "features.json"))
    if facts.encoding != features.description():
        raise OpsError(
            f"The model in {folder} was made for {_difference(facts.encoding)} other than this code's.",
            "Score with the code of the model's own release, or train and promote a new model.",
        )
    fitted = read_mapping(folder / "baseline.json")
    weights, intercept = fitted["weights"], fitted["intercept"]
    if not isinstance(weights, list) or not isinstance(intercept, float):
        raise OpsError(f"{folder / 'baseline.json'} holds no baseline.", "Train the model again.")
    baseline = estimator.Baseline(tuple(map(float, weights)), intercept)
    return Bundle(lgb.Booster(model_file=str(trees)), baseline, facts)


def _difference(encoding: Mapping[str, object]) -> str:
    ours = features.description()
    return " and ".join(sorted(name for name in ours if ours[name] != encoding.get(name))) or "features"


def finite(scores: Vector, name: str) -> Vector:
    """The scores, all of which must be finite."""
    broken = int(np.count_nonzero(~np.isfinite(scores)))
    if broken:
        raise OpsError(f"{broken} scores of {name} are not finite.", "Train the model again.")
    return scores
