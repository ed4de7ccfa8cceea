"""The command line of the local pipeline runner.

    python -m <package>.ops.pipeline run azureml/pipelines/training.yml --set inputs.seed=7
    python -m <package>.ops.pipeline check azureml

Exit codes: 0 done, 1 a step failed or the YAML has a fault, 2 wrong arguments, 3 a step's check said no,
130 interrupted.
"""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import FrameType

from .errors import DONE, FAILED, REFUSED, OpsError, run_main
from .files import read_json
from .pipeline_check import check_file, yaml_files
from .pipeline_inputs import parse_overrides, resolve_inputs
from .pipeline_run import Runner
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


def check(paths: Sequence[Path]) -> int:
    """Check files, and all YAML files under folders; print the first fault of each."""
    faults = 0
    files = yaml_files(paths)
    for file in files:
        try:
            check_file(file)
        except OpsError as error:
            faults += 1
            print(error, file=sys.stderr)
    print(f"{len(files)} files checked, {faults} with a fault.", file=sys.stderr)
    return FAILED if faults else DONE


def run(file: Path, overrides: Sequence[str], *, force: bool, as_json: bool) -> int:
    """Run a pipeline, and print its outputs or its record."""
    pipeline = load_pipeline(file.resolve())
    record = Runner(pipeline, resolve_inputs(pipeline, parse_overrides(overrides)), force=force).run()
    if as_json:
        print(json.dumps(asdict(record), indent=2, sort_keys=True))
    else:
        for name, path in sorted(record.outputs.items()):
            print(f"{name}: {path}")
    return DONE if record.status == "completed" else REFUSED


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main(argv: Sequence[str] | None = None) -> int:
    """Run or check pipelines."""
    parser = argparse.ArgumentParser(description="Run and check Azure ML pipelines on this machine.")
    commands = parser.add_subparsers(dest="command", required=True)
    runs = commands.add_parser("run", help="run a pipeline")
    runs.add_argument("file", type=Path)
    runs.add_argument("--set", action="append", default=[], metavar="inputs.NAME=VALUE", help="override an input")
    runs.add_argument("--force", action="store_true", help="run every step, reuse nothing")
    runs.add_argument("--json", action="store_true", help="print the record of the run as JSON")
    checks = commands.add_parser("check", help="check pipelines, components, schedules, environments and data assets")
    checks.add_argument("paths", type=Path, nargs="+")
    arguments = parser.parse_args(argv)
    if arguments.command == "check":
        return check(arguments.paths)
    return run(arguments.file, arguments.set, force=arguments.force, as_json=arguments.json)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)  # a cancelled CI job ends its step as Ctrl-C does
    run_main(main)
