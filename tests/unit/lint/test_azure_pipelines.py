"""The validator of Azure Pipelines: nothing in good files, and each class of fault at its line."""

import re
from pathlib import Path

import pytest
from mlops_new.engine import Renderer
from mlops_new.lint import azure_pipelines, azure_pipelines_schema, azure_pipelines_scripts
from mlops_new.lint.diagnostics import Diagnostic

PIPELINE = """\
name: release-$(Date:yyyyMMdd)$(Rev:.r)
trigger:
  branches: {include: [main]}
  paths: {include: [src/**]}
pr: none
schedules:
  - cron: "43 7 * * 1-5"
    displayName: nightly
    branches: {include: [main]}
    always: true
parameters:
  - name: environment
    displayName: Where to
    type: string
    values: [prod, test]
  - {name: dry, type: boolean, default: false}
resources:
  repositories:
    - repository: shared
      type: git
      name: platform/shared
      ref: refs/tags/v1
lockBehavior: sequential
pool: {vmImage: ubuntu-24.04}
variables:
  - group: credit-scoring-dev
  - name: fresh
    value: $[ coalesce(variables['given'], 'yes') ]
stages:
  - stage: look
    dependsOn: []
    jobs:
      - job: look
        timeoutInMinutes: 5
        steps:
          - checkout: self
            fetchDepth: 0
          - bash: |
              set -euo pipefail
              files=$(git diff --name-only "$BASE"...HEAD)
              echo "##vso[task.setvariable variable=code;isOutput=true]$files"
            name: files
            env:
              BASE: origin/$(System.PullRequest.TargetBranchName)
          - ${{ if parameters.dry }}:
              - script: echo dry
          - task: PublishTestResults@2
            condition: succeededOrFailed()
            inputs: {testResultsFiles: junit.xml}
  - stage: train
    dependsOn: look
    condition: and(succeeded(), eq(dependencies.look.outputs['look.files.code'], 'true'), not(canceled()))
    jobs:
      - template: templates/train.yml
        parameters:
          environment: ${{ parameters.environment }}
          limit: 60
          wait: true
          steps:
            - bash: echo after
  - ${{ each name in split('a,b', ',') }}:
      - stage: after_${{ name }}
        dependsOn: [train]
        jobs:
          - deployment: last
            environment: credit-scoring-prod
            strategy: {runOnce: {deploy: {steps: [{download: none}, {bash: echo ready}]}}}
"""
TEMPLATE = """\
parameters:
  - name: environment
    type: string
  - name: limit
    type: number
    default: 10
  - name: wait
    type: boolean
    default: false
  - name: steps
    type: stepList
    default: []
jobs:
  - deployment: train
    displayName: Train in ${{ parameters.environment }}
    timeoutInMinutes: 350
    environment: credit-scoring-${{ parameters.environment }}
    variables:
      - group: credit-scoring-${{ parameters.environment }}
      - {name: ENVIRONMENT, value: "${{ parameters.environment }}"}
    strategy:
      runOnce:
        deploy:
          steps:
            - checkout: self
            - task: AzureCLI@2
              name: submit
              condition: and(succeeded(), ne('${{ parameters.wait }}', 'true'))
              inputs:
                azureSubscription: credit-scoring-${{ parameters.environment }}
                scriptType: bash
                scriptLocation: inlineScript
                inlineScript: uv run poe cloud submit training --limit "$LIMIT"
              env:
                LIMIT: ${{ parameters.limit }}
            - bash: echo "$JOB"
              condition: and(always(), ne(variables['submit.job'], ''))
              env:
                JOB: $(submit.job)
            - ${{ parameters.steps }}
"""
FILES = {"azure-pipelines/release.yml": PIPELINE, "azure-pipelines/templates/train.yml": TEMPLATE}
MAIN, TRAIN = FILES


def lint(folder: Path, files: dict[str, str]) -> list[Diagnostic]:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return list(azure_pipelines.faults(folder, sorted(files)))


