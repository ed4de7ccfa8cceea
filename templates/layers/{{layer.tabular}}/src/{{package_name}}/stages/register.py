"""Stage `register`: record a trained model as challenger, with the gate's decision and its lineage.

python -m <package>.stages.register --run latest
python -m <package>.stages.register --model DIR --evaluation DIR
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

from ..ops.errors import DONE, run_main
from ..ops.evidence import attach_evaluation
from ..ops.files import read_mapping, sha256_of
from ..ops.lineage import read_lineage
from ..ops.pipeline import latest_run
from ..ops.project import project_root
from ..ops.recreate import recorded_inputs
from ..ops.registry import ModelVersion, Registry

_TAG_LENGTH: Final = 4000  # characters that a tag's value may have


def register(registry: Registry, model: Path, evaluation: Path) -> ModelVersion:
    """Register the model that a training run logged; registering it twice gives the same version."""
    decision = read_mapping(evaluation / "decision.json")
    lineage = read_lineage(model)
    reasons = decision["reasons"]
    tags = {f"lineage.{name}": str(value) for name, value in asdict(lineage).items()}
    tags["decision"] = str(decision["outcome"])
    tags["decision_reasons"] = " ".join(map(str, reasons if isinstance(reasons, list) else []))[:_TAG_LENGTH]
    tags["evaluation_sha256"] = sha256_of(evaluation)
    tags["inputs"] = json.dumps(recorded_inputs(project_root(), lineage.pipeline_run_id))
    attach_evaluation(lineage.run_id, evaluation)
    return registry.register(lineage.run_id, tags)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse the arguments and register."""
    parser = argparse.ArgumentParser(description="Register a trained model as challenger.")
    parser.add_argument("--run", default="latest", help="a run of the training pipeline (default: the latest)")
    parser.add_argument("--model", type=Path, help="a model's folder instead of a run's")
    parser.add_argument("--evaluation", type=Path, help="an evaluation's folder instead of a run's")
    given = parser.parse_args(argv)
    if (given.model is None) != (given.evaluation is None):
        parser.error("give both --model and --evaluation, or neither")
    outputs = {} if given.model else latest_run("training", given.run)
    model, evaluation = given.model or outputs["model"], given.evaluation or outputs["evaluation"]
    version = register(Registry(), model, evaluation)
    print(f"Version {version.number} of {version.name} is registered; the gate said {version.tags['decision']}.")
    return DONE


if __name__ == "__main__":
    run_main(main)
