"""What the workflows refer to exists, and what they may do is no more than they need."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

PINNED = re.compile(r"^[\w.-]+/[\w./-]+@[0-9a-f]{40}$")
COMMENTED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$")
ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FILES = [*WORKFLOWS, *sorted((GITHUB / "actions").glob("*/action.yml"))]


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def jobs() -> list[tuple[str, str, dict]]:
    return [(path.stem, name, job) for path in WORKFLOWS for name, job in load(path)["jobs"].items()]


def uses(path: Path) -> list[str]:
    return re.findall(r"^\s*(?:- )?uses: (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)


def verbs_called(path: Path) -> list[str]:
    return re.findall(r"uv run poe ([\w-]+)", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_every_action_is_pinned_by_commit_and_names_its_version(path):
    foreign = [reference for reference in uses(path) if not reference.startswith("$/")]
    lines = path.read_text(encoding="utf-8").splitlines()

    assert [reference for reference in foreign if not PINNED.match(reference)] == []
    assert len([line for line in lines if COMMENTED.search(line)]) == len(foreign)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name + "/" + path.name)
def test_every_reference_within_the_repository_exists(path):
    local = [ROOT / reference.removeprefix("$/") for reference in uses(path) if reference.startswith("$/")]

    assert [target for target in local if not (target.is_file() or (target / "action.yml").is_file())] == []


def test_every_verb_that_a_workflow_calls_exists():
    verbs = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poe"]["tasks"]
    called = {verb for path in WORKFLOWS for verb in verbs_called(path)}

    assert called - set(verbs) == set()
    assert {"lint", "test", "train", "cloud"} <= called


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_starts_without_any_permission(path):
    assert load(path)["permissions"] == {}


def test_no_job_may_write_more_than_its_identity_token_or_an_issue():
    for workflow, name, job in jobs():
        written = {scope for scope, level in job.get("permissions", {}).items() if level == "write"}
        assert written <= ({"issues"} if name == "tell" else {"id-token"}), f"{workflow}: {name}"
        assert "secrets" not in job, f"{workflow}: {name}"


def test_only_jobs_of_an_environment_get_an_identity():
    for workflow, name, job in jobs():
        if "steps" in job and "id-token" in job.get("permissions", {}):
            assert "environment" in job, f"{workflow}: {name}"


def test_every_job_ends_in_time():
    for workflow, name, job in jobs():
        assert "uses" in job or job["timeout-minutes"] <= 350, f"{workflow}: {name}"


def test_no_secret_is_read():
    assert [path.name for path in FILES if "secrets." in path.read_text(encoding="utf-8")] == []


def test_no_value_from_outside_stands_in_a_script():
    for workflow, name, job in jobs():
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), f"{workflow}: {name}"


def test_drift_never_releases():
    called = {job["uses"] for workflow, _, job in jobs() if workflow == "drift" and "uses" in job}
    training = (GITHUB / "workflows" / "_train.yml").read_text(encoding="utf-8")

    assert called == {"$/.github/workflows/_train.yml"}
    assert not re.search(r"cloud (promote|rollback|validate)", training)


def test_a_release_goes_through_the_environments_in_the_order_of_the_policy():
    policy = yaml.safe_load((ROOT / "governance" / "promotion-policy.yml").read_text(encoding="utf-8"))
    release = load(GITHUB / "workflows" / "release.yml")["jobs"]
    tell = release.pop("tell")

    assert tell["needs"] == policy["order"]
    assert list(release) == policy["order"]
    assert [job.get("needs") for job in release.values()] == [None, *([name] for name in policy["order"][:-1])]
    assert [job["with"]["last"] for job in release.values()] == [*[False] * (len(release) - 1), True]


def test_the_owner_is_told_of_what_nobody_watches():
    told = {workflow for workflow, name, _ in jobs() if name == "tell"}

    assert {"drift", "main", "release", "scheduled"} <= told


def test_the_required_check_waits_for_all_others():
    pull_request = load(GITHUB / "workflows" / "pull-request.yml")["jobs"]

    assert set(pull_request["required"]["needs"]) == set(pull_request) - {"required"}