def test_good_files_have_no_fault(tmp_path: Path) -> None:
    assert lint(tmp_path, FILES) == []


@pytest.mark.parametrize("level", ["internal", "restricted"])
def test_a_rendered_project_has_no_fault(level: str, renderer: Renderer, tmp_path: Path) -> None:
    tree = renderer.render({"ci": "azure_devops", "data_classification": level}).tree
    files = {path: file.content.decode() for path, file in tree.items() if azure_pipelines.recognises(path)}

    assert len(files) >= 12
    assert lint(tmp_path, files) == []


# File, what stands there, what is planted, the rule, and what the message must say. The line is that of the plant.
PLANTED = [
    (MAIN, "stages:\n", "stages:\n  x\n", "azp-syntax", "no YAML"),
    (
        MAIN,
        "lockBehavior: sequential",
        "lockBehavior: sequential\nlockBehavior: runLatest",
        "azp-duplicate-key",
        "twice",
    ),
    (MAIN, "trigger:\n", "triger:\n", "azp-schema", "triger is not known here. Did you mean 'trigger'"),
    (MAIN, "lockBehavior: sequential", "lockBehavior: serial", "azp-schema", "'serial' is not known here"),
    (MAIN, "          - script: echo dry", "          - scrpt: echo dry", "azp-schema", "scrpt"),
    (MAIN, "timeoutInMinutes: 5", "timeoutinminutes: 5", "azp-schema", "timeoutinminutes is not known"),
    (MAIN, "type: boolean, default", "type: bool, default", "azp-schema", "'bool' is not known here. Did you mean"),
    (MAIN, "always: true", "always: maybe", "azp-schema", "maybe"),
    (
        MAIN,
        "pool: {vmImage: ubuntu-24.04}",
        "pool: {vmImag: ubuntu-24.04}",
        "azp-schema",
        "no key vmImag. Did you mean",
    ),
    (MAIN, "pool: {vmImage: ubuntu-24.04}", "pool: [ubuntu-24.04]", "azp-schema", "a list"),
    (MAIN, "            fetchDepth: 0", "            fetchdepth: 0", "azp-schema", "fetchdepth"),
    (MAIN, "PublishTestResults@2", "PublishTestResult@2", "azp-schema", "Did you mean 'PublishTestResults@2'"),
    (MAIN, "PublishTestResults@2", "PublishTestResults@7", "azp-schema", "PublishTestResults@7"),
    (MAIN, "PublishTestResults@2", "SomebodysDeployer@1", "azp-task", "marketplace"),
    (
        MAIN,
        "inputs: {testResultsFiles: junit.xml}",
        "inputs: {testResultFiles: junit.xml}",
        "azp-schema",
        "testResultFiles",
    ),
    (TRAIN, "scriptType: bash", "scriptType: bsh", "azp-schema", "'bsh' is not known here"),
    (TRAIN, "                scriptType: bash\n", "", "azp-schema", "scriptType is missing"),
    (
        TRAIN,
        "            - task: AzureCLI@2\n              name: submit\n",
        "            - name: submit\n              task: AzureCLI@2\n",
        "azp-schema",
        "task must be the first key",
    ),
    (
        TRAIN,
        "                inlineScript: uv",
        "                inlineScrpt: uv",
        "azp-schema",
        "inlineScrpt is not known",
    ),
    (TRAIN, "    strategy:\n", "    stratgy:\n", "azp-schema", "stratgy"),
    (TRAIN, "        deploy:\n", "        deplyo:\n", "azp-schema", "deplyo"),
    (TRAIN, "type: number", "type: integer", "azp-schema", "integer"),
    (
        MAIN,
        "dependsOn: look",
        "dependsOn: lok",
        "azp-depends-on",
        "waits for lok, which is not there. Did you mean 'look'",
    ),
    (MAIN, "dependsOn: look", "dependsOn: train", "azp-depends-on", "waits for itself"),
    (MAIN, "dependsOn: []", "dependsOn: [train]", "azp-depends-on", "wait for each other: look, train"),
    (MAIN, "eq(dependencies.look.", "eq(dependencies.other.", "azp-depends-on", "asks for other"),
    (MAIN, "  - stage: train\n", "  - stage: look\n", "azp-name", "twice"),
    (MAIN, "  - stage: train\n", "  - stage: train-all\n", "azp-name", "letters, digits and _"),
    (MAIN, "templates/train.yml", "templates/trian.yml", "azp-template", "no template templates/trian.yml"),
    (MAIN, "templates/train.yml", "templates/train.yml@libs", "azp-template", "libs is not declared"),
    (MAIN, "          limit: 60", "          limt: 60", "azp-parameter", "has no parameter limt. Did you mean 'limit'"),
    (
        MAIN,
        "          environment: ${{ parameters.environment }}\n",
        "",
        "azp-parameter",
        "needs the parameter environment",
    ),
    (MAIN, "limit: 60", "limit: soon", "azp-parameter", "is a number, not 'soon'"),
    (MAIN, "wait: true", "wait: perhaps", "azp-parameter", "true or false, not 'perhaps'"),
    (
        MAIN,
        "${{ parameters.environment }}",
        "${{ parameters.enviroment }}",
        "azp-parameter",
        "enviroment is not declared. Did you",
    ),
    (MAIN, "not(canceled())", "not(canceled()", "azp-expression", "closing parenthesis is missing"),
    (MAIN, "not(canceled())", "not(cancelled())", "azp-expression", "no function cancelled"),
    (MAIN, "and(succeeded(), eq(", "and(succeeded(), eqal(", "azp-expression", "no function eqal"),
    (MAIN, "'true'), not", "'true', 1), not", "azp-expression", "eq takes 2 arguments, not 3"),
    (MAIN, "'true'), not(canceled())", "'true') && not(canceled())", "azp-expression", "'&'"),
    (MAIN, "'true'), not", '"true"), not', "azp-expression", "single quotes"),
    (MAIN, "'true'), not", "true'), not", "azp-expression", "no expression"),
    (MAIN, "variables['given']", "variable['given']", "azp-expression", "variable is neither"),
    (MAIN, "condition: succeededOrFailed()", "condition: succeededOrFailed", "azp-expression", "succeededOrFailed"),
    (
        MAIN,
        "condition: succeededOrFailed()",
        "condition: eq(parameters.dry, true)",
        "azp-expression",
        "knows no parameters",
    ),
    (MAIN, "${{ if parameters.dry }}", "${{ if always() }}", "azp-expression", "in conditions only"),
    (MAIN, "after_${{ name }}", "after_${{ name }", "azp-expression", "no }} that ends it"),
    (TRAIN, "variables['submit.job']", "variables['sumbit.job']", "azp-output", "No step here is named sumbit"),
    (MAIN, "timeoutInMinutes: 5", "timeoutInMinutes: soon", "azp-number", "timeoutInMinutes is 'soon'"),
    (MAIN, "fetchDepth: 0", "fetchDepth: all", "azp-number", "fetchDepth"),
    (MAIN, '"43 7 * * 1-5"', '"43 27 * * 1-5"', "azp-cron", "'27'"),
    (MAIN, '"43 7 * * 1-5"', '"43 7 * *"', "azp-cron", "4 fields"),
    (MAIN, "ubuntu-24.04", "ubuntu-20.04", "azp-image", "or no longer"),
    (MAIN, "ref: refs/tags/v1", "ref: refs/heads/main", "azp-unpinned", "name a tag"),
    (
        TRAIN,
        "- checkout: self\n",
        "- checkout: self\n              persistCredentials: true\n",
        "azp-credentials",
        "leave the key out",
    ),
    (
        TRAIN,
        "azureSubscription: credit-scoring-${{ parameters.environment }}",
        "azureSubscription: $(connection)",
        "azp-connection",
        "named by a variable",
    ),
    (
        TRAIN,
        '--limit "$LIMIT"',
        "--limit ${{ parameters.limit }}",
        "azp-injection",
        "${{ parameters.limit }} becomes part",
    ),
    (TRAIN, '--limit "$LIMIT"', "--limit $LIMIT", "SC2086", "quote"),
    (MAIN, '"$BASE"...HEAD)', '"$BASE"...HEAD', "SC1009", ""),
    (MAIN, "- script: echo dry", "- script: for x in $(ls *.txt); do echo $x; done", "SC2045", "ls"),
    (
        TRAIN,
        'scriptLocation: inlineScript\n                inlineScript: uv run poe cloud submit training --limit "$LIMIT"',
        "scriptLocation: scriptPath\n                scriptPath: scripts/submit.sh",
        "azp-file",
        "no file scripts/submit.sh",
    ),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted[3]}: {planted[4]}")
