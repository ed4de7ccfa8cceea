"""Plain `copier update` brings a project to the next release of its catalog and keeps the team's work."""

import os
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from conftest import IDENTITY, ROOT, git, read_folder, release
from mlops_new.catalog import load_catalog
from mlops_new.engine import Renderer

BIN = Path(sys.executable).parent


def run(folder: Path, *command: object) -> str:
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **IDENTITY},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def project(own_catalog: Path, tmp_path: Path) -> Path:
    """A project of release 1.0.0, whose team has worked in it since."""
    target = tmp_path / "credit-scoring"
    run(tmp_path, BIN / "mlops-new", "project", target, "--catalog", own_catalog, "--defaults")
    with (target / "README.md").open("a", encoding="utf-8") as readme:
        readme.write("\n## Notes of the team\n")
    (target / "config" / "gate.yml").write_text("# The team's own gate.\n", encoding="utf-8")
    (target / "notes.txt").write_text("A file that no catalog knows.\n", encoding="utf-8")
    git(target, "add", "--all")
    git(target, "commit", "--quiet", "--message", "Work of the team")
    return target


def next_release(catalog: Path) -> None:
    """Release 1.1.0: a changed shared file, a changed seed file, a new file and a new question."""
    project_layer = catalog / "templates" / "layers" / "{{layer.project}}"
    readme = next(path for path in project_layer.iterdir() if path.name.startswith("README.md"))
    readme.write_text("> News of the kit\n\n" + readme.read_text(encoding="utf-8"), encoding="utf-8")
    (project_layer / "SECURITY-OF-THE-KIT.md").write_text("New.\n", encoding="utf-8")
    gate = next((catalog / "templates" / "layers").rglob("config/gate.yml*"))
    gate.write_text(gate.read_text(encoding="utf-8") + "# A new seed.\n", encoding="utf-8")
    with (catalog / "templates" / "questions" / "project.yml").open("a", encoding="utf-8") as questions:
        questions.write("programme:\n  type: str\n  help: Which programme pays?\n  default: none\n")
    release(catalog, "1.1.0")


def test_an_update_brings_the_release_and_keeps_the_teams_edits(own_catalog: Path, project: Path) -> None:
    next_release(own_catalog)
    run(project, BIN / "copier", "update", "--quiet", "--defaults")
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("> News of the kit")
    assert readme.endswith("## Notes of the team\n")
    assert "<<<<<<<" not in readme
    assert (project / "SECURITY-OF-THE-KIT.md").is_file()
    assert (project / "config" / "gate.yml").read_text(encoding="utf-8") == "# The team's own gate.\n"
    assert (project / "notes.txt").is_file()
    answers = (project / ".copier-answers.yml").read_text(encoding="utf-8")
    assert "_commit: 1.1.0" in answers
    assert "programme: none" in answers
    assert git(project, "diff", "--check") == ""


def test_an_update_of_an_untouched_project_is_a_fresh_project_of_the_next_release(
    own_catalog: Path, tmp_path: Path
) -> None:
    command = (BIN / "mlops-new", "project", "--catalog", own_catalog, "--defaults")
    run(tmp_path, *command, tmp_path / "credit-scoring")
    next_release(own_catalog)
    run(tmp_path / "credit-scoring", BIN / "copier", "update", "--quiet", "--defaults")
    run(tmp_path, *command, tmp_path / "fresh" / "credit-scoring")
    updated, fresh = read_folder(tmp_path / "credit-scoring"), read_folder(tmp_path / "fresh" / "credit-scoring")
    seeds = [path for path in fresh if updated.get(path) != fresh[path]]
    assert seeds == ["config/gate.yml"], "only a seed file may stay as it was"
    assert updated.keys() == fresh.keys()


@pytest.mark.usefixtures("own_catalog")
def test_another_answer_changes_what_depends_on_it_and_keeps_the_teams_edits(project: Path) -> None:
    workspaces = project / "azureml" / "workspaces.yml"
    assert "  prod:" in workspaces.read_text(encoding="utf-8")
    run(project, BIN / "copier", "update", "--quiet", "--defaults", "--data", "environments=dev")
    assert "  dev:" in workspaces.read_text(encoding="utf-8")
    assert "  prod:" not in workspaces.read_text(encoding="utf-8")
    assert (project / "README.md").read_text(encoding="utf-8").endswith("## Notes of the team\n")


