"""GitHub Actions and Azure Pipelines do the same steps, and both do what the catalog's graph says."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import product

import pytest
import yaml
from azure_graph import AzurePipelines
from conftest import ROOT
from github_graph import GitHub
from graphs import Graph, expected
from mlops_new.catalog import load_catalog
from mlops_new.engine import Renderer
from mlops_new.errors import AnswersError
from mlops_new.model import Tree

PATTERNS = sorted(load_catalog(ROOT).patterns)
CLASSIFICATIONS = ("public", "internal", "confidential", "restricted")
INFRASTRUCTURE = (("hourly", "none"), ("daily", "terraform"), ("weekly", "bicep"))
GITHUB, AZURE = ".github/workflows", ".azuredevops"


@pytest.fixture(scope="module")
def graph() -> Graph:
    return yaml.safe_load((ROOT / "templates/catalog/delivery.yml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def controls() -> Graph:
    return yaml.safe_load((ROOT / "templates/catalog/classification.yml").read_text(encoding="utf-8"))


def read(ci: str, tree: Tree, runner: str) -> Graph:
    reader = GitHub(tree, runner) if ci == "github_actions" else AzurePipelines(tree, runner, "credit-scoring")
    return reader.read()


def differences(one: object, other: object, place: str = "") -> list[str]:
    """Where two graphs differ, and in what."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(name for name in other if name not in one)]
        return [text for name in names for text in differences(one.get(name), other.get(name), f"{place}/{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [text for number, (a, b) in pairs for text in differences(a, b, f"{place}/{number}")]
    return [] if one == other else [f"{place}: {one!r} is not {other!r}"]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_both_ci_systems_do_what_the_graph_says_for_every_answer(
    pattern: str, graph: Graph, controls: Graph, renderer: Renderer
) -> None:
    compared = 0
    for environments, classification, (frequency, iac) in product(
        ("dev_test_prod", "dev_prod", "dev"), CLASSIFICATIONS, INFRASTRUCTURE
    ):
        runner = controls[classification]["runner"]
        layers = [] if iac == "none" else ["infra"]
        known = {"environments": environments.split("_"), "frequency": frequency, "layers": layers}
        for ci in ("github_actions", "azure_devops"):
            answers = {"pattern": pattern, "environments": environments, "data_classification": classification}
            try:
                tree = renderer.render({**answers, "scoring_frequency": frequency, "ci": ci, "iac": iac}).tree
            except AnswersError:
                continue
            wanted = expected(graph, {**known, "tells": ci == "github_actions"})
            assert differences(wanted, read(ci, tree, runner)) == []
            compared += 1
    assert compared >= 24


PLANTED = {
    "an environment is removed without its name": (
        ("_infra-destroy.yml", ' --confirm "$CONFIRM"', ""),
        ("stages/infra-destroy.yml", ' --confirm "$CONFIRM"', ""),
    ),
    "a plan gets the identity that makes": (
        ("_infra-plan.yml", "inputs.environment }}-plan", "inputs.environment }}-infra"),
        ("stages/infra-plan.yml", "environment }}-plan", "environment }}-infra"),
    ),
    "a fork's change is planned": (
        ("infra-plan.yml", "github.event_name == 'merge_group' ||", "github.event_name == 'pull_request' ||"),
        ("infra-plan.yml", "ne(variables['System.PullRequest.IsFork'], 'True')", "eq('a', 'a')"),
    ),
    "another path makes resources": (
        ("infra-apply.yml", "      - infra/**\n", "      - src/**\n"),
        ("infra-apply.yml", "include: [infra]", "include: [src]"),
    ),
    "a step does something else": (
        (
            "_train.yml",
            '        run: uv run poe cloud share "$VERSION"',
            "        run: uv run poe share",
        ),
        (
            "stages/train.yml",
            'inlineScript: uv run poe cloud share "$VERSION"',
            "inlineScript: uv run poe share",
        ),
    ),
    "the gate's outcome is not asked": (
        ("_train.yml", "if: steps.gate.outputs.outcome == 'promote'", "if: steps.gate.outputs.outcome == 'reject'"),
        ("stages/train.yml", "eq(variables['gate.outcome'], 'promote')", "eq(variables['gate.outcome'], 'reject')"),
    ),
    "the gate's no is no longer accepted, or every failure is": (
        ("_train.yml", "|| [[ $? == 3 ]]", "|| [[ $? == 1 ]]"),
        ("stages/train.yml", " || [[ $? == 3 ]]", ""),
    ),
    "a release does not wait for the environment before": (
        ("release.yml", "    needs: [test]\n", ""),
        ("release.yml", "dependsOn: [test]", "dependsOn: []"),
    ),
    "a job runs as another environment": (
        ("_verify.yml", "environment: prod-watch", "environment: prod"),
        ("stages/verify.yml", "environment: credit-scoring-prod-watch", "environment: credit-scoring-prod"),
    ),
    "a limit is changed": (
        ("_checks.yml", "timeout-minutes: 15", "timeout-minutes: 16"),
        ("stages/checks.yml", "timeoutInMinutes: 15", "timeoutInMinutes: 16"),
    ),
    "an argument is changed": (
        ("_trial.yml", "sample_fraction=0.1 ", "sample_fraction=1.0 "),
        ("stages/trial.yml", "sample_fraction=0.1 ", "sample_fraction=1.0 "),
    ),
    "a lock is turned round": (
        ("_rollback.yml", "cancel-in-progress: true", "cancel-in-progress: false"),
        ("rollback.yml", "dependsOn: [interrupt]", "dependsOn: []"),
    ),
    "a lock is another": (
        ("_release.yml", "group: release-", "group: deploy-"),
        ("stages/release.yml", "-lock-release-", "-lock-deploy-"),
    ),
    "a pull request's older run goes on": (
        ("pull-request.yml", "cancel-in-progress: true", "cancel-in-progress: false"),
        ("pull-request.yml", "autoCancel: true", "autoCancel: false"),
    ),
    "another workflow is interrupted, or none waits": (
        ("_rollback.yml", "group: release-", "group: drift-"),
        ("rollback.yml", "poe interrupt release", "poe interrupt drift"),
    ),
    "another path starts a training": (
        ("main.yml", "      - src/**\n", ""),
        ("main.yml", "data, src,", "data,"),
    ),
    "evidence is kept only on failure": (
        ("_train.yml", "if: always()", "if: failure()"),
        ("stages/train.yml", "condition: always()", "condition: failed()"),
    ),
    "production is not the last environment any more": (
        ("release.yml", "last: true", "last: false"),
        ("release.yml", 'last: "true"', 'last: "false"'),
    ),
    "a value is handed over from elsewhere": (
        (
            "_train.yml",
            "VERSION: ${{ steps.register.outputs.version }}",
            "VERSION: ${{ steps.submit.outputs.version }}",
        ),
        ("stages/train.yml", "VERSION: $(register.version)", "VERSION: $(submit.version)"),
    ),
    "a fork's change reaches Azure": (
        ("pull-request.yml", " &&\n      (github.event_name", " ||\n      (github.event_name"),
        ("pull-request.yml", "ne(variables['System.PullRequest.IsFork'], 'True')", "eq('a', 'a')"),
    ),
    "a permission is widened": (
        ("_checks.yml", "      contents: read\n", "      contents: write\n"),
        ("stages/train.yml", "azureSubscription: credit-scoring-dev\n", "azureSubscription: credit-scoring-prod\n"),
    ),
}


@pytest.mark.parametrize("fault", PLANTED)
@pytest.mark.parametrize("ci", ["github_actions", "azure_devops"])
def test_a_change_in_one_of_them_is_found(fault: str, ci: str, graph: Graph, renderer: Renderer) -> None:
    name, old, new = PLANTED[fault][ci == "azure_devops"]
    tree = planted(
        renderer.render({"ci": ci, "iac": "terraform"}).tree,
        f"{AZURE if ci == 'azure_devops' else GITHUB}/{name}",
        old,
        new,
    )
    answers = {"environments": ["dev", "test", "prod"], "frequency": "daily", "layers": ["infra"]}
    answers |= {"tells": ci == "github_actions"}
    wanted = expected(graph, answers)
    try:
        found = differences(wanted, read(ci, tree, "hosted"))
    except AssertionError as error:  # the reader does not know what it reads
        found = [str(error)]
    assert found


def planted(tree: Tree, path: str, old: str, new: str) -> Mapping:
    text = tree[path].content.decode()
    assert old in text, f"{path} holds no {old!r}"
    return {**tree, path: replace(tree[path], content=text.replace(old, new, 1).encode())}


def test_an_owner_who_is_not_told_is_found(graph: Graph, renderer: Renderer) -> None:
    answers = {"environments": ["dev", "test", "prod"], "frequency": "daily", "tells": True}
    rendered = renderer.render({}).tree
    for old, new in (("    if: failure()\n", "    if: success()\n"), ("  tell:\n", "  other:\n")):
        tree = planted(rendered, f"{GITHUB}/scheduled.yml", old, new)
        try:
            found = differences(expected(graph, answers), read("github_actions", tree, "hosted"))
        except (AssertionError, KeyError) as error:
            found = [str(error)]
        assert found


def test_the_installer_of_both_is_the_one_that_the_kit_pins(renderer: Renderer) -> None:
    pinned = (ROOT / "requirements" / "uv.txt").read_text(encoding="utf-8")
    assert renderer.render({"ci": "azure_devops"}).tree[f"{AZURE}/uv.txt"].content.decode() == pinned
    version = pinned.split(" ", maxsplit=1)[0].removeprefix("uv==")
    setup = renderer.render({"ci": "github_actions"}).tree[".github/actions/setup/action.yml"].content.decode()
    assert f'version: "{version}"' in setup