def test_a_planted_fault_is_found_at_its_line(planted: tuple[str, str, str, str, str], tmp_path: Path) -> None:
    path, old, new, rule, message = planted
    assert old in FILES[path]
    text = FILES[path].replace(old, new, 1)
    found = [one for one in lint(tmp_path, {**FILES, path: text}) if one.rule == rule and message in one.message]
    assert found, list(lint(tmp_path, {**FILES, path: text}))
    first = FILES[path][: FILES[path].index(old)].count("\n") + 1
    lines = range(first - 4, first + new.count("\n") + 4)
    assert any(one.line in lines for one in found if one.path == path), (first, found)
    assert all(re.search(r"[.?]\Z", one.message) for one in found)


def test_a_template_of_another_kind_is_found(tmp_path: Path) -> None:
    steps = "steps:\n  - bash: echo\n"
    text = PIPELINE.replace("templates/train.yml", "templates/steps.yml")
    found = lint(tmp_path, {**FILES, MAIN: text, "azure-pipelines/templates/steps.yml": steps})
    assert [one.message for one in found if one.rule == "azp-template"] == [
        "The template templates/steps.yml has no jobs, which are asked for here."
    ]


def test_a_file_that_is_no_mapping_and_one_that_is_empty(tmp_path: Path) -> None:
    found = lint(tmp_path, {"azure-pipelines/a.yml": "- a\n", "azure-pipelines/b.yml": ""})
    assert [(one.path, one.rule) for one in found] == [("azure-pipelines/a.yml", "azp-schema")]


