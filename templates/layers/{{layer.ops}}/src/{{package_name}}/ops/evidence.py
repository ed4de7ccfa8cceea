"""The evidence of a model version: its card, its evaluation, the gate's decision, its lineage, with hashes.

    python -m <package>.ops.evidence [VERSION]
    python -m <package>.ops.evidence --model DIR --evaluation DIR

Exit code 3 tells that `--for ENVIRONMENT` asks for evidence that is missing: `governance/promotion-policy.yml`
names what each environment needs, and what only a person can state stands in `governance/attestations.yml`.
"""

import argparse
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from .errors import DONE, REFUSED, OpsError, run_main
from .files import files_of, read_mapping, remove, sha256_of, write_json, write_text
from .lineage import read_lineage
from .model_card import model_card, open_questions
from .project import project_root
from .registry import ModelVersion, Registry
from .tracking import tracking_uri

EVALUATION: Final = "evaluation"
_GOVERNANCE: Final = "governance"


@dataclass(frozen=True)
class Subject:
    """The model that the evidence is about: its folder, its evaluation's folder, and what it is called."""

    model: Path
    evaluation: Path
    title: str
    version: ModelVersion | None = None


def attach_evaluation(run_id: str, evaluation: Path) -> None:
    """Keep an evaluation with the training run in MLflow, so that it outlives the files of this machine."""
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds, and most commands do without it

    MlflowClient(tracking_uri=tracking_uri()).log_artifacts(run_id, str(evaluation), EVALUATION)


def registered(registry: Registry, number: int | None, scratch: Path) -> Subject:
    """Fetch a version with its evaluation; without a number the challenger, or else the champion.

    Raises:
        OpsError: There is no such version, or its evaluation is missing or not the one that was registered.
    """
    import mlflow  # noqa: PLC0415 - takes seconds, and most commands do without it

    version = registry.version(number) if number is not None else registry.challenger() or registry.champion()
    if version is None:
        raise OpsError(f"{registry.name} has no version.", "Train and register a model first.")
    model = registry.download(version.number, scratch)
    try:
        found = mlflow.artifacts.download_artifacts(
            run_id=version.run_id, artifact_path=EVALUATION, dst_path=str(scratch), tracking_uri=tracking_uri()
        )
    except (OSError, mlflow.exceptions.MlflowException):
        problem = f"The run {version.run_id} of version {version.number} holds no evaluation."
        raise OpsError(problem, "Register versions with `poe register`, which keeps it.") from None
    if sha256_of(Path(found)) != version.tags.get("evaluation_sha256"):
        problem = f"The evaluation of version {version.number} is not the one that was registered."
        raise OpsError(problem, "Do not use this version; open an incident.")
    return Subject(model, Path(found), f"version {version.number}, {version.role or 'without a role'}", version)


def write_evidence(root: Path, subject: Subject, target: Path) -> dict[str, object]:
    """Write the evidence into a folder, whole or not at all; gives the content of its `evidence.json`."""
    lineage = read_lineage(subject.model)
    evaluation = read_mapping(subject.evaluation / "evaluation.json")
    decision = read_mapping(subject.evaluation / "decision.json")
    prose = _read_text(root / _GOVERNANCE / "model-card.md")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".evidence-", dir=target.parent) as scratch:
        made = Path(scratch) / target.name
        write_text(made / "model-card.md", model_card(prose, subject.title, lineage, evaluation, decision))
        shutil.copytree(subject.evaluation, made / EVALUATION)
        shutil.copytree(root / _GOVERNANCE, made / _GOVERNANCE)
        write_json(made / "lineage.json", asdict(lineage))
        if (root / "data" / "README.md").is_file():
            shutil.copyfile(root / "data" / "README.md", made / "data-sheet.md")
        facts: dict[str, object] = {
            "title": subject.title,
            "model_sha256": sha256_of(subject.model),
            "version": asdict(subject.version) if subject.version else None,
            "decision": decision.get("outcome"),
            "open_questions": open_questions(prose),
            "held": sorted(_held(root, made, prose, evaluation)),
            "files": {path.relative_to(made).as_posix(): sha256_of(path) for path in files_of(made)},
        }
        write_json(made / "evidence.json", facts)
        remove(target)
        made.rename(target)
    return facts


def _held(root: Path, made: Path, prose: str, evaluation: Mapping[str, object]) -> set[str]:
    """The kinds of evidence that are there: from files, from figures, and from what people attested."""
    held = {"data-sheet"} if (made / "data-sheet.md").is_file() else set()
    if not open_questions(prose):
        held.add("model-card")
    if evaluation.get("fairness"):
        held.add("fairness")
    entries = read_mapping(root / _GOVERNANCE / "attestations.yml").get("attestations")
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict) and entry.get("what") and entry.get("by") and entry.get("on"):
            held.add(str(entry["what"]))
    return held


def missing_for(root: Path, environment: str, held: Sequence[object]) -> list[str]:
    """The kinds of evidence that the promotion policy asks for in an environment and that are not there.

    Raises:
        OpsError: The policy does not name the environment.
    """
    path = root / _GOVERNANCE / "promotion-policy.yml"
    environments = read_mapping(path).get("environments")
    found = environments.get(environment) if isinstance(environments, dict) else None
    if not isinstance(found, dict):
        raise OpsError(f"{path} names no environment {environment}.", "Give one that it names.")
    return [str(kind) for kind in found.get("evidence") or [] if kind not in held]


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OpsError(f"{path} does not exist.", "Restore it from the catalog.") from None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Write the evidence of a model version.")
    parser.add_argument("version", type=int, nargs="?", help="default: the challenger, else the champion")
    parser.add_argument("--model", type=Path, help="a model's folder instead of a registered version")
    parser.add_argument("--evaluation", type=Path, help="the folder of that model's evaluation")
    parser.add_argument("--output", type=Path, help="folder to write (default: evidence/<version> in the project)")
    parser.add_argument("--for", dest="environment", metavar="ENVIRONMENT", help="exit with 3 when it asks for more")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Write the evidence; see the module's text."""
    parser = _parser()
    given = parser.parse_args(argv)
    if (given.model is None) != (given.evaluation is None) or (given.model and given.version is not None):
        parser.error("give a version, or both --model and --evaluation, or nothing")
    root = project_root()
    with tempfile.TemporaryDirectory(prefix="evidence-") as scratch:
        if given.model:
            subject = Subject(given.model, given.evaluation, f"the model in {given.model.name}")
        else:
            subject = registered(Registry(), given.version, Path(scratch))
        name = str(subject.version.number) if subject.version else subject.model.name
        target = given.output or root / "evidence" / name
        facts = write_evidence(root, subject, target.resolve())
    print(f"{target}: the card, the evaluation, the decision and the lineage of {subject.title}.")
    held, questions = facts["held"], facts["open_questions"]
    if isinstance(questions, list) and questions:
        print(f"governance/model-card.md has no answer yet under {', '.join(map(str, questions))}.")
    missing = missing_for(root, given.environment, held if isinstance(held, list) else []) if given.environment else []
    if missing:
        print(f"Evidence that {given.environment} asks for is missing: {', '.join(missing)}.")
    return REFUSED if missing else DONE


if __name__ == "__main__":
    run_main(main)
