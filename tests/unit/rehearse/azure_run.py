"""A small project with a pipeline, and a run of it."""

import os
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from conftest import git
from mlops_new.rehearse.azure_pipelines import JobResult, PipelineRun, run_pipeline

FILE = ".azuredevops/main.yml"


def project_of(tmp_path: Path, files: Mapping[str, str]) -> Path:
    """A repository with some files; their paths are relative to the folder of the pipelines."""
    project = tmp_path / "project"
    for name, text in files.items():
        path = project / ".azuredevops" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    git(project, "init", "--quiet", "--initial-branch=main")
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "first")
    return project


def run(tmp_path: Path, pipeline: str, files: Mapping[str, str] | None = None, **given: Any) -> dict[str, JobResult]:
    """Run a pipeline, and give what became of each job by `stage.job`."""
    project = project_of(tmp_path, {"main.yml": pipeline, **(files or {})})
    environ = {"PATH": os.environ["PATH"], **given.pop("environ", {})}
    results = run_pipeline(project, FILE, PipelineRun(folder=tmp_path / "run", environ=environ, **given))
    return {f"{one.stage}.{one.job}": one for one in results}


def states(results: Mapping[str, JobResult]) -> dict[str, str]:
    return {name: one.result for name, one in results.items()}


def said(result: JobResult) -> list[str]:
    """What the scripts of a job said, line by line."""
    return [line for step in result.steps if step.code is not None for line in step.output.splitlines()]
