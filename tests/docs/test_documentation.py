"""Every command in the documentation runs, in the order in which the page shows it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")
PAGES = sorted([ROOT / "README.md", ROOT / "AGENTS.md", *(ROOT / "docs").rglob("*.md")])
NEEDS_PROJECT = "how-to/update-a-project.md"
# A project, and a release of its catalog that came after it.
PREPARE = """
git clone --quiet "$CATALOG" catalog && git -C catalog remote remove origin
mlops-new project project --catalog "$PWD/catalog" --defaults
echo "# News" >"catalog/templates/layers/{{layer.project}}/NEWS.md"
git -C catalog add --all && git -C catalog commit --quiet --message News && git -C catalog tag 1.1.0
"""


def commands(page: Path) -> str:
    """The shell commands of a page, one after another."""
    return "\n".join(BLOCK.findall(page.read_text(encoding="utf-8")))


def runnable() -> list[Path]:
    """Pages with commands; README's own two commands are run by `.ci/run` and by the end-to-end test."""
    return [page for page in PAGES if commands(page) and page.name != "README.md"]


@pytest.mark.slow
@pytest.mark.parametrize("page", runnable(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_of_the_page_succeeds(page: Path, tmp_path: Path, released_catalog: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "CATALOG": str(released_catalog),
        "MLOPS_NEW_CATALOG": str(released_catalog),
        "GIT_AUTHOR_NAME": "Reader",
        "GIT_AUTHOR_EMAIL": "reader@example.com",
        "GIT_COMMITTER_NAME": "Reader",
        "GIT_COMMITTER_EMAIL": "reader@example.com",
    }
    prepare = ""
    if page.relative_to(ROOT).as_posix().endswith(NEEDS_PROJECT):
        prepare = PREPARE
    script = f"set -euo pipefail\n{prepare}{commands(page)}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{page.name} stopped:\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not missing, f"{page.name} links to {missing}"


def test_continuous_integration_runs_the_readme_test_command() -> None:
    command = "python3 tools/dev.py test"
    assert command in (ROOT / "README.md").read_text(encoding="utf-8")
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150
