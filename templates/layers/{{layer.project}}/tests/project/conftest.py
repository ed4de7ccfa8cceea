"""A project with three environments, and a stand-in for the Azure CLI first on the path."""

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

FAKE_AZ = Path(__file__).with_name("fake_az.py")
WORKSPACES = """\
registry: shared
model: scores
workspaces:
  dev: {resource_group: rg-dev, workspace: ws-dev}
  test: {resource_group: rg-test, workspace: ws-test}
  prod: {resource_group: rg-prod, workspace: ws-prod}
tags: {owner: team, cost_centre: "1234"}
"""
POLICY = "order: [dev, test, prod]\nvalidation_pipeline: scoring\n"
LINEAGE = {
    "run_id": "r1",
    "pipeline_run_id": "p1",
    "commit": "0123abc",
    "dirty": False,
    "data_sha256": "d",
    "config_sha256": "e",
    "code_sha256": "f",
    "seed": 7,
    "python": "3.11.7",
    "created": "2026-01-31T12:00:00+00:00",
}
TRAINING = "type: pipeline\ninputs:\n  raw: {type: uri_folder, path: azureml:applications:3}\n"


class Azure:
    """What the stand-in keeps, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "azure.json"
        self.set(
            calls=[],
            breaks_at=0,
            extension=True,
            next_job="job-1",
            statuses=["Completed"],
            outputs={},
            models={},
            assets={},
            job_list=[],
        )

    def state(self) -> dict[str, object]:
        return json.loads(self.file.read_text(encoding="utf-8"))

    def set(self, **values: object) -> None:
        known = self.state() if self.file.is_file() else {}
        self.file.write_text(json.dumps({**known, **values}), encoding="utf-8")

    def calls(self, *words: str) -> list[list[str]]:
        """The calls that start with some words, in order."""
        return [call for call in self.state()["calls"] if call[: len(words)] == list(words)]

    def tags(self, place: str, version: str) -> Mapping[str, str]:
        return self.state()["models"][place][version]["tags"]

    def champions(self, place: str) -> list[str]:
        versions = self.state()["models"].get(place, {})
        return [version for version, entry in versions.items() if entry["tags"]["role"] == "champion"]


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project's folder with what the cloud verbs read, named by PROJECT_ROOT."""
    files = {
        "azureml/workspaces.yml": WORKSPACES,
        "azureml/pipelines/training.yml": TRAINING,
        "azureml/pipelines/scoring.yml": "type: pipeline\n",
        "azureml/data/raw.yml": 'name: applications\nversion: "3"\npath: ../../data/raw\n',
        "azureml/components/train.yml": 'name: train\nversion: "1"\n',
        "azureml/environments/environment.yml": 'name: env\nversion: "1"\nbuild: {path: .}\n',
        "azureml/schedules/nightly.yml": 'name: nightly\ntrigger: {type: cron, expression: "0 2 * * *"}\n',
        "data/raw/rows.csv": "id\n1\n",
        "governance/attestations.yml": "attestations: []\n",
        "governance/model-card.md": "# Model card\n",
        "governance/promotion-policy.yml": POLICY,
        "pyproject.toml": '[project]\nname = "scores"\n',
    }
    root = tmp_path / "project"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    monkeypatch.setenv("PROJECT_ROOT", str(root))
    monkeypatch.setenv("GITHUB_SHA", "0123abc")
    for name in ("AML_EXT_VERSION", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "TF_BUILD", "ACTIONS_ID_TOKEN_REQUEST_URL"):
        monkeypatch.delenv(name, raising=False)
    return root


@pytest.fixture
def azure_process(tmp_path, monkeypatch, project) -> Azure:
    """The stand-in as a program, with the outputs of a training whose gate said promote."""
    folder = tmp_path / "bin"
    folder.mkdir()
    if os.name == "nt":
        (folder / "az.cmd").write_text(f'@"{sys.executable}" -S "{FAKE_AZ}" %*\n', encoding="utf-8")
    else:
        (folder / "az").write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{FAKE_AZ}" "$@"\n', encoding="utf-8")
        (folder / "az").chmod(0o755)
    stand_in = Azure(tmp_path)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_AZ", str(stand_in.file))
    train(stand_in, tmp_path / "outputs", "promote")
    return stand_in


@pytest.fixture
def azure(azure_process, monkeypatch) -> Azure:
    """The stand-in without a process for each call, which takes most of the time."""
    stand_in, run = _load(FAKE_AZ), subprocess.run

    def run_here(command, **options):
        if Path(command[0]).stem != "az":
            return run(command, **options)
        return subprocess.CompletedProcess(command, *stand_in.run(list(command[1:])))

    monkeypatch.setattr(subprocess, "run", run_here)
    return azure_process


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def train(azure: Azure, folder: Path, outcome: str) -> None:
    """Give the next training job its outputs."""
    for name in ("evaluation", "model"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    decision = {"outcome": outcome, "reasons": [f"The gate said {outcome}."], "checks": []}
    (folder / "evaluation" / "decision.json").write_text(json.dumps(decision), encoding="utf-8")
    figures = {"rows": 10, "metrics": {"auc": {"value": 0.7, "low": 0.6, "high": 0.8}}}
    (folder / "evaluation" / "evaluation.json").write_text(json.dumps(figures), encoding="utf-8")
    (folder / "model" / "lineage.json").write_text(json.dumps(LINEAGE), encoding="utf-8")
    (folder / "model" / "MLmodel").write_text(f"model of {folder.name}\n", encoding="utf-8")
    azure.set(outputs={name: str(folder / name) for name in ("evaluation", "model")})
