"""Build a registered version again from what it recorded, and compare the result with the claim.

    python -m <package>.ops.recreate [VERSION or RUN]
    python -m <package>.ops.recreate --model DIR --evaluation DIR

The recorded commit is written beside the project, the training pipeline runs there with the recorded inputs and
seed, and the hashes of data, settings and code and every figure are compared. Exit code 3: something differs.
"""

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import DONE, REFUSED, OpsError, run_main
from .evidence import registered
from .files import read_mapping, sha256_of
from .lineage import Lineage, read_lineage
from .project import project_root
from .registry import Registry

_PACKAGE = Path(__file__).resolve().parent.parent.name
_PIPELINE = "azureml/pipelines/training.yml"
_PARTS = ("azureml", "config", "src", "pyproject.toml", "requirements.txt")
_TAIL_LINES = 20


@dataclass(frozen=True)
class Claim:
    """What is said of a model: where it comes from, its figures, and the inputs of its training pipeline."""

    lineage: Lineage
    figures: Mapping[str, float]
    inputs: Mapping[str, object]


def recorded_inputs(root: Path, pipeline_run_id: str) -> dict[str, object]:
    """The inputs of a run of the training pipeline on this machine; paths in the project are relative to it."""
    record = root / ".runs" / "training" / pipeline_run_id / "run.json"
    if not pipeline_run_id or not record.is_file():
        return {}
    found = read_mapping(record).get("inputs")
    inputs = found if isinstance(found, dict) else {}
    prefix = f"{root.as_posix()}/"
    return {name: value.removeprefix(prefix) if isinstance(value, str) else value for name, value in inputs.items()}


def figures_of(evaluation: Path) -> dict[str, float]:
    """The figures of an evaluation by name, and the number of rows they were taken on."""
    content = read_mapping(evaluation / "evaluation.json")
    metrics, rows = content.get("metrics"), content.get("rows")
    if not isinstance(metrics, dict) or not isinstance(rows, int):
        raise OpsError(f"{evaluation / 'evaluation.json'} holds no figures.", "Evaluate the model again.")
    return {"rows": float(rows)} | {name: float(interval["value"]) for name, interval in metrics.items()}


def write_code(root: Path, lineage: Lineage, folder: Path) -> None:
    """Write the code and settings that a model was made from into an empty folder.

    Raises:
        OpsError: The model was made from changes that were never committed and that are not here either.
    """
    if lineage.commit and not lineage.dirty:
        command = ["git", "archive", "--format=tar", lineage.commit]  # in a subfolder it takes that folder alone
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
        if done.returncode:
            problem = f"git has no commit {lineage.commit} here: {done.stderr.decode(errors='replace').strip()}"
            raise OpsError(problem, "Fetch the branch or tag that holds it.")
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(folder, filter="data")
            else:  # Python before 3.11.4
                archive.extractall(folder)  # noqa: S202 - git made it
        return
    for name in _PARTS:
        if (root / name).is_dir():
            shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (root / name).is_file():
            shutil.copyfile(root / name, folder / name)
    if sha256_of(folder / "src" / _PACKAGE) != lineage.code_sha256:
        problem = "The model was made from code that was not committed, and the code here is another."
        raise OpsError(problem, "It cannot be made again; train a new one from a commit.")


def _settings(root: Path, folder: Path, claim: Claim, overrides: Sequence[str]) -> list[str]:
    """The recorded inputs as arguments of the runner; a path leads to the commit's files, or else to today's."""
    inputs = {"seed": claim.lineage.seed, **claim.inputs}
    arguments: list[str] = []
    for name, value in inputs.items():
        here = folder / str(value)
        place = here if here.exists() else root / str(value)
        text = str(place) if isinstance(value, str) and place.exists() else str(value)
        arguments += ["--set", f"inputs.{name}={text}"]
    return arguments + [part for text in overrides for part in ("--set", text)]


def _python(root: Path, folder: Path) -> list[str]:
    """This environment's Python where the pins are the same, else one that uv builds from the commit's pins."""
    pins = [(place / "requirements.txt") for place in (root, folder)]
    if all(path.is_file() for path in pins) and pins[0].read_bytes() != pins[1].read_bytes():
        uv = shutil.which("uv")
        if uv is None:
            raise OpsError("The pins of that commit are others than today's.", "Install uv, which builds them.")
        return [uv, "run", "--project", str(folder), "python"]
    return [sys.executable]


