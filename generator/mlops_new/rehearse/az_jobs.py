"""Jobs of the stand-in: each is really run, by the project's own runner, in the project's own environment."""

import hashlib
import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlops_new import git
from mlops_new.rehearse.az_project import Places
from mlops_new.rehearse.az_state import JobRecord, State, now
from mlops_new.rehearse.az_table import AzError
from mlops_new.rehearse.az_validate import check_with_sdk, read_sets, references, tags_of

_SYNC = Path(__file__).with_name("mlflow_sync.py")


class Jobs:
    """The jobs of one workspace."""

    def __init__(self, state: State, places: Places, workspace: str, root: Path) -> None:
        """Know the workspace, and the working copy that jobs are submitted from."""
        self._state, self._places, self._workspace, self._root = state, places, workspace, root

    def create(self, file: Path, given: list[str], by: str, name: str = "") -> dict[str, Any]:
        """Run a pipeline to its end; a job that fails is a job too.

        Raises:
            AzError: The file is refused, or names an asset that the workspace lacks.
        """
        check_with_sdk(self._state, "job", file)
        for kind, asset, version in references(file):
            known = self._state.assets(self._workspace, kind, asset)
            if version not in {one.version for one in known}:
                raise AzError(f"(NotFound) {kind} {asset}:{version} not found in {self._workspace}.")
        sets = read_sets(given)
        inputs = [f"{path}={value}" for path, value in sets.items() if path.startswith("inputs.")]
        name = name or f"{file.stem}_{secrets.token_hex(5)}"
        body = {"tags": tags_of(sets), "inputs": inputs}
        record = JobRecord(self._workspace, name, "Running", file.stem, body, by, now())
        self._state.put_job(record)
        ends = self._state.failure("job", self._workspace)
        target = self._state.folder / "jobs" / name
        status = "Failed" if ends else self._reused(file, inputs, target) or self._run(file, inputs, target)
        self._state.put_job(JobRecord(self._workspace, name, status, file.stem, body, by, record.created))
        return self.show(name)

    def show(self, name: str) -> dict[str, Any]:
        """A job, as az shows it.

        Raises:
            AzError: The workspace has no such job.
        """
        for job in self._state.jobs(self._workspace):
            if job.name == name:
                return {
                    "name": job.name,
                    "status": job.status,
                    "creation_context": {"created_at": job.created, "created_by": job.by},
                    "tags": job.body.get("tags", {}),
                }
        raise AzError(f"(NotFound) Job {name} not found in {self._workspace}.")

    def newest(self, most: int) -> list[dict[str, Any]]:
        """The newest jobs."""
        return [self.show(job.name) for job in reversed(self._state.jobs(self._workspace))][:most]

    def download(self, name: str, output: str, target: Path) -> None:
        """Copy a named output, or everything that a job left, to where az puts it."""
        self.show(name)
        source = self._state.folder / "jobs" / name
        wanted = {output: "named-outputs"} if output else {"log": "artifacts"}
        for one, folder in wanted.items():
            if not (source / one).exists():
                raise AzError(f"(NotFound) Output {one} of {name} not found.")
            shutil.copytree(source / one, target / folder / one, dirs_exist_ok=True)

    def _reused(self, file: Path, inputs: Sequence[str], target: Path) -> str:
        """Bring back what a job left that did the same with the same; the service reuses finished steps, too."""
        kept = self._kept(file, inputs)
        if not (kept / "done").is_dir():
            return ""
        shutil.copytree(kept / "done", target)
        return "Completed"

    def _kept(self, file: Path, inputs: Sequence[str]) -> Path:
        """Where what a job leaves is kept: by its code, its data, its inputs, and the workspace's models."""
        trees = git.text("ls-tree", "HEAD", "src", "azureml", "config", "data", "requirements.txt", folder=self._root)
        models = self._state.assets(self._workspace, "model", self._places.model)
        known = [(model.version, model.tags.get("role"), model.tags.get("content_sha256")) for model in models]
        key = json.dumps([trees, file.name, list(inputs), known])
        return self._state.folder.parent / "reused" / hashlib.sha256(key.encode()).hexdigest()

    def _run(self, file: Path, inputs: Sequence[str], target: Path) -> str:
        package = next(self._root.glob("src/*/ops/pipeline.py")).parts[-3]
        sets = [word for text in inputs for word in ("--set", text)]
        command = [str(python_of(self._root)), "-m", f"{package}.ops.pipeline", "run", str(file), *sets, "--json"]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "TF_BUILD"))
        }
        environment |= {"MLFLOW_TRACKING_URI": self._tracking(), "PYTHONPATH": ""}
        done = subprocess.run(
            command, cwd=self._root, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
        )
        (target / "log").mkdir(parents=True, exist_ok=True)
        (target / "log" / "std_log.txt").write_text(done.stderr + done.stdout, encoding="utf-8")
        if done.returncode:
            sys.stderr.write(done.stderr[-2000:])
            return "Failed"
        for name, path in json.loads(done.stdout)["outputs"].items():
            shutil.copytree(path, target / name)
        shutil.copytree(target, self._kept(file, inputs) / "done", dirs_exist_ok=True)
        return "Completed"

    def _tracking(self) -> str:
        """The workspace's tracking server, which knows the workspace's models."""
        file = self._state.folder / "mlflow" / f"{self._workspace}.db"
        if not file.is_file():
            empty = self._state.folder.parent / "empty" / "mlflow.db"  # takes seconds, so it is made once
            if not empty.is_file():
                empty.parent.mkdir(exist_ok=True)
                self._synchronise(f"sqlite:///{empty.as_posix()}", [])
            file.parent.mkdir(exist_ok=True)
            shutil.copyfile(empty, file)
        uri = f"sqlite:///{file.as_posix()}"
        versions = [
            {"number": asset.version, "path": asset.content, "tags": dict(asset.tags)}
            for asset in self._state.assets(self._workspace, "model", self._places.model)
        ]
        if versions:
            self._synchronise(uri, versions)
        return uri

    def _synchronise(self, uri: str, versions: Sequence[Mapping[str, Any]]) -> None:
        given = json.dumps({"uri": uri, "model": self._places.model, "versions": list(versions)})
        command = [str(python_of(self._root)), str(_SYNC)]
        subprocess.run(command, input=given, text=True, check=True, capture_output=True, cwd=self._root)


def python_of(root: Path) -> Path:
    """The interpreter of a working copy's environment."""
    return root / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def scheduled_name(schedule: str) -> str:
    """The name of a job that a schedule starts now."""
    return f"{schedule}-{datetime.now(UTC):%Y%m%d%H%M%S%f}"
