"""Reads the workflows of GitHub Actions into the normal form of `graphs.py`."""

import re
from typing import Any

from graphs import RUNNERS, Graph, load, match, only, verb, without
from mlops_new.model import Tree

FOLDER = ".github/workflows"
STAGE = r"\$/\.github/workflows/_(?P<stage>[a-z-]+)\.yml"
JOB_KEYS = ("name", "if", "runs-on", "timeout-minutes", "environment", "concurrency", "permissions", "env")
JOB_KEYS += ("outputs", "steps")
SIGN_IN = {"client-id": "CLIENT_ID", "tenant-id": "TENANT_ID", "subscription-id": "SUBSCRIPTION_ID"}
TRUST = (
    "(github.event_name == 'merge_group' || (github.event.pull_request.head.repo.full_name == github.repository && "
    "github.event.pull_request.user.login != 'dependabot[bot]'))"
)
BASE = "github.event.pull_request.base.sha || github.event.merge_group.base_sha"


class GitHub:
    """The workflows of a project on GitHub."""

    def __init__(self, tree: Tree, runner: str) -> None:
        self.tree, self.runner = tree, RUNNERS[runner][0]

    def read(self) -> Graph:
        names = [path.removeprefix(f"{FOLDER}/").removesuffix(".yml") for path in self.tree if path.startswith(FOLDER)]
        return {name: self.workflow(name) for name in names if not name.startswith("_")}

    def workflow(self, name: str) -> Graph:
        node = load(self.tree, f"{FOLDER}/{name}.yml")
        only(node, "name", "on", "permissions", "concurrency", "jobs")
        assert (node["name"], node["permissions"]) == (name, {})
        jobs = dict(node["jobs"])
        if name == "pull-request":
            required = jobs.pop("required")
            assert (required["needs"], required["if"], required["permissions"]) == (list(jobs), "always()", {})
        tells = self.tells(name, jobs)
        stages = {key: self.stage(job) for key, job in jobs.items()}
        lock = node.get("concurrency")
        return {
            "starts": self.starts(node["on"]),
            "cancels": lock and lock["cancel-in-progress"],
            "stages": stages,
            **tells,
        }

    def tells(self, name: str, jobs: Graph) -> Graph:
        """Whether the owner is told of a failure, by an issue; the job is taken out."""
        job = jobs.pop("tell", None)
        if job is None:
            return {}
        assert (job["if"], job["needs"], job["permissions"]) == ("failure()", list(jobs), {"issues": "write"})
        assert job["env"]["TITLE"] == f"The workflow {name} failed"
        (step,) = job["steps"]
        assert "gh issue create" in step["run"]
        return {"tells": True}

    def starts(self, node: Graph) -> Graph:
        only(node, "pull_request", "merge_group", "push", "schedule", "repository_dispatch", "workflow_dispatch")
        for event in ("pull_request", "push"):
            assert node.get(event, {"branches": ["main"]})["branches"] == ["main"]
        inputs = (node.get("workflow_dispatch") or {}).get("inputs", {})
        kinds = {"choice": "environment", "string": "text"}
        return without(
            {
                "pull_request": self.reviewed(node),
                "push": [path.removesuffix("/**") for path in node.get("push", {}).get("paths", [])],
                "schedule": node["schedule"][0]["cron"] if "schedule" in node else None,
                "event": node.get("repository_dispatch") == {"types": ["aml-data-drift"]},
                "manual": {name: kinds[entry["type"]] for name, entry in inputs.items()},
            }
        )

    def reviewed(self, node: Graph) -> bool | list[str]:
        """Whether a change starts it, or the paths that do; a queue of merges starts what every change starts."""
        paths = [path.removesuffix("/**") for path in node.get("pull_request", {}).get("paths", [])]
        assert ("merge_group" in node) == ("pull_request" in node and not paths)
        return paths or "pull_request" in node

    def stage(self, call: Graph) -> Graph:
        only(call, "needs", "if", "permissions", "uses", "with")
        name = match(STAGE, call["uses"])["stage"]
        node = load(self.tree, f"{FOLDER}/_{name}.yml")
        only(node, "name", "on", "permissions", "env", "jobs")
        assert (node["permissions"], node["env"]) == ({}, {"UV_NO_SYNC": "1", "AZURE_CORE_OUTPUT": "none"})
        jobs = {key: self.job(job) for key, job in node["jobs"].items()}
        allowed = {"contents": "read"} | (
            {"id-token": "write"} if any("environment" in job for job in jobs.values()) else {}
        )
        assert call["permissions"] == allowed, f"{name} may {call['permissions']}"
        locks = [job["concurrency"] for job in node["jobs"].values() if "concurrency" in job]
        given = {key: self.word(value, "input") for key, value in call.get("with", {}).items()}
        assert set(given) == set((node["on"]["workflow_call"] or {}).get("inputs", {}))
        found = {"needs": call.get("needs"), "with": given, "jobs": jobs, **self.asked(call.get("if", ""))}
        return without(found) | {"cancels": locks[0]["cancel-in-progress"] if locks else None}

    def asked(self, condition: str) -> Graph:
        condition = " ".join(condition.split())
        if not condition:
            return {}
        if condition == TRUST:
            return {"trusted": True}
        found = match(rf"(?P<word>needs\S+) == '(?P<value>\w+)' && {re.escape(TRUST)}", condition)
        return {"if": {self.output(found["word"]): found["value"]}, "trusted": True}

    def output(self, text: str) -> str:
        """`needs.a.outputs.b` as the stage, step and output that it comes from."""
        found = match(r"needs\.(?P<stage>\w+)\.outputs\.(?P<name>\w+)", text)
        node = load(self.tree, f"{FOLDER}/_{found['stage']}.yml")
        told = node["on"]["workflow_call"]["outputs"][found["name"]]["value"]
        job = match(r"\$\{\{ jobs\.(\w+)\.outputs\.(\w+) \}\}", told)
        step = match(r"\$\{\{ steps\.(\w+)\.outputs\.(\w+) \}\}", node["jobs"][job[1]]["outputs"][job[2]])
        return f"{found['stage']}.{step[1]}.{step[2]}"

    def word(self, value: Any, inputs: str = "parameter") -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if "${{" not in text:
            return text
        inner = match(r"\$\{\{ (.+) \}\}", text)[1]
        if inner in (BASE, "github.run_id"):
            return "base" if inner == BASE else "run"
        if inner.startswith("needs."):
            return self.output(inner.removesuffix(" == 'true'"))
        found = match(r"(?:inputs\.(?P<input>\w+)|steps\.(?P<step>\w+)\.outputs\.(?P<output>\w+))", inner)
        return f"{inputs}.{found['input']}" if found["input"] else f"{found['step']}.{found['output']}"

    def job(self, node: Graph) -> Graph:
        only(
            node,
            "name",
            "if",
            "runs-on",
            "timeout-minutes",
            "environment",
            "concurrency",
            "permissions",
            "env",
            "outputs",
            "steps",
        )
        assert node["runs-on"] == self.runner
        checkout, setup, *steps = node["steps"]
        assert checkout["uses"].startswith("actions/checkout@")
        assert checkout["with"]["persist-credentials"] is False
        assert setup == {"uses": "$/.github/actions/setup"}
        job = {"title": node["name"], "minutes": node["timeout-minutes"], **self.condition(node.get("if"))}
        assert node["permissions"] == {"contents": "read"} | ({"id-token": "write"} if "environment" in node else {})
        if "environment" in node:
            sign_in, *steps = steps
            variables = {key: f"${{{{ vars.AZURE_{name} }}}}" for key, name in SIGN_IN.items()}
            assert sign_in == {"uses": "$/.github/actions/azure", "with": variables}
            place = re.sub(r"\$\{\{ inputs\.environment \}\}", "parameter.environment", node["environment"])
            job |= {"environment": place, "ENVIRONMENT": self.word(node["env"]["ENVIRONMENT"])}
        if "concurrency" in node:
            group = node["concurrency"]["group"]
            job["lock"] = group.replace("${{ inputs.environment }}", "parameter.environment")
        history = checkout["with"].get("fetch-depth") == 0
        return without({**job, "history": history, "steps": [self.step(step) for step in steps]})

    def condition(self, text: str | None) -> Graph:
        if text is None:
            return {}
        if text in ("failure()", "always()"):
            return {"when": {"failure()": "failed", "always()": "always"}[text]}
        found = match(
            r"inputs\.(?P<if>\w+)|\$\{\{ !inputs\.(?P<unless>\w+) \}\}"
            r"|steps\.(?P<step>\w+)\.outputs\.(?P<output>\w+) == '(?P<value>\w+)'",
            text,
        )
        if found["step"]:
            return {"if": {f"{found['step']}.{found['output']}": found["value"]}}
        return {"if": found["if"]} if found["if"] else {"unless": found["unless"]}

    def step(self, node: Graph) -> Graph:
        only(node, "id", "if", "env", "run", "uses", "with")
        if "uses" in node:
            assert node["uses"].startswith("actions/upload-artifact@")
            kept = {"keep": node["with"]["name"], "paths": node["with"]["path"].split()}
            return {**kept, **self.condition(node.get("if"))}
        env = {name: self.word(value) for name, value in node.get("env", {}).items()}
        return without({"id": node.get("id"), **verb(node["run"]), "env": env, **self.condition(node.get("if"))})
