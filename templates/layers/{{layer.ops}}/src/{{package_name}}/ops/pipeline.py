"""The command line of the local pipeline runner.

`python -m <package>.ops.pipeline run azureml/pipelines/training.yml --set inputs.seed=7` runs a pipeline,
`python -m <package>.ops.pipeline check azureml` checks all YAML files.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .azureml_yaml import Node, read_yaml
from .component import load_component
from .errors import DONE, FAILED, REFUSED, OpsError, run_main
from .files import read_json
from .pipeline_run import Runner, resolve_inputs
from .pipeline_spec import load_pipeline
from .project import project_root


def latest_run(pipeline: str, run_id: str = "latest") -> dict[str, Path]:
    """The outputs of a completed run by name; `latest` stands for the one that completed last.

    Raises:
        OpsError: There is no such run, or it did not complete.
    """
    home = project_root() / ".runs" / pipeline
    if run_id == "latest":
        if not (home / "latest").is_file():
            raise OpsError(f"The pipeline {pipeline} has not completed yet.", "Run it first.")
        run_id = (home / "latest").read_text(encoding="utf-8").strip()
    record = read_json(home / run_id / "run.json")
    if not isinstance(record, dict) or record["status"] != "completed":
        raise OpsError(f"The run {run_id} of {pipeline} did not complete.", "Run it again.")
    return {name: Path(path) for name, path in record["outputs"].items()}


def parse_overrides(texts: Sequence[str]) -> dict[str, str]:
    """`inputs.x=value` texts as a mapping from the input's name to its value."""
    overrides: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        name = key.removeprefix("inputs.").removesuffix(".path")
        if not separator or not key.startswith("inputs.") or not name:
            raise OpsError(f"--set {text!r} cannot be honoured here.", "Write --set inputs.<name>=<value>.")
        overrides[name] = value
    return overrides


def check_file(path: Path) -> None:
    """Check one YAML file by its kind; a kind that is not run here is only read."""
    node = read_yaml(path)
    match path.parent.name:
        case "pipelines":
            pipeline = load_pipeline(path)
            resolve_inputs(pipeline, {})
        case "components":
            load_component(path)
        case "schedules":
            _check_schedule(node)
        case "data":
            node.text("version")
            node.text("name")


def _check_schedule(node: Node) -> None:
    node.only({"name", "trigger", "create_job"}, {"$schema", "description", "display_name", "tags"})
    job = node.child("create_job")
    job.only({"type", "job", "inputs", "settings", "experiment_name"}, {"tags"})
    pipeline = load_pipeline(job.relative("job"))
    unknown = set(job.child("inputs").values) - set(pipeline.inputs)
    if unknown:
        raise job.fail(f"{pipeline.name} has no input {min(unknown)}", "Correct the schedule's inputs.")
    if node.child("trigger").text("type") not in ("cron", "recurrence"):
        raise node.fail("a trigger is of type cron or recurrence", "Correct trigger.type.")


def check(paths: Sequence[Path]) -> int:
    """Check files, and all YAML files under folders; print each fault."""
    files = [file for path in paths for file in (sorted(path.rglob("*.yml")) if path.is_dir() else [path])]
    if not files:
        raise OpsError(f"No YAML file stands under {', '.join(map(str, paths))}.", "Give a file or a folder.")
    faults = 0
    for file in files:
        try:
            check_file(file)
        except OpsError as error:
            faults += 1
            print(error, file=sys.stderr)
    print(f"{len(files)} files checked, {faults} with a fault.", file=sys.stderr)
    return FAILED if faults else DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run or check pipelines."""
    parser = argparse.ArgumentParser(description="Run and check Azure ML pipelines on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="run a pipeline")
    runs.add_argument("file", type=Path)
    runs.add_argument("--set", action="append", default=[], metavar="inputs.NAME=VALUE", help="override an input")
    runs.add_argument("--force", action="store_true", help="run every step, reuse nothing")
    runs.add_argument("--json", action="store_true", help="print the record of the run as JSON")
    checks = commands.add_parser("check", help="check pipelines, components, schedules and data assets")
    checks.add_argument("paths", type=Path, nargs="+")
    arguments = parser.parse_args(argv)
    if arguments.command == "check":
        return check(arguments.paths)
    pipeline = load_pipeline(arguments.file.resolve())
    inputs = resolve_inputs(pipeline, parse_overrides(arguments.set))
    record = Runner(pipeline, inputs, force=arguments.force).run()
    if arguments.json:
        print(json.dumps(asdict(record), indent=2, sort_keys=True))
    else:
        for name, path in sorted(record.outputs.items()):
            print(f"{name}: {path}")
    return DONE if record.status == "completed" else REFUSED


if __name__ == "__main__":
    run_main(main)
