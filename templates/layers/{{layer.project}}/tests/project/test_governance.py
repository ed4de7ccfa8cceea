"""What governance/ says about the project is true: people, principles, risks and their tests."""

import ast
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import yaml

TODAY = datetime.now(UTC).date()
PRINCIPLES = {
    "accountability",
    "fairness",
    "inclusiveness",
    "privacy-and-security",
    "reliability-and-safety",
    "transparency",
}


@pytest.fixture(scope="module")
def root(request) -> Path:
    return request.config.rootpath


def governance(root: Path, name: str) -> dict:
    return yaml.safe_load((root / "governance" / f"{name}.yml").read_text(encoding="utf-8"))


def exists(root: Path, test: str) -> bool:
    """Whether a test stands where its id, `tests/file.py::name`, says."""
    file, _, name = test.partition("::")
    path = root / file
    if not path.is_file():
        return False
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    names = {node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}
    return name in names if name else bool(names)


def principle_tests(root: Path) -> dict[str, list[str]]:
    """The test ids of each principle, from every file of governance/responsible-ai/."""
    found: dict[str, list[str]] = {name: [] for name in governance(root, "responsible-ai")}
    for path in sorted((root / "governance" / "responsible-ai").glob("*.yml")):
        for name, tests in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            found[name] += tests  # a name that responsible-ai.yml lacks fails here
    return found


def unproved(root: Path, tests: dict[str, list[str]], waivers: list, today: date) -> list[str]:
    """Principles that no test holds or that name a missing one, and that no valid waiver excuses."""
    waived = {waiver["what"] for waiver in waivers if waiver["by"] and waiver["until"] >= today}
    held = {name for name, ids in tests.items() if ids and all(exists(root, test) for test in ids)}
    return sorted(set(tests) - held - waived)


def test_each_principle_of_responsible_ai_is_held_by_tests_that_exist(root):
    tests = principle_tests(root)

    assert set(tests) >= PRINCIPLES
    assert unproved(root, tests, governance(root, "attestations")["waivers"], TODAY) == []


@pytest.mark.parametrize("tests", [[], ["tests/nowhere.py"], ["tests/project/test_governance.py::test_missing"]])
def test_a_principle_without_an_existing_test_is_found(root, tests):
    assert unproved(root, {"fairness": tests}, [], TODAY) == ["fairness"]


def test_a_waiver_excuses_a_principle_until_its_date_and_not_after(root):
    waivers = [{"what": "fairness", "by": "ann", "until": date(2030, 1, 31)}]

    assert unproved(root, {"fairness": []}, waivers, date(2030, 1, 31)) == []
    assert unproved(root, {"fairness": []}, waivers, date(2030, 2, 1)) == ["fairness"]


def test_no_waiver_has_expired(root):
    expired = [waiver["what"] for waiver in governance(root, "attestations")["waivers"] if waiver["until"] < TODAY]

    assert expired == []


def test_each_risk_has_a_control_whose_tests_exist(root):
    risks = governance(root, "risk-register")["risks"]
    missing = [f"{risk['id']}: {test}" for risk in risks for test in risk["tests"] if not exists(root, test)]

    assert missing == []
    assert [risk["id"] for risk in risks if not (risk["control"] and risk["tests"])] == []
    assert len({risk["id"] for risk in risks}) == len(risks)


def test_no_review_of_a_risk_lies_in_the_future(root):
    reviews = {risk["id"]: risk["reviewed"] for risk in governance(root, "risk-register")["risks"]}

    assert [name for name, reviewed in reviews.items() if reviewed is not None and reviewed > TODAY] == []


def test_somebody_has_each_role_that_production_asks_for(root):
    owners = governance(root, "owners")
    controls = governance(root, "classification")["controls"]

    assert set(controls["production_approvers"]) <= {role for role, holder in owners["roles"].items() if holder}
    assert "@" in owners["contact"]


def test_the_promotion_policy_asks_for_what_the_classification_does(root):
    controls = governance(root, "classification")["controls"]
    policy = governance(root, "promotion-policy")
    last = policy["environments"][policy["order"][-1]]

    assert last["approvers"] == controls["production_approvers"]
    assert last["evidence"] == controls["evidence"]
    assert [policy["environments"][name]["after"] for name in policy["order"]] == [None, *policy["order"][:-1]]


def test_the_model_card_keeps_the_questions_that_people_must_answer(root):
    text = (root / "governance" / "model-card.md").read_text(encoding="utf-8")

    for heading in ("Intended use", "Out of scope", "People affected", "Limits", "Human oversight"):
        assert f"## {heading}" in text