def test_a_project_from_a_clone_records_and_follows_the_clones_origin(own_catalog: Path, tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", f"file://{own_catalog}", str(clone))
    target = tmp_path / "credit-scoring"
    run(tmp_path, BIN / "mlops-new", "project", target, "--catalog", clone, "--defaults")
    assert f"_src_path: git+file://{own_catalog}\n" in (target / ".copier-answers.yml").read_text(encoding="utf-8")
    next_release(own_catalog)
    run(target, BIN / "copier", "update", "--quiet", "--defaults")
    assert (target / "SECURITY-OF-THE-KIT.md").is_file()


def test_the_answers_file_of_a_project_makes_the_same_project_again(own_catalog: Path, tmp_path: Path) -> None:
    command = (BIN / "mlops-new", "project", "--catalog", own_catalog)
    first, second = tmp_path / "first" / "credit-scoring", tmp_path / "second" / "credit-scoring"
    run(tmp_path, *command, first, "--defaults", "-d", "name_prefix=ct", "-d", "tags={a: 'b: c'}")
    run(tmp_path, *command, second, "--answers-file", first / ".copier-answers.yml")
    assert read_folder(first) == read_folder(second)


@pytest.mark.usefixtures("own_catalog")
def test_a_project_changes_to_another_ci_system_by_an_update_and_keeps_the_teams_edits(project: Path) -> None:
    assert (project / ".github" / "workflows" / "main.yml").is_file()
    run(project, BIN / "copier", "update", "--quiet", "--defaults", "--data", "ci=azure_devops")
    assert not (project / ".github").exists()
    assert (project / ".azuredevops" / "main.yml").is_file()
    assert not (project / "tests" / "ci" / "test_workflows.py").exists()
    assert (project / "tests" / "ci" / "test_pipelines.py").is_file()
    assert (project / "README.md").read_text(encoding="utf-8").endswith("## Notes of the team\n")
    assert "<<<<<<<" not in (project / "README.md").read_text(encoding="utf-8")
    assert "ci: azure_devops\n" in (project / ".copier-answers.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("answer", "comes"),
    [
        ("iac=terraform", "infra/terraform/main.tf"),
        ("iac=bicep", "infra/bicep/main.bicep"),
        ("data_classification=restricted", "governance/classification.yml"),
    ],
)
@pytest.mark.usefixtures("own_catalog")
def test_another_answer_gives_what_a_fresh_project_has_but_for_what_is_the_teams(
    project: Path, renderer: Renderer, answer: str, comes: str
) -> None:
    run(project, BIN / "copier", "update", "--quiet", "--defaults", "--data", answer)
    name, _, value = answer.partition("=")
    assert (project / comes).is_file()
    kept = {**yaml.safe_load((project / ".copier-answers.yml").read_text(encoding="utf-8")), name: value}
    answers = {key: kept[key] for key in kept if not key.startswith("_")}
    fresh = renderer.render(answers).tree
    different = {
        path
        for path, file in fresh.items()
        if not (project / path).is_file() or (project / path).read_bytes() != file.content
    }
    seed = [pattern.replace("{{ package_name }}", "credit_scoring") for pattern in load_catalog(ROOT).seed]
    others = {path for path in different if not any(fnmatch(path, pattern) for pattern in seed)}
    assert others <= {".copier-answers.yml", "README.md"}


@pytest.mark.usefixtures("own_catalog")
def test_the_language_of_infrastructure_is_switched_and_the_values_stay(project: Path) -> None:
    run(project, BIN / "copier", "update", "--quiet", "--defaults", "--data", "iac=terraform")
    values = project / "infra" / "environments" / "dev.yml"
    values.write_text(values.read_text(encoding="utf-8").replace("monthly_budget: 300", "monthly_budget: 333"))
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "Terraform, with a budget of our own")
    run(project, BIN / "copier", "update", "--quiet", "--defaults", "--data", "iac=bicep")
    assert not (project / "infra" / "terraform").exists()
    assert (project / "infra" / "bicep" / "main.bicep").is_file()
    assert "monthly_budget: 333" in values.read_text(encoding="utf-8")
    assert "<<<<<<<" not in (project / "pyproject.toml").read_text(encoding="utf-8")
