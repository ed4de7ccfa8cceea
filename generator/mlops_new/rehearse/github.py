"""Runs the workflows of GitHub Actions on this machine, with `act` and its host runner.

What is changed in the working copy of a run, and nowhere else: `$/`, which act does not know, becomes `./`; variables
of an environment, of which act knows none, get their values; who approves is asked in a first step; and third-party
actions are replaced by the stand-ins below.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from mlops_new import git
from mlops_new.errors import ToolError
from mlops_new.rehearse.delivery import EXTENSION, Delivery, Job, Trigger, as_json

_WORKFLOWS: Final = ".github/workflows"
_USES: Final = re.compile(r"uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40})")
_EVENTS: Final = {"push": "push", "pull_request": "pull_request", "manual": "workflow_dispatch",
                  "event": "repository_dispatch", "schedule": "schedule"}  # fmt: skip
_OWN: Final = "contoso"
# What stands in for each third-party action: its inputs, and what it does.
_STAND_INS: Final = {
    "astral-sh/setup-uv": (("version", "python-version", "enable-cache"), "uv --version"),
    "azure/login": (
        ("client-id", "tenant-id", "subscription-id"),
        """az login --service-principal --username "$CLIENT_ID" --tenant "$TENANT_ID" \\
  --federated-token "rehearsal:$REHEARSED_ENVIRONMENT" --output none""",
    ),
    "actions/upload-artifact": (
        ("name", "path", "include-hidden-files", "if-no-files-found", "retention-days"),
        """mkdir -p "$REHEARSED_ARTIFACTS/$NAME"
while read -r path; do [[ ! -e "$path" ]] || cp -R "$path" "$REHEARSED_ARTIFACTS/$NAME"; done <<< "$FILES\"""",
    ),
}
_ENDS: Final = {"success": "success", "failure": "failure", "skipped": "skipped"}


class GitHub(Delivery):
    """The workflows of a project on GitHub."""

    def is_exclusive(self, workflow: str) -> bool:
        """Whether its runs share a lock that does not cancel."""
        held = self._workflow(self.origin, workflow).get("concurrency")
        return held is not None and not held["cancel-in-progress"]

    def command(self, workflow: str, trigger: Trigger, copy: Path) -> list[str]:
        """Write stand-ins and the event, and change what act does not know."""
        replaced = [word for pair in self._replaced(copy) for word in ("--local-repository", pair)]
        event = copy.parent / "event.json"
        event.write_text(json.dumps(self._event(trigger, copy)), encoding="utf-8")
        for path in sorted((copy / ".github").rglob("*.yml")):
            text = path.read_text(encoding="utf-8").replace("uses: $/", "uses: ./")
            if path.parent.name == "workflows":
                text = _rehearsed(text, copy.parent / "artifacts")
            path.write_text(text, encoding="utf-8", newline="\n")
            # The commit stays the project's own, and git sees no change: a verb may look at either.
            git.run("update-index", "--assume-unchanged", path.relative_to(copy).as_posix(), folder=copy)
        git.run("remote", "set-url", "origin", f"https://github.com/{_OWN}/{copy.parent.name}.git", folder=copy)
        options = ["--action-offline-mode", "--no-cache-server", "--concurrent-jobs", "1", "--json", "--rm"]
        runner = [word for label in ("ubuntu-24.04", "self-hosted") for word in ("-P", f"{label}=-self-hosted")]
        places = ["--action-cache-path", str(copy.parent / "cache"), "-W", f"{_WORKFLOWS}/{workflow}.yml"]
        return ["act", _EVENTS[trigger.kind], "-e", str(event), *options, *runner, *places, *replaced]

    def read(self, line: str) -> Job | None:
        """A job's end, as act tells it."""
        entry = as_json(line)
        end = _ENDS.get(str(entry.get("jobResult")))
        return Job(" ".join(str(entry["job"]).split()), end) if end else None  # type: ignore[arg-type] # one of them

    def told(self, line: str) -> str:
        """What a step said, or which job or step comes; act says it in JSON."""
        entry = as_json(line)
        text = str(entry.get("msg", "")).strip("\n")
        is_said = entry.get("raw_output", False)
        return (
            line
            if not entry
            else f"{text}\n"
            if is_said
            else f"[{' '.join(str(entry.get('job', '')).split())}] {text}\n"
        )

    def _workflow(self, root: Path, name: str) -> dict[str, Any]:
        path = root / _WORKFLOWS / f"{name}.yml"
        if not path.is_file():
            known = ", ".join(sorted(p.stem for p in path.parent.glob("*.yml") if not p.stem.startswith("_")))
            raise ToolError(f"The project has no workflow {name}.", f"It has {known}.")
        return dict(yaml.safe_load(path.read_text(encoding="utf-8")))

    def _event(self, trigger: Trigger, copy: Path) -> dict[str, Any]:
        if trigger.kind != "pull_request":
            return {"inputs": dict(trigger.inputs), "action": "aml-data-drift"}
        repository = {"full_name": f"{_OWN}/{copy.parent.name}"}
        head = {"ref": "change", "sha": git.commit_of(copy, "HEAD"), "repo": repository}
        base = {"ref": "main", "sha": trigger.base}
        return {"pull_request": {"number": 1, "base": base, "head": head, "user": {"login": "ada"}}}

    def _replaced(self, copy: Path) -> Iterator[str]:
        files = sorted((copy / ".github").rglob("*.yml"))
        used = {found.groups() for path in files for found in _USES.finditer(path.read_text(encoding="utf-8"))}
        for action, commit in sorted(used):
            if action == "actions/checkout":
                continue  # act has it
            if action not in _STAND_INS:
                raise ToolError(f"The rehearsal has no stand-in for the action {action}.", "Use one that it has.")
            folder = copy.parent / "actions" / action
            folder.mkdir(parents=True)
            (folder / "action.yml").write_text(json.dumps(_stand_in(action)), encoding="utf-8")
            yield f"{action}@{commit}={folder}"


