"""The pipelines of a rendered project do, on this machine, the verbs of the catalog's graph in its order."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, git
from mlops_new.engine import Renderer
from mlops_new.rehearse.azure_pipelines import JobResult, PipelineRun, run_pipeline

ENVIRONMENTS = ("dev", "test", "prod")
# What the verbs of the stand-in report, and what the run itself knows.
KNOWN = {
    "base": "HEAD^1",
    "run": "42",
    "files.code": "true",
    "submit.job": "job-1",
    "gate.outcome": "promote",
    "register.version": "7",
}
UV = """\
#!/bin/bash
[[ $1 == run ]] || exit 0
shift 2
(printf '%s\\0' "$SYSTEM_STAGENAME" "$SYSTEM_JOBNAME" "$@"; echo) >> "$RECORD"
tell() { echo "##vso[task.setvariable variable=$1;isOutput=true]$2"; }
case "$1 $2" in
    "changed HEAD^1") git rev-parse --quiet --verify "$2" && tell code "$CODE" ;;
    "cloud submit") tell job job-1 ;;
    "cloud gate") tell outcome "$OUTCOME"; [[ $OUTCOME == promote ]] || exit 3 ;;
    "cloud register") tell version 7 ;;
esac
[[ "$1 $2" != "$FAILS" ]]
"""
PYTHON = '#!/bin/bash\necho "Python 3.11.9"\n'


@pytest.fixture(scope="module")
def graph() -> Mapping[str, Any]:
    return yaml.safe_load((ROOT / "templates/catalog/delivery.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def project(renderer: Renderer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose last commit has a parent, as the merge that a pull request builds has."""
    folder = tmp_path_factory.mktemp("azure") / "credit-scoring"
    for path, file in renderer.render({"ci": "azure_devops"}).tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(file.content)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    for message in ("first", "second"):
        git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return folder


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which `uv` writes down what it is asked for."""
    for name, text in (("uv", UV), ("python", PYTHON), ("az", "#!/bin/bash\n")):
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "RECORD": str(tmp_path / "record"), "CODE": "true", "OUTCOME": "promote", "FAILS": "-"}


def rehearse(project: Path, workflow: str, environ: Mapping[str, str], **given: Any) -> list[JobResult]:
    folder = Path(environ["RECORD"]).parent / "run"
    groups = {"credit-scoring": {"AML_EXT_VERSION": "2.30.1"}}
    for kind in ("train", "release"):
        groups |= {f"credit-scoring-lock-{kind}-{place}": {"LOCK": ""} for place in ENVIRONMENTS}
    run = PipelineRun(folder=folder, environ=environ, groups=groups, variables={"Build.BuildId": "42"}, **given)
    return list(run_pipeline(project, f".azuredevops/{workflow}.yml", run))


def recorded(environ: Mapping[str, str]) -> list[list[str]]:
    lines = Path(environ["RECORD"]).read_text(encoding="utf-8").splitlines()
    return [line.removesuffix("\0").split("\0") for line in lines]


def expected(graph: Mapping[str, Any], workflow: str, inputs: Mapping[str, str]) -> list[list[str]]:
    """What the graph says: stage, job, and the words of each verb."""
    found = []
    for key, entry in graph["workflows"][workflow]["stages"].items():
        for place in ENVIRONMENTS if "each" in entry else ("",):
            given = {name: resolved(word, inputs) for name, word in entry.get("with", {}).items()}
            values = {
                **given,
                "environment": place or given.get("environment", ""),
                "last": str(place == "prod").lower(),
            }
            for name, job in graph["stages"][entry["stage"]]["jobs"].items():
                found += [[place or key, name, *words] for words in verbs(job, values)]
    return found


def resolved(word: str, inputs: Mapping[str, str]) -> str:
    kind, _, name = word.partition(".")
    return inputs[name] if kind == "input" else KNOWN.get(name, word) if "." in word else word


def verbs(job: Mapping[str, Any], values: Mapping[str, str]) -> list[list[str]]:
    place = {"first": ENVIRONMENTS[0], "last": ENVIRONMENTS[-1]}.get(job.get("environment", {}).get("of", ""))
    environment = place or values["environment"]
    return [words(step, values, environment) for step in job["steps"] if "run" in step and wanted(step, values)]


def wanted(step: Mapping[str, Any], values: Mapping[str, str]) -> bool:
    asks = step.get("if", {})
    asks = {asks: "true"} if isinstance(asks, str) else asks
    is_said = all({**KNOWN, **values}[name] == value for name, value in asks.items())
    return is_said and ("unless" not in step or values[step["unless"]] != "true")


def words(step: Mapping[str, Any], values: Mapping[str, str], environment: str) -> list[str]:
    env = {"ENVIRONMENT": environment}
    for name, word in step.get("env", {}).items():
        kind, _, inner = word.partition(".")
        env[name] = values[inner] if kind == "parameter" else KNOWN[word]
    text = step["run"]
    for name, value in env.items():
        text = text.replace(f"${name}", value)
    return shlex.split(text)


@pytest.mark.parametrize(
    ("workflow", "jobs"), [("pull-request", 5), ("main", 4), ("drift", 1), ("release", 3), ("scheduled", 1)]
)
def test_a_pipeline_does_what_the_graph_says_in_its_order(
    project: Path, graph: Mapping[str, Any], environ: dict[str, str], workflow: str, jobs: int
) -> None:
    inputs = {"version": "7"} if workflow == "release" else {}
    review = {"reason": "PullRequest", "branch": "refs/pull/1/merge"} if workflow == "pull-request" else {}
    results = rehearse(project, workflow, environ, parameters=inputs, **review)
    assert [result.result for result in results] == ["Succeeded"] * jobs
    found = recorded(environ)
    assert found == expected(graph, workflow, inputs)
    assert len(found) >= jobs


def test_a_rollback_first_stops_the_release(project: Path, environ: dict[str, str]) -> None:
    inputs = {"environment": "prod", "reason": 'it\'s "bad": $(x) ${y}'}
    environ["FAILS"] = "interrupt release"  # which may fail: there may be none
    results = rehearse(project, "rollback", environ, parameters=inputs)
    assert [(result.job, result.result) for result in results] == [
        ("interrupt", "Succeeded"),
        ("rollback", "Succeeded"),
    ]
    stop, *rest = recorded(environ)
    assert stop == ["interrupt", "interrupt", "interrupt", "release"]
    assert rest == [
        ["rollback", "rollback", "cloud", "rollback", "--environment", "prod", "--reason", inputs["reason"]]
    ]
    assert results[1].environment == "credit-scoring-prod-rollback"


def test_a_change_of_prose_trains_nothing(project: Path, environ: dict[str, str]) -> None:
    environ["CODE"] = "false"
    results = rehearse(project, "pull-request", environ, reason="PullRequest")
    assert [(result.job, result.result) for result in results] == [
        ("changes", "Succeeded"),
        ("lint", "Succeeded"),
        ("test", "Skipped"),
        ("sample", "Skipped"),
        ("trial", "Skipped"),
    ]


def test_a_forks_change_gets_no_identity(project: Path, environ: dict[str, str]) -> None:
    folder = Path(environ["RECORD"]).parent / "run"
    groups = {"credit-scoring": {"AML_EXT_VERSION": "2.30.1"}}
    run = PipelineRun(
        folder=folder,
        environ=environ,
        groups=groups,
        reason="PullRequest",
        variables={"System.PullRequest.IsFork": "True"},
    )
    results = run_pipeline(project, ".azuredevops/pull-request.yml", run)
    assert results[-1].job == "trial"
    assert results[-1].result == "Skipped"


def test_a_challenger_that_loses_is_registered_nowhere_and_fails_nothing(
    project: Path, environ: dict[str, str]
) -> None:
    environ["OUTCOME"] = "reject"
    *_, train = rehearse(project, "main", environ)
    assert train.result == "Succeeded"
    assert train.outputs["train.gate.outcome"] == "reject"
    assert [line[2:4] for line in recorded(environ)][-3:] == [
        ["cloud", "apply"],
        ["cloud", "submit"],
        ["cloud", "gate"],
    ]


def test_a_release_that_fails_in_one_environment_reaches_no_further_one(project: Path, environ: dict[str, str]) -> None:
    environ["FAILS"] = "cloud validate"
    results = rehearse(project, "release", environ, parameters={"version": "7"})
    assert [(result.stage, result.result) for result in results] == [
        ("dev", "Failed"),
        ("test", "Skipped"),
        ("prod", "Skipped"),
    ]
    assert [step.name for step in results[0].steps if step.result != "Skipped"][-2:] == [
        "Collect release-logs",
        "Keep release-logs",
    ]


def test_an_approval_that_is_refused_keeps_a_release_out_of_production(project: Path, environ: dict[str, str]) -> None:
    results = rehearse(
        project, "release", environ, parameters={"version": "7"}, approve=lambda place: place != "credit-scoring-prod"
    )
    assert [result.result for result in results] == ["Succeeded", "Succeeded", "Rejected"]
    assert {line[0] for line in recorded(environ)} == {"dev", "test"}
