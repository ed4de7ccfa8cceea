"""Resolve each pattern's dependencies for each Python version, with hashes, into `templates/pins/`.

    python tools/pins.py [PATTERN...]

For each pattern and Python version there are three files: what the project needs to run, the same with the
tools of its tests, and the same with what a job in Azure ML needs. The second is resolved first and constrains
the others, so that a package has one version in all of them. No file names a download address.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from mlops_new.catalog import load_catalog
from mlops_new.model import Catalog, Pattern

ROOT = Path(__file__).resolve().parent.parent
AZURE = ["azureml-mlflow>=1.62"]


def requirements(catalog: Catalog, pattern: Pattern, *, dev: bool) -> list[str]:
    """What the pattern's layers need, and their tests."""
    found = {r for name in pattern.layers for r in catalog.layers[name].dependencies}
    if dev:
        found |= {r for name in pattern.layers for r in catalog.layers[name].dev_dependencies}
    return sorted(found)


def resolve(lines: list[str], python: str, target: Path, constraints: Path | None = None) -> None:
    """Write the pinned versions and hashes of requirements for every operating system."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header", "--no-annotate"]
        command += ["--no-emit-index-url", "--python-version", python, "--output-file", str(target), str(source)]
        command += ["--constraints", str(constraints)] if constraints else []
        subprocess.run(command, check=True, env={**os.environ, "UV_NO_CONFIG": "1"})


def main(patterns: list[str]) -> None:
    """Resolve the named patterns, or all of them."""
    catalog = load_catalog(ROOT)
    folder = ROOT / "templates" / "pins"
    folder.mkdir(exist_ok=True)
    for name in patterns or sorted(catalog.patterns):
        pattern = catalog.patterns[name]
        for python in pattern.allowed["python_version"]:
            stem = f"{name}-py{python}"
            everything = folder / f".{stem}-all.txt"
            dev, run = requirements(catalog, pattern, dev=True), requirements(catalog, pattern, dev=False)
            resolve(dev + AZURE, python, everything)
            for suffix, lines in (("", run), ("-dev", dev + AZURE), ("-azure", run + AZURE)):
                resolve(lines, python, folder / f"{stem}{suffix}.txt", everything)
            everything.unlink()
            print(f"{stem}: done")


if __name__ == "__main__":
    main(sys.argv[1:])
