"""What the pipelines refer to exists, and what they may do is no more than they need."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".azuredevops"
PIPELINES = sorted(FOLDER.glob("*.yml"))
STAGES = sorted((FOLDER / "stages").glob("*.yml"))
FILES = [*PIPELINES, *STAGES, *sorted((FOLDER / "steps").glob("*.yml"))]
# Built into Azure Pipelines; none comes from the marketplace.
TASKS = {"AzureCLI@2", "PublishPipelineArtifact@1", "UsePythonVersion@0"}


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def walk(node):
    """Every mapping in a document."""
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    for inner in node if isinstance(node, list) else []:
        yield from walk(inner)


def stages(path: Path) -> dict:
    return {stage["stage"]: stage for stage in load(path)["stages"]}


def steps(path: Path) -> list[dict]:
    """The steps of a file of jobs or of steps."""
    return [step for node in walk(load(path)) for step in node.get("steps", [])]


def scripts(path: Path) -> list[str]:
    inputs = [step.get("inputs", {}) for step in steps(path)]
    texts = [*(step.get("bash") for step in steps(path)), *(given.get("inlineScript") for given in inputs)]
    return [text for text in texts if text]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_file_that_is_taken_in_exists_and_gets_its_parameters(path):
    for node in walk(load(path)):
        if "template" in node:
            target = (path.parent / node["template"]).resolve()
            wanted = {parameter["name"] for parameter in load(target).get("parameters", [])}
            assert set(node.get("parameters", {})) == wanted, f"{path.name}: {node['template']}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_task_is_built_in_and_of_a_version_that_is_maintained(path):
    assert {step["task"] for step in steps(path) if "task" in step} <= TASKS


def test_every_verb_that_a_pipeline_calls_exists():
    verbs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poe"]["tasks"]
    called = {verb for path in STAGES for text in scripts(path) for verb in re.findall(r"uv run poe ([\w-]+)", text)}

    assert called - set(verbs) == set()
    assert {"lint", "test", "train", "cloud", "changed"} <= called


def test_no_pipeline_starts_by_itself_unless_it_says_so():
    for path in PIPELINES:
        assert {"trigger", "pr"} <= set(load(path)), path.name


def test_only_jobs_of_an_environment_get_an_identity():
    for path in STAGES:
        for job in load(path)["jobs"]:
            inner = job["strategy"]["runOnce"]["deploy"]["steps"] if "deployment" in job else job["steps"]
            connections = {step["inputs"]["azureSubscription"] for step in inner if step.get("task") == "AzureCLI@2"}
            assert connections <= {job.get("environment")}, f"{path.name}: {job}"


def test_every_job_ends_in_time():
    for path in STAGES:
        assert all(job["timeoutInMinutes"] <= 350 for job in load(path)["jobs"]), path.name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_checkout_keeps_no_credentials(path):
    assert all(step["persistCredentials"] is False for step in steps(path) if "checkout" in step)


@pytest.mark.parametrize("path", [path for path in FILES if path.stem != "keep"], ids=lambda path: path.stem)
def test_no_value_from_outside_stands_in_a_script(path):
    assert [text for text in scripts(path) if "${{" in text or "$(" in text] == []


def test_no_secret_is_read():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert set(re.findall(r"\$\((System\.\w*Token)\)", text)) <= {"System.AccessToken"}, path.name
        assert not re.search(r"(?i)password|secret|client.?key|AzureKeyVault", text), path.name


def test_the_installer_is_pinned_with_its_hashes():
    pins = (FOLDER / "uv.txt").read_text(encoding="utf-8")

    assert re.match(r"uv==[\d.]+ \\\n    --hash=sha256:[0-9a-f]{64}", pins)
    installs = "pip install --quiet --require-hashes --requirement .azuredevops/uv.txt"
    assert any(installs in text for text in scripts(FOLDER / "steps" / "setup.yml"))


def test_drift_never_releases():
    taken = {job["template"] for stage in stages(FOLDER / "drift.yml").values() for job in stage["jobs"]}

    assert taken == {"stages/train.yml"}
    assert not [text for text in scripts(FOLDER / "stages/train.yml") if re.search(r"cloud (promote|rollback)", text)]


def test_a_release_goes_through_the_environments_in_the_order_of_the_policy():
    policy = yaml.safe_load((ROOT / "governance" / "promotion-policy.yml").read_text(encoding="utf-8"))
    release = stages(FOLDER / "release.yml")

    assert list(release) == policy["order"]
    assert [stage["dependsOn"] for stage in release.values()] == [[], *([name] for name in policy["order"][:-1])]
    last = [stage["variables"]["last"] for stage in release.values()]
    assert last == [*["false"] * (len(release) - 1), "true"]
