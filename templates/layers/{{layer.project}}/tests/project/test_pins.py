"""What is installed is what the catalog pinned, down to the hash."""

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

FILES = ("requirements.txt", "requirements-dev.txt", "azureml/environments/requirements-azure.txt")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;]+)(?: ; (.+))? \\$", re.MULTILINE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")


@pytest.fixture(scope="module")
def root(request) -> Path:
    return request.config.rootpath


def pins(path: Path) -> dict[str, str]:
    """The versions that a file pins for this machine."""
    found = PIN.findall(path.read_text(encoding="utf-8"))
    return {canonicalize_name(name): version for name, version, marker in found if holds(marker)}


def holds(marker: str) -> bool:
    return not marker or Marker(marker).evaluate()


def pyproject(root: Path) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))


def test_installed_versions_are_the_pinned_ones(root):
    installed = {canonicalize_name(one.metadata["Name"]): one.version for one in metadata.distributions()}

    expected = pins(root / "requirements-dev.txt")

    assert len(expected) > 20
    assert {name: installed.get(name) for name in expected} == expected


@pytest.mark.parametrize("file", FILES)
def test_each_requirement_has_an_exact_version_and_hashes_and_no_address(root, file):
    text = (root / file).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]

    assert entries
    assert [entry for entry in entries if not (PIN.match(entry) and HASH.search(entry))] == []
    assert "://" not in text


def test_the_files_agree_with_each_other_and_with_what_uv_resolves(root):
    constraints = {}
    for text in pyproject(root)["tool"]["uv"]["constraint-dependencies"]:
        requirement, _, marker = text.partition(" ; ")
        if holds(marker):
            name, _, version = requirement.partition("==")
            constraints[canonicalize_name(name)] = version

    for file in FILES:
        differing = {name: version for name, version in pins(root / file).items() if constraints.get(name) != version}
        assert differing == {}, file


def test_a_lock_file_holds_no_other_hash_than_the_pinned_ones(root):
    lock = root / "uv.lock"
    if not lock.is_file():
        pytest.skip("uv has not made its lock file here")
    known = {hash_ for file in FILES for hash_ in HASH.findall((root / file).read_text(encoding="utf-8"))}
    team = {canonicalize_name(name) for name in added_by_the_team(root)}

    foreign = [
        f"{package['name']}: {artifact['hash']}"
        for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]
        for artifact in [*package.get("wheels", []), *([package["sdist"]] if "sdist" in package else [])]
        if artifact.get("hash", "").removeprefix("sha256:") not in known and package["name"] not in team
    ]

    assert foreign == []


def added_by_the_team(root: Path) -> set[str]:
    """Packages that are locked, but that the catalog does not pin."""
    lock = tomllib.loads((root / "uv.lock").read_text(encoding="utf-8"))
    pinned = {name for file in FILES for name in all_names(root / file)}
    return {package["name"] for package in lock["package"]} - pinned


def all_names(path: Path) -> set[str]:
    return {canonicalize_name(name) for name, _, _ in PIN.findall(path.read_text(encoding="utf-8"))}


def test_the_project_asks_for_nothing_that_is_not_pinned(root):
    data = pyproject(root)
    groups = data["dependency-groups"]
    asked = {
        "requirements.txt": data["project"]["dependencies"],
        "requirements-dev.txt": groups["dev"],
        "azureml/environments/requirements-azure.txt": groups["azure"],
    }

    for file, requirements in asked.items():
        names = {canonicalize_name(re.split(r"[\[<>=!~ ;]", text, maxsplit=1)[0]) for text in requirements}
        assert names - all_names(root / file) == set(), f"add what is missing to {file}"
