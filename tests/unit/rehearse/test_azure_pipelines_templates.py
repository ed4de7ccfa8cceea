"""Templates of Azure Pipelines with their parameters, and what is refused before a run starts, with its line."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from azure_run import FILE, project_of, run, said
from mlops_new.rehearse.azure_pipelines import PipelineError
from mlops_new.rehearse.azure_pipelines_plan import plan
from mlops_new.rehearse.azure_pipelines_templates import expand

HEAD = """\
parameters:
  - {name: environment, type: string, default: dev, values: [dev, prod]}
  - {name: loud, type: boolean, default: false}
  - {name: places, type: object, default: [north, south]}
stages:
  - stage: one
    jobs:
"""
USE = f"""{HEAD}\
      - template: stages/job.yml
        parameters:
          word: ${{{{ parameters.environment }}}}-x
"""
JOB = """\
parameters:
  - {name: word, type: string}
  - {name: count, type: number, default: 2}
jobs:
  - job: a
    steps:
      - checkout: none
      - template: ../steps/say.yml
        parameters: {text: "${{ parameters.word }} ${{ parameters.count }}"}
"""
SAY = """\
parameters:
  - {name: text, type: string}
steps:
  - bash: echo "got $TEXT"
    displayName: Say ${{ parameters.text }}
    env:
      TEXT: ${{ parameters.text }}
"""
FILES = {"stages/job.yml": JOB, "steps/say.yml": SAY}


def test_templates_are_taken_in_with_their_parameters(tmp_path: Path) -> None:
    results = run(tmp_path, USE, FILES, parameters={"environment": "prod"})
    assert said(results["one.a"]) == ["got prod-x 2"]
    assert [step.name for step in results["one.a"].steps] == ["Say prod-x 2"]


def test_a_value_with_marks_of_yaml_stays_one_text(tmp_path: Path) -> None:
    text = "x: [y] # \"z\" 'w' {v}"
    results = run(
        tmp_path,
        USE.replace("default: dev, values: [dev, prod]", "default: d"),
        FILES,
        parameters={"environment": text},
    )
    assert said(results["one.a"]) == [f"got {text}-x 2"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, ["quiet", "north", "south"]),
        ({"loud": "true"}, ["loud", "north", "south"]),
        ({"environment": "prod"}, ["prod", "north", "south"]),
    ],
)
def test_branches_and_loops_are_taken_as_the_parameters_say(
    tmp_path: Path, given: Mapping[str, str], words: list[str]
) -> None:
    pipeline = f"""{HEAD}\
      - job: a
        steps:
          - checkout: none
          - ${{{{ if eq(parameters.loud, true) }}}}:
              - bash: echo loud
          - ${{{{ elseif eq(parameters.environment, 'prod') }}}}:
              - bash: echo prod
          - ${{{{ else }}}}:
              - bash: echo quiet
          - ${{{{ each place in parameters.places }}}}:
              - bash: echo "$PLACE"
                env:
                  ${{{{ if ne(place, 'nowhere') }}}}:
                    PLACE: ${{{{ place }}}}