def test_a_script_that_the_service_would_not_take_is_found(tmp_path: Path) -> None:
    text = TEMPLATE.replace('--limit "$LIMIT"', f"--set {'x' * 5000}")
    assert [one.rule for one in lint(tmp_path, {**FILES, TRAIN: text})] == ["azp-script"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("azure-pipelines.yml", True),
        ("azure-pipelines-nightly.yaml", True),
        ("azure-pipelines/a.yml", True),
        (".azuredevops/stages/a.yml", True),
        ("ml/azure-pipelines/templates/a.yml", True),
        (".azuredevops/pull_request_template.md", False),
        (".github/workflows/a.yml", False),
        ("azure-pipelines/uv.txt", False),
    ],
)
def test_a_file_is_recognised_by_its_place(path: str, expected: object) -> None:
    assert azure_pipelines.recognises(path) is expected


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(azure_pipelines_schema, "find_spec", lambda _: None)
    azure_pipelines_schema.load_schema.cache_clear()
    with pytest.raises(azure_pipelines_schema.MissingExtraError, match=r"\[check\]"):
        lint(tmp_path, FILES)
    azure_pipelines_schema.load_schema.cache_clear()
    monkeypatch.undo()
    azure_pipelines_scripts._said.cache_clear()
    monkeypatch.setattr(azure_pipelines_scripts.shutil, "which", lambda *_, **__: None)
    with pytest.raises(azure_pipelines_schema.MissingExtraError, match=r"\[check\]"):
        lint(tmp_path, FILES)
