"""What the check of Azure Pipelines refuses, by the line on which it stands, and what it lets pass."""

from pathlib import Path

import pytest
from mlops_new.engine import Renderer
from mlops_new.lint import azure_pipelines

PIPELINE = """\
trigger: none
pr: none
parameters:
  - {name: version, type: string}
pool: {vmImage: ubuntu-24.04}
stages:
  - stage: build
    jobs:
      - job: build
        timeoutInMinutes: 30
        steps:
          - checkout: self
          - bash: echo "$VERSION"
            condition: and(succeeded(), eq(variables['code'], 'true'))
            env:
              VERSION: ${{ parameters.version }}
  - stage: release
    dependsOn: [build]
    jobs:
      - template: stages/jobs.yml
        parameters: {environment: prod}
"""
JOBS = """\
parameters:
  - {name: environment, type: string}
  - {name: reason, type: string, default: none}
jobs:
  - deployment: release
    environment: ${{ parameters.environment }}
    strategy:
      runOnce:
        deploy:
          steps:
            - task: AzureCLI@2
              inputs:
                azureSubscription: credit-scoring
                scriptType: bash
                scriptLocation: inlineScript
                addSpnToEnvironment: true
                inlineScript: az account show
"""


def found(folder: Path, pipeline: str = PIPELINE, jobs: str = JOBS) -> list[tuple[str, int, str]]:
    (folder / "stages").mkdir(exist_ok=True)
    (folder / "main.yml").write_text(pipeline, encoding="utf-8")
    (folder / "stages" / "jobs.yml").write_text(jobs, encoding="utf-8")
    paths = (folder / "main.yml", folder / "stages" / "jobs.yml")
    return [(path.name, line, message) for path in paths for line, message in azure_pipelines.faults(path)]


def test_a_sound_pipeline_passes(tmp_path: Path) -> None:
    assert found(tmp_path) == []


def test_every_rendered_pipeline_passes(renderer: Renderer, tmp_path: Path) -> None:
    tree = renderer.render({"ci": "azure_devops", "data_classification": "restricted"}).tree
    pipelines = {path: file for path, file in tree.items() if path.startswith(azure_pipelines.FOLDER)}
    for path, file in pipelines.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(file.content)
    paths = [path for path in pipelines if path.endswith(".yml")]
    assert len(paths) >= 13
    assert [fault for path in paths for fault in azure_pipelines.faults(tmp_path / path)] == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("pool:", "poool:", 0, "poool|not valid"),
        ("timeoutInMinutes: 30", "timeOutInMinutes: 30", 0, "timeOutInMinutes|not valid"),
        ("timeoutInMinutes: 30", "timeoutInMinutes: half an hour", 0, "half an hour"),
        ("dependsOn: [build]", "dependsOn: [biuld]", 0, "waits for biuld"),
        ("stages/jobs.yml", "stages/job.yml", 20, "does not exist"),
        ("{environment: prod}", "{}", 20, "needs the parameter environment"),
        ("{environment: prod}", "{environment: prod, version: a}", 20, "no parameter version"),
        ("'true'))", "'true')", 14, "brackets"),
        ("and(succeeded()", "and(suceeded()", 14, "no function suceeded"),
        ("parameters.version }}", "parameters.verison }}", 16, "verison is not declared"),
        ("- bash:", "- bahs:", 0, "bahs|not valid|bash"),
        ("stages:\n", "stages:\n  build\n", 0, ""),
        ("trigger: none", "- a list", 0, ""),
    ],
)  # fmt: skip
def test_a_fault_of_a_pipeline_is_found(tmp_path: Path, old: str, new: str, line: int, message: str) -> None:
    assert old in PIPELINE
    faults = [
        (number, text) for name, number, text in found(tmp_path, PIPELINE.replace(old, new)) if name == "main.yml"
    ]
    assert any(any(part in text for part in message.split("|")) for _, text in faults), faults
    assert not line or line in [number for number, _ in faults]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("scriptType: bash", "scriptType: zsh", "'zsh' is not one of"),
        ("scriptLocation:", "scriptLoaction:", "scriptLoaction"),
        ("AzureCLI@2", "AzureCLI@9", "AzureCLI@9"),
        ("addSpnToEnvironment: true", "addSpnToEnvironment: perhaps", "perhaps"),
        ("runOnce:", "runTwice:", "runTwice"),
    ],
)
def test_a_fault_of_a_task_or_a_job_is_found(tmp_path: Path, old: str, new: str, message: str) -> None:
    texts = [text for name, _, text in found(tmp_path, jobs=JOBS.replace(old, new)) if name == "jobs.yml"]
    assert any(message in text for text in texts), texts


def test_a_file_that_is_no_yaml_is_a_fault_without_a_line(tmp_path: Path) -> None:
    assert [(name, line) for name, line, _ in found(tmp_path, "a: [\n")] == [("main.yml", 0)]
