"""A project's own workflows lead to the states that the scenarios name, on both CI systems; broken scripts do not."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from conftest import BIN
from mlops_new.engine import Renderer
from mlops_new.project import write_tree
from mlops_new.rehearse.rehearsal import Rehearsal, Result
from mlops_new.rehearse.report import Report, as_data, as_page
from mlops_new.rehearse.scenarios import Scenario, choose, load_scenarios, prefixes

pytestmark = pytest.mark.slow
MODELS = "src/credit_scoring/ops/cloud_models.py"
JOBS = "src/credit_scoring/ops/cloud_jobs.py"
# The language of infrastructure, and what is played on each CI system, whose workflows do the same steps. With the
# variable below all scenarios are played on both, which takes a quarter of an hour.
ALL = {
    "github_actions": (
        "terraform",
        (
            "pull-request",
            "pull-request-of-documents",
            "pull-request-with-a-fault",
            "merge-of-a-winner",
            "merge-of-a-loser",
            "merge-whose-training-fails",
            "release",
            "teardown",
        ),
    ),
    "azure_devops": (
        "bicep",
        (
            "merge-of-a-winner",
            "release",
            "release-without-approval",
            "release-of-a-version-that-fails-its-validation",
            "rollback",
        ),
    ),
}
EVERYTHING = "MLOPS_NEW_TEST_ALL_SCENARIOS"


def mlops_new(*words: object, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / "mlops-new"), *map(str, words)]
    return subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)


def make_project(renderer: Renderer, ci: str, folder: Path) -> Path:
    project = folder / "credit-scoring"
    answers = {"project_name": "credit-scoring", "ci": ci, "iac": ALL[ci][0]}
    write_tree(renderer.render(answers).tree, project)
    return project


class Stage:
    """A rehearsal of one project, whose scenarios share what they have in common."""

    def __init__(self, project: Path, folder: Path, ci: str) -> None:
        self.project, self.ci = project, ci
        self.rehearsal = Rehearsal(project, folder)
        self.known = load_scenarios(self.rehearsal.places, {"infra"})
        kept = {key for scenario in self.known.values() for key in prefixes(scenario)}
        self.shared = frozenset(kept)

    def play(self, scenario: Scenario) -> Result:
        return self.rehearsal.play(scenario, self.shared, lambda _: None)

    def broken(self, name: str, workflow: str, file: str, change: tuple[str, str]) -> Result:
        """A scenario that ends with the last run of a workflow, before which a script was broken."""
        scenario = self.known[name]
        text = (self.project / file).read_text(encoding="utf-8")
        assert change[0] in text, f"{file} holds no {change[0]!r}"
        plant = {"change": {"file": file, "text": text.replace(*change)}}
        last = max(number for number, step in enumerate(scenario.steps) if step.get("run") == workflow)
        steps = (*scenario.steps[:last], plant, scenario.steps[last])
        return self.play(Scenario(name, scenario.says, scenario.is_core, steps, scenario.state))


@pytest.fixture(scope="module", params=sorted(ALL))
def stage(request: pytest.FixtureRequest, renderer: Renderer, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    folder = tmp_path_factory.mktemp(request.param)
    return Stage(make_project(renderer, request.param, folder), folder / "stage", request.param)


def test_every_scenario_leads_to_its_state_and_a_broken_script_does_not(stage: Stage) -> None:
    chosen = choose(stage.known, () if os.environ.get(EVERYTHING) else ALL[stage.ci][1])
    results = [stage.play(scenario) for scenario in chosen]
    wrong = {result.scenario.name: result.problems for result in results if not result.passed}
    assert wrong == {}

    report = Report("credit-scoring", stage.ci, stage.rehearsal.places, results)
    page, data = as_page(report), json.loads(json.dumps(as_data(report)))
    assert data["passed"] is True
    for scenario in chosen:
        assert f'<h2 id="{scenario.name}">' in page
    assert page.count("<svg") == len(chosen)

    for fault, (name, workflow, file, change) in PLANTED.items():
        if stage.known[name] not in chosen:
            continue
        result = stage.broken(name, workflow, file, change)
        assert not result.passed, f"Nobody noticed: {fault}."


# What each scenario has to find when the project's own script is broken before its last run.
PLANTED = {
    "the gate's verdict is ignored": (
        "merge-of-a-loser",
        "main",
        JOBS,
        ("return GateResult(outcome, ", 'return GateResult("promote", '),
    ),
    "a validation that failed is recorded as passed": (
        "release-of-a-version-that-fails-its-validation",
        "release",
        MODELS,
        (
            '{"validation": "failed", "validation_job": job}, place))\n        raise',
            '{"validation": "passed", "validation_job": job}, place))\n        return\n        raise',
        ),
    ),
    "a rollback gives the role to nobody": (
        "rollback",
        "rollback",
        MODELS,
        ('    crown(cloud, previous.version, place, actor, "rolled_back")\n', ""),
    ),
    "a rollback leaves the version that was rolled back as champion": (
        "rollback",
        "rollback",
        MODELS,
        ('"champion" and model.version != version', '"nobody"'),
    ),
}


def test_the_command_plays_a_scenario_and_says_what_it_finds(renderer: Renderer, tmp_path: Path) -> None:
    project = make_project(renderer, "azure_devops", tmp_path)
    listed = json.loads(mlops_new("rehearse", project, "--list", "--json").stdout)
    assert {"release", "rollback", "teardown"} <= {entry["name"] for entry in listed}
    done = mlops_new(
        "rehearse", project, "--scenario", "release-of-what-is-not-registered", "--report", tmp_path / "r.html"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("passed  release-of-what-is-not-registered")
    assert "release-of-what-is-not-registered" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not (project / ".venv").exists()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--scenario", "relase"], 2, "There is no scenario relase for this project. Did you mean 'release'?"),
        (["--keep", "."], 2, "is not empty"),
    ],
)
def test_a_mistake_is_a_sentence(renderer: Renderer, tmp_path: Path, words: list[str], code: int, said: str) -> None:
    project = make_project(renderer, "azure_devops", tmp_path)
    done = mlops_new("rehearse", ".", *words, folder=project)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())


def test_a_folder_that_is_no_project_is_refused(tmp_path: Path) -> None:
    done = mlops_new("rehearse", tmp_path)
    assert done.returncode == 1
    assert "does not tell where the project lives" in " ".join(done.stderr.split())
