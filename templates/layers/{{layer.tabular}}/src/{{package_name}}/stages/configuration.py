"""The settings of `config/training.yml`, typed and checked."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..model.estimator import Parameters
from ..ops.errors import OpsError
from ..ops.settings import from_mapping, read_settings

_LEAST_FOLDS: Final = 2


@dataclass(frozen=True)
class Contract:
    """From which share of bad rows on a file is refused as a whole."""

    maximum_quarantined_share: float


@dataclass(frozen=True)
class Split:
    """The share of records held out for the gate, and the salt of the hash that chooses them."""

    holdout_share: float
    salt: str


@dataclass(frozen=True)
class Costs:
    """What the two kinds of wrong decision cost, in any one unit."""

    cost_of_missed_default: float
    cost_of_refused_customer: float


@dataclass(frozen=True)
class Sweep:
    """Values to try for hyper-parameters, on this many inner folds."""

    folds: int = 5
    grid: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Training:
    """All of `config/training.yml`."""

    contract: Contract
    split: Split
    costs: Costs
    parameters: Parameters
    sweep: Sweep


@dataclass(frozen=True)
class _Sections:
    contract: dict[str, object]
    split: dict[str, object]
    decision: dict[str, object]
    parameters: dict[str, object] = field(default_factory=dict)
    sweep: dict[str, object] = field(default_factory=dict)


def read_training(config: Path) -> Training:
    """Read `training.yml` from the folder of settings.

    Raises:
        OpsError: A key that is unknown or missing, or a value that cannot be.
    """
    path = config / "training.yml"
    sections = read_settings(_Sections, path)
    training = Training(
        contract=from_mapping(Contract, sections.contract, f"{path}, contract"),
        split=from_mapping(Split, sections.split, f"{path}, split"),
        costs=from_mapping(Costs, sections.decision, f"{path}, decision"),
        parameters=from_mapping(Parameters, sections.parameters, f"{path}, parameters"),
        sweep=from_mapping(Sweep, sections.sweep, f"{path}, sweep"),
    )
    _check(training, path)
    return training


def _check(training: Training, path: Path) -> None:
    between = {
        "contract.maximum_quarantined_share": training.contract.maximum_quarantined_share,
        "split.holdout_share": training.split.holdout_share,
        "parameters.validation_share": training.parameters.validation_share,
    }
    for name, value in between.items():
        if not 0.0 <= value < 1.0:
            raise OpsError(f"{path}: {name} is {value:g}.", "Give a share from 0 to below 1.")
    if min(training.costs.cost_of_missed_default, training.costs.cost_of_refused_customer) <= 0:
        raise OpsError(f"{path}: a cost under decision is not above 0.", "Give costs above 0.")
    if training.sweep.folds < _LEAST_FOLDS:
        raise OpsError(f"{path}: sweep.folds is {training.sweep.folds}.", f"Give at least {_LEAST_FOLDS} folds.")
    for name, values in training.sweep.grid.items():
        for value in values:
            from_mapping(Parameters, {name: value}, f"{path}, sweep.grid")