"""
    assert said(run(tmp_path, pipeline, parameters=given)["one.a"]) == words


def test_a_template_that_starts_with_a_slash_stands_in_the_root(tmp_path: Path) -> None:
    pipeline = USE.replace("stages/job.yml", "/.azuredevops/stages/job.yml")
    assert said(run(tmp_path, pipeline, FILES)["one.a"]) == ["got dev-x 2"]


def changed(name: str, old: str, new: str) -> dict[str, str]:
    files = {"main.yml": USE, **FILES}
    assert old in files[name]
    return {**files, name: files[name].replace(old, new, 1)}


REFUSED = {
    "a template is missing": ("main.yml", "stages/job.yml", "stages/jobs.yml", "main.yml:8: there is no template"),
    "a template leads out of the project": ("main.yml", "stages/job.yml", "../../x.yml", "main.yml:8: there is no"),
    "a template stands elsewhere": ("main.yml", "job.yml", "job.yml@shared", "main.yml:8: the template .* another rep"),
    "a parameter of a template is missing": ("main.yml", "word:", "words:", "main.yml:10: .* has no parameter words"),
    "a parameter is not declared": (
        "steps/say.yml",
        "TEXT: ${{ parameters.text",
        "TEXT: ${{ parameters.texts",
        "steps/say.yml:7: the parameter texts is not declared",
    ),
    "a parameter is of another kind": ("stages/job.yml", "default: 2", "default: two", "job.yml:3: .*count is 'two'"),
    "a kind of parameter": ("stages/job.yml", "type: number", "type: step", "job.yml:3: type is 'step'"),
    "a function in an expression": ("main.yml", "${{ parameters", "${{ env.x", "main.yml:10: .*env is neither"),
    "an expression without an end": ("main.yml", "environment }}", "environment", "main.yml:10: a \\${{ has no }}"),
    "a directive": ("steps/say.yml", "- bash", "- ${{ insert }}: {}\n  - bash", "say.yml:4: .* know \\${{ insert"),
    "a key of a template": ("stages/job.yml", "jobs:", "pool: {name: x}\njobs:", "job.yml:4: .* the key pool"),
    "a key of a job": (
        "stages/job.yml",
        "steps:",
        "services: {}\n    steps:",
        "job.yml:6: The job has the key services",
    ),
    "a key of a step": (
        "steps/say.yml",
        "env:",
        "target: x\n    env:",
        "say.yml:6: A step with bash has the key target",
    ),
    "a kind of step": ("steps/say.yml", "bash:", "pwsh:", "say.yml:4: the step is of no kind"),
    "a task": ("steps/say.yml", 'bash: echo "got $TEXT"', "task: Docker@2", "say.yml:4: .* not know the task Docker@2"),
    "a condition": (
        "steps/say.yml",
        "env:",
        "condition: successful()\n    env:",
        "say.yml:6: .* knows no function successful",
    ),
    "a name that stands twice": ("main.yml", "stages:", "stages:\n  - {stage: one, jobs: []}", "main.yml:7: .* twice"),
    "no YAML": ("steps/say.yml", "steps:", "steps: [", "say.yml:4: The file is no YAML"),
    "a template that takes itself in": (
        "steps/say.yml",
        "steps:\n",
        "steps:\n  - {template: say.yml, parameters: {text: x}}\n",
        "say.yml:4: templates take each other in",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_or_not_known_is_refused_with_its_file_and_line(tmp_path: Path, name: str) -> None:
    file, old, new, sentence = REFUSED[name]
    project = project_of(tmp_path, changed(file, old, new))
    with pytest.raises(PipelineError, match=sentence):
        plan(expand(project, FILE, {}))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"environment": "test"}, "the parameter environment is 'test'. Give one of dev, prod."),
        ({"enviroment": "dev"}, "has no parameter enviroment. Did you mean 'environment'?"),
        ({"loud": "yes"}, "the parameter loud is 'yes'. Give true or false."),
    ],
)
def test_a_parameter_of_the_run_has_to_fit(tmp_path: Path, given: Mapping[str, str], sentence: str) -> None:
    project = project_of(tmp_path, {"main.yml": USE, **FILES})
    with pytest.raises(PipelineError, match=re.escape(sentence)):
        expand(project, FILE, given)


def test_a_parameter_of_the_run_has_to_be_given(tmp_path: Path) -> None:
    project = project_of(tmp_path, {**FILES, "main.yml": USE.replace("default: dev, ", "")})
    with pytest.raises(PipelineError, match=r"main.yml:1: .* needs the parameter environment. Give it"):
        expand(project, FILE, {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, r"nothing.yml cannot be read: No such file"),
        ("", r"nothing.yml:1: the file is no mapping"),
        ("- a", r"nothing.yml:1: the file is no mapping"),
        ("a: &x [*x]", r"nothing.yml is nested too deeply"),
        ("steps: []", r"nothing.yml:1: The pipeline has the key steps"),
        ("trigger: none", r"nothing.yml:1: The pipeline lacks the key stages"),
    ],
)
def test_a_file_that_is_no_pipeline_is_refused(tmp_path: Path, text: str | None, sentence: str) -> None:
    project = project_of(tmp_path, {"main.yml": USE, **({} if text is None else {"nothing.yml": text})})
    with pytest.raises(PipelineError, match=sentence):
        plan(expand(project, ".azuredevops/nothing.yml", {}))