def rebuild(root: Path, folder: Path, claim: Claim, overrides: Sequence[str]) -> Claim:
    """Run the training pipeline on the code in a folder, and say what came out.

    Raises:
        OpsError: The pipeline did not complete.
    """
    runner = [*_python(root, folder), "-m", f"{_PACKAGE}.ops.pipeline", "run", _PIPELINE, "--force", "--json"]
    environment = {name: value for name, value in os.environ.items() if name not in ("MLFLOW_RUN_ID", "VIRTUAL_ENV")}
    environment |= {
        "GIT_SHA": claim.lineage.commit,
        "GIT_DIRTY": str(claim.lineage.dirty).lower(),
        "MLFLOW_TRACKING_URI": f"sqlite:///{(folder / 'mlflow.db').as_posix()}",
        "PROJECT_ROOT": str(folder),
        "PYTHONPATH": str(folder / "src"),
    }
    command = [*runner, *_settings(root, folder, claim, overrides)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = "\n".join(done.stderr.splitlines()[-_TAIL_LINES:])
        problem = f"The training pipeline ended with exit code {done.returncode}.\n{tail}\n"
        raise OpsError(problem, "Give the data that the run had with --set inputs.<name>=<path>.")
    outputs = json.loads(done.stdout)["outputs"]
    return Claim(read_lineage(Path(outputs["model"])), figures_of(Path(outputs["evaluation"])), claim.inputs)


def differences(claim: Claim, made: Claim, tolerance: float) -> list[str]:
    """What differs between the claim and what was made, a sentence each; figures may differ by `tolerance`."""
    found = [
        f"The {kind} {'are' if kind == 'data' else 'is'} not the same: {was[:12]} is on record, {now[:12]} was made."
        for kind, was, now in (
            ("data", claim.lineage.data_sha256, made.lineage.data_sha256),
            ("configuration", claim.lineage.config_sha256, made.lineage.config_sha256),
            ("code", claim.lineage.code_sha256, made.lineage.code_sha256),
        )
        if was != now
    ]
    for name in sorted(claim.figures.keys() | made.figures.keys()):
        was, now = claim.figures.get(name), made.figures.get(name)
        if was is None or now is None or not abs(was - now) <= tolerance:
            found.append(f"{name} is {was} on record and {now} now.")
    return found


def _claim(given: argparse.Namespace, root: Path, scratch: Path) -> tuple[str, Claim]:
    if given.model:
        lineage = read_lineage(given.model)
        claim = Claim(lineage, figures_of(given.evaluation), recorded_inputs(root, lineage.pipeline_run_id))
        return f"the model in {given.model}", claim
    registry = Registry()
    number = _number(registry, given.version)
    subject = registered(registry, number, scratch)
    recorded = json.loads(subject.version.tags.get("inputs", "{}")) if subject.version else {}
    return subject.title, Claim(read_lineage(subject.model), figures_of(subject.evaluation), recorded)


def _number(registry: Registry, text: str | None) -> int | None:
    if text is None:
        champion = registry.champion()
        return champion.number if champion else None
    for version in registry.versions():
        if text in (str(version.number), version.run_id, version.tags.get("lineage.pipeline_run_id")):
            return version.number
    raise OpsError(f"{registry.name} has no version or run {text}.", "`poe status` lists what is registered.")


def main(argv: Sequence[str] | None = None) -> int:
    """Build a model again and compare; see the module's text."""
    parser = argparse.ArgumentParser(description="Build a registered version again and compare it with its claim.")
    parser.add_argument("version", nargs="?", help="number of a version, or the run that made it (default: champion)")
    parser.add_argument("--model", type=Path, help="a model's folder instead of a registered version")
    parser.add_argument("--evaluation", type=Path, help="the folder of that model's evaluation")
    parser.add_argument("--set", action="append", default=[], metavar="inputs.NAME=VALUE", help="override an input")
    parser.add_argument("--tolerance", type=float, default=1e-9, help="how far a figure may differ (default: 1e-9)")
    given = parser.parse_args(argv)
    if (given.model is None) != (given.evaluation is None) or (given.model and given.version):
        parser.error("give a version, or both --model and --evaluation, or nothing")
    root = project_root()
    with tempfile.TemporaryDirectory(prefix="recreate-") as scratch:
        title, claim = _claim(given, root, Path(scratch))
        folder = Path(scratch) / "project"
        folder.mkdir()
        write_code(root, claim.lineage, folder)
        made = rebuild(root, folder, claim, given.set)
    found = differences(claim, made, given.tolerance)
    print(f"{title}, made by the run {claim.lineage.run_id} from {claim.lineage.commit or 'no commit'}:")
    for name, value in sorted(made.figures.items()):
        print(f"  {name}: {claim.figures.get(name)} on record, {value} now")
    if claim.lineage.python != made.lineage.python:
        print(f"  Python was {claim.lineage.python} and is {made.lineage.python}.")
    print("\n".join(found) if found else "The same data, configuration, code and figures: the claim holds.")
    return REFUSED if found else DONE


if __name__ == "__main__":
    run_main(main)
