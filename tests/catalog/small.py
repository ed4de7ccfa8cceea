"""A catalog with few combinations, made from the real one by narrowing its questions' choices."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from conftest import BIN, copy_catalog

# The choices that stay; the manifest and the rules are narrowed with them.
KEPT = {
    "ci": "GitHub Actions: github_actions",
    "iac": "None: none",
    "data_classification": "Internal: internal",
    "environments": "Development, test and production: dev_test_prod",
    "azure_region": "West Europe: westeurope",
    "scoring_frequency": "Every night: daily",
    "python_version": '- "3.11"',
}


# What no answer turns on any more.
LEFT_OUT = ("bicep", "azure_devops", "azure_devops_infra", "github_actions_infra", "infra", "terraform")


def narrow(catalog: Path) -> None:
    for path in (catalog / "templates" / "questions").glob("*.yml"):
        text = path.read_text(encoding="utf-8")
        for name, choice in KEPT.items():
            block = re.compile(rf"(^{name}:\n(?:  .*\n)*?  choices:\n)(?:    .*\n)+", re.MULTILINE)
            text = block.sub(lambda match, choice=choice: f"{match.group(1)}    {choice}\n", text)
        path.write_text(text, encoding="utf-8")
    manifest = catalog / "templates" / "catalog" / "batch-scoring.yml"
    text = manifest.read_text(encoding="utf-8").replace('["3.11", "3.12", "3.13"]', '["3.11"]')
    manifest.write_text(text, encoding="utf-8")
    (catalog / "templates" / "catalog" / "rules.yml").write_text("[]\n", encoding="utf-8")
    (catalog / "templates" / "catalog" / "layering.yml").write_text("{}\n", encoding="utf-8")
    for layer in LEFT_OUT:
        shutil.rmtree(catalog / "templates" / "layers" / f"{{{{layer.{layer}}}}}")
        (catalog / "templates" / "catalog" / "layers" / f"{layer}.yml").unlink()
        replace(catalog / "templates" / "questions" / "computed.yml", f", '{layer}'", "")


def make_narrow(target: Path) -> Path:
    """Copy the catalog, without what `check` does not read, and narrow it."""
    catalog = copy_catalog(target)
    for name in (".git", "tests", "docs", "benchmarks"):
        shutil.rmtree(catalog / name)
    narrow(catalog)
    return catalog


def run_check(catalog: Path, *options: str) -> tuple[int, dict]:
    """The exit code of the command line and its report."""
    command = [str(BIN / "mlops-new"), "check", str(catalog), "--json", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("{"), done.stderr
    return done.returncode, json.loads(done.stdout)


def replace(path: Path, old: str, new: str) -> None:
    """Change a text that stands in a file; the test fails where it does not."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} holds no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def line_with(path: Path, text: str) -> int:
    """The number of the first line that holds a text."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)
