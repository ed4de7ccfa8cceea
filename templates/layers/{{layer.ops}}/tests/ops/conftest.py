"""A project with a pipeline of two steps, each of which takes milliseconds."""

from pathlib import Path

import pytest
import yaml

# Writes the words that it gets into its output. A word may tell it to fail, to say no, to write nothing, or to wait
# for the file `go`.
SCRIPT = """
import json, os, sys, time
from pathlib import Path

out, *words = sys.argv[1:]
print("the words are", *words, flush=True)
target = Path(out) / "words.json" if Path(out).is_dir() else Path(out)
if "forget" not in words:
    target.write_text(json.dumps(words))
while "wait" in words and not Path(os.environ["PROJECT_ROOT"], "go").exists():
    time.sleep(0.01)
sys.exit({"fail": 7, "refuse": 3}.get(words[-1], 0))
"""
COMPONENT = {"type": "command", "version": "1", "code": "../../src", "environment": "azureml:tiny:1"}
FIRST = COMPONENT | {
    "name": "first",
    "inputs": {
        "rows": {"type": "uri_folder"},
        "times": {"type": "integer", "default": 2, "min": 1, "max": 9},
        "label": {"type": "string", "optional": True},
    },
    "outputs": {"out": {"type": "uri_folder"}},
    "command": "python step.py ${{outputs.out}} ${{inputs.rows}} ${{inputs.times}} $[[--label ${{inputs.label}}]]",
}
SECOND = COMPONENT | {
    "name": "second",
    "inputs": {
        "rows": {"type": "uri_folder"},
        "share": {"type": "number", "default": 0.5},
        "mode": {"type": "string", "default": "work"},
    },
    "outputs": {"out": {"type": "uri_file"}},
    "command": "python step.py ${{outputs.out}} ${{inputs.rows}} ${{inputs.share}} ${{inputs.mode}}",
}
PIPELINE = {
    "type": "pipeline",
    "inputs": {"raw": {"type": "uri_folder", "path": "azureml:rows:1"}, "times": 3, "mode": "work"},
    "outputs": {"result": {"type": "uri_file"}},
    "jobs": {
        # The order in the file is not the order in which they can run.
        "second": {
            "component": "../components/second.yml",
            "inputs": {"rows": "${{parent.jobs.first.outputs.out}}", "mode": "${{parent.inputs.mode}}"},
            "outputs": {"out": "${{parent.outputs.result}}"},
        },
        "first": {
            "component": "../components/first.yml",
            "inputs": {"rows": "${{parent.inputs.raw}}", "times": "${{parent.inputs.times}}"},
        },
    },
}


class Tiny:
    """The project's folder, and changes to it."""

    def __init__(self, root):
        self.root = root
        self.first = root / "azureml" / "components" / "first.yml"
        self.second = root / "azureml" / "components" / "second.yml"
        self.pipeline = root / "azureml" / "pipelines" / "tiny.yml"
        self.data = root / "azureml" / "data" / "rows.yml"
        self.environment = root / "azureml" / "environments" / "environment.yml"
        self.script = root / "src" / "step.py"
        self.rows = root / "data" / "rows.csv"

    def write(self, path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        path.write_text(text, encoding="utf-8")
        return path

    def change(self, path, key, value=None):
        """Give the key, such as `jobs/first/inputs`, of a YAML file another value; none takes it away."""
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        *parents, last = key.split("/")
        inner = content
        for parent in parents:
            inner = inner.setdefault(parent, {})
        inner.pop(last, None)
        if value is not None:
            inner[last] = value
        self.write(path, content)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    made = Tiny(tmp_path.resolve() / "tiny")
    made.write(made.root / "pyproject.toml", '[project]\nname = "tiny"\n')
    made.write(made.root / "requirements.txt", "numpy==2.0\n")
    made.write(made.environment, {"name": "tiny", "version": "1", "image": "ubuntu:24.04"})
    made.write(made.data, {"name": "rows", "version": "1", "type": "uri_folder", "path": "../../data"})
    made.write(made.rows, "1\n2\n")
    made.write(made.script, SCRIPT)
    made.write(made.first, FIRST)
    made.write(made.second, SECOND)
    made.write(made.pipeline, PIPELINE)
    monkeypatch.chdir(made.root)
    for name in ("PROJECT_ROOT", "PROJECT_NAME", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return made


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A working folder outside any project."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PROJECT_ROOT", raising=False)
    monkeypatch.delenv("PROJECT_NAME", raising=False)
    return Path(tmp_path)
