"""The wheel alone renders a project with no network, and the project follows the wheels that come after it."""

import os
import re
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from conftest import BIN, IDENTITY, ROOT, copy_catalog, git, read_folder

pytestmark = pytest.mark.slow
UV = BIN / "uv"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
# A namespace without any network, where this machine lets us make one; a proxy that nobody answers elsewhere.
OFFLINE = ("unshare", "--net")
CAN_UNSHARE = shutil.which("unshare") and subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0  # noqa: PLW1510
DEAD_PROXY = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
README = Path("templates/layers/{{layer.project}}/README.md.jinja")


def run(*command: object, folder: Path | None = None, **variables: str) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **IDENTITY, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command[0]}: {done.stderr}"
    return done.stdout


def build(checkout: Path, target: Path) -> Path:
    run(UV, "build", "--quiet", "--wheel", "--offline", "--no-build-isolation", "--out-dir", target, checkout)
    (wheel,) = target.glob("*.whl")
    return wheel


class Machine:
    """A home, and an environment that holds the kit's own dependencies; what runs on it has no network."""

    def __init__(self, folder: Path) -> None:
        self.home, self.environment, self.desk = folder / "home", folder / "environment", folder / "desk"
        self.home.mkdir(parents=True)
        self.desk.mkdir()
        pins = folder / "pins.txt"
        pins.write_text(
            "\n".join(re.findall(r"^[\w.-]+==[^ ;\\]+", (ROOT / "requirements/dev.txt").read_text(), re.MULTILINE))
        )
        needs = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
        run(UV, "venv", "--quiet", self.environment)
        run(UV, "pip", "install", "--quiet", "--python", self.environment, "--constraint", pins, *needs)

    def install(self, wheel: Path) -> None:
        self.offline(UV, "pip", "install", "--quiet", "--no-deps", "--offline", "--python", self.environment, wheel)

    def offline(self, *command: object, folder: Path | None = None) -> str:
        path = f"{self.environment / SCRIPTS}{os.pathsep}{os.environ['PATH']}"
        variables = {"HOME": str(self.home), "XDG_CACHE_HOME": str(self.home / ".cache"), "PATH": path, **DEAD_PROXY}
        return run(*(OFFLINE if CAN_UNSHARE else ()), *command, folder=folder or self.desk, **variables)

    def project(self, *options: object) -> str:
        return self.offline(self.environment / SCRIPTS / "mlops-new", "project", *options)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone of this catalog whose version is 1.0.0, which is tagged."""
    target = copy_catalog(tmp_path_factory.mktemp("wheel") / "checkout")
    set_version(target, "1.0.0")
    git(target, "commit", "--quiet", "--all", "--message", "Version")
    git(target, "tag", "--force", "1.0.0")
    return target


def set_version(checkout: Path, version: str) -> None:
    path = checkout / "pyproject.toml"
    path.write_text(re.sub(r'^version = ".*"', f'version = "{version}"', path.read_text(), flags=re.MULTILINE))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    return Machine(tmp_path_factory.mktemp("machine"))


def test_the_wheel_renders_offline_and_its_projects_follow_the_next_wheel(
    checkout: Path, machine: Machine, tmp_path: Path
) -> None:
    wheel = build(checkout, tmp_path / "first")
    assert "mlops_new/catalog.bundle" in zipfile.ZipFile(wheel).namelist()
    machine.install(wheel)
    assert "batch-scoring" in machine.offline(machine.environment / SCRIPTS / "mlops-new", "patterns")
    machine.project("credit-scoring", "--defaults")
    target = machine.desk / "credit-scoring"
    assert "_src_path: ~/.mlops-new/catalog.bundle\n" in (target / ".copier-answers.yml").read_text()
    rendered = read_folder(target)
    run(BIN / "mlops-new", "project", tmp_path / "credit-scoring", "--catalog", checkout, "--defaults")
    assert rendered.keys() == read_folder(tmp_path / "credit-scoring").keys()
    differing = [path for path, file in read_folder(tmp_path / "credit-scoring").items() if file != rendered[path]]
    assert differing == [".copier-answers.yml"]

    with (target / "README.md").open("a") as readme:
        readme.write("\n## Notes of the team\n")
    git(target, "commit", "--quiet", "--all", "--message", "Work of the team")
    set_version(checkout, "1.1.0")
    page = checkout / README
    page.write_text("> News of the kit\n\n" + page.read_text())
    machine.install(build(checkout, tmp_path / "second"))
    machine.project("other-project", "--defaults")  # any use puts the new catalog at its place
    machine.offline("copier", "update", "--quiet", "--defaults", folder=target)
    updated = (target / "README.md").read_text()
    assert updated.startswith("> News of the kit\n")
    assert updated.endswith("## Notes of the team\n")
    assert "_commit: 1.1.0\n" in (target / ".copier-answers.yml").read_text()


def test_the_same_releases_give_the_same_commits_and_none_of_what_running_leaves_behind(
    checkout: Path, tmp_path: Path
) -> None:
    heads = []
    for name in ("one", "other"):
        cache = checkout / "templates" / "layers" / "__pycache__"
        cache.mkdir(exist_ok=True)
        (cache / f"{name}.pyc").write_bytes(name.encode())
        with zipfile.ZipFile(build(checkout, tmp_path / name)) as wheel:
            wheel.extract("mlops_new/catalog.bundle", tmp_path / name)
        bundle = tmp_path / name / "mlops_new" / "catalog.bundle"
        heads.append(git(tmp_path, "bundle", "list-heads", str(bundle)))
        git(tmp_path, "clone", "--quiet", str(bundle), str(tmp_path / name / "clone"))
        assert not list((tmp_path / name / "clone").rglob("__pycache__"))
    assert heads[0] == heads[1]
    assert "refs/tags/1.0.0" in heads[0]