def _stand_in(action: str) -> dict[str, Any]:
    inputs, script = _STAND_INS[action]
    # The shell already has a PATH.
    names = {name: "FILES" if name == "path" else name.upper().replace("-", "_") for name in inputs}
    environment = {variable: "${{ inputs." + name + " }}" for name, variable in names.items()}
    step = {"shell": "bash", "env": environment, "run": script}
    declared = {name: {"description": name, "required": False} for name in inputs}
    return {"name": action, "description": action, "inputs": declared,
            "runs": {"using": "composite", "steps": [step]}}  # fmt: skip


def _rehearsed(text: str, artifacts: Path) -> str:
    """A workflow with the variables of its environments, and with a first step that asks who approves."""
    node = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, which reads `on` as a text
    node["jobs"] = {name: _job(job, artifacts) if "steps" in job else job for name, job in node["jobs"].items()}
    return str(yaml.dump(node, sort_keys=False, width=10_000))


def _job(job: dict[str, Any], artifacts: Path) -> dict[str, Any]:
    place = job.get("environment", "")
    values = {"AML_EXT_VERSION": EXTENSION, "AZURE_CLIENT_ID": f"client-{place}", "AZURE_TENANT_ID": "tenant"}
    written = json.dumps(job)
    for name, value in {**values, "AZURE_SUBSCRIPTION_ID": "subscription"}.items():
        written = written.replace("${{ vars." + name + " }}", value)
    found: dict[str, Any] = json.loads(written)
    found["env"] = {**found.get("env", {}), "REHEARSED_ENVIRONMENT": place, "REHEARSED_ARTIFACTS": str(artifacts)}
    checkouts = [n for n, step in enumerate(found["steps"]) if str(step.get("uses")).startswith("actions/checkout@")]
    if place and checkouts:
        ask = {"name": "Approval", "run": 'rehearsal-approve "$REHEARSED_ENVIRONMENT"'}
        found["steps"].insert(checkouts[0] + 1, ask)
    return found


class _Loader(yaml.SafeLoader):
    """Reads `on` as a text, as GitHub does."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
