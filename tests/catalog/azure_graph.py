"""Reads the pipelines of Azure Pipelines into the normal form of `graphs.py`."""

import re

from graphs import RUNNERS, Graph, load, match, only, verb, without
from mlops_new.model import Tree

AZURE = ".azuredevops"
VARIABLES = [{"name": "UV_NO_SYNC", "value": "1"}, {"name": "AZURE_CORE_OUTPUT", "value": "none"}]
JOB_KEYS = ("job", "deployment", "displayName", "condition", "timeoutInMinutes", "environment", "strategy", "steps")
OWN = {"ENVIRONMENT", "AML_EXT_VERSION", "SYSTEM_ACCESSTOKEN"}
CANCELS = {"sequential": False, None: None}
INTERRUPT = {
    "dependsOn": [],
    "jobs": [
        {
            "job": "interrupt",
            "displayName": "Stop a release that is under way",
            "timeoutInMinutes": 10,
            "steps": [
                {"checkout": "self", "fetchDepth": 1, "persistCredentials": False},
                {"template": "steps/setup.yml"},
                {
                    "bash": "uv run poe interrupt release",
                    "displayName": "interrupt",
                    "continueOnError": True,
                    "env": {"SYSTEM_ACCESSTOKEN": "$(System.AccessToken)"},
                },
            ],
        }
    ],
}


class AzurePipelines:
    """The pipelines of a project on Azure DevOps."""

    def __init__(self, tree: Tree, runner: str, project: str) -> None:
        self.tree, self.pool, self.project = tree, RUNNERS[runner][1], project

    def read(self) -> Graph:
        found = [re.fullmatch(rf"{re.escape(AZURE)}/([a-z-]+)\.yml", path) for path in self.tree]
        return {name[1]: self.workflow(name[1]) for name in found if name}

    def workflow(self, name: str) -> Graph:
        node = load(self.tree, f"{AZURE}/{name}.yml")
        only(node, "name", "trigger", "pr", "schedules", "parameters", "lockBehavior", "pool", "variables", "stages")
        assert node["pool"] == self.pool
        assert node["variables"] == [*VARIABLES, {"group": self.project}]
        stages = {stage["stage"]: self.stage(stage) for stage in node["stages"] if stage["stage"] != "interrupt"}
        stops = [stage for stage in node["stages"] if stage["stage"] == "interrupt"]
        assert stops in ([], [{"stage": "interrupt", **INTERRUPT}])
        for stage in stages.values() if stops else ():
            assert stage.pop("needs", []) == ["interrupt"]
            stage["cancels"] = True
        review = node["pr"] != "none"
        cancels = node["pr"]["autoCancel"] if review else CANCELS[node.get("lockBehavior")]
        return {"starts": self.starts(node), "cancels": cancels, "stages": stages}

    def starts(self, node: Graph) -> Graph:
        push, review = node["trigger"], node["pr"]
        for start in (push, review):
            assert start == "none" or start["branches"] == {"include": ["main"]}
        asked = {entry["name"]: "environment" if "values" in entry else "text" for entry in node.get("parameters", [])}
        event = asked.pop("event", None)
        schedules = node.get("schedules", [])
        assert all(entry["always"] and entry["branches"] == {"include": ["main"]} for entry in schedules)
        return without(
            {
                "pull_request": review != "none" and review.get("paths", {"include": True})["include"],
                "push": push["paths"]["include"] if push != "none" else [],
                "schedule": schedules[0]["cron"] if schedules else None,
                "event": event is not None,
                "manual": asked,
            }
        )

    def stage(self, node: Graph) -> Graph:
        only(node, "stage", "dependsOn", "condition", "lockBehavior", "variables", "jobs")
        (call,) = node["jobs"]
        inner = load(self.tree, f"{AZURE}/{call['template']}")
        only(inner, "parameters", "jobs")
        assert set(call.get("parameters", {})) == {entry["name"] for entry in inner.get("parameters", [])}
        given = {**node.get("variables", {}), **call.get("parameters", {})}
        jobs = dict(self.job(job) for job in inner["jobs"])
        words = {name: self.word(value, "input") for name, value in given.items()}
        found = {"needs": node["dependsOn"], "with": words, "jobs": jobs, **self.asked(node.get("condition", ""))}
        return without(found) | {"cancels": CANCELS[node.get("lockBehavior")]}

    def asked(self, condition: str) -> Graph:
        if not condition:
            return {}
        if condition == "and(succeeded(), ne(variables['System.PullRequest.IsFork'], 'True'))":
            return {"trusted": True}
        found = match(
            r"and\(succeeded\(\), ne\(variables\['System\.PullRequest\.IsFork'\], 'True'\), "
            r"eq\(dependencies\.(?P<stage>\w+)\.outputs\['(?P<word>[\w.]+)'\], '(?P<value>\w+)'\)\)",
            " ".join(condition.split()),
        )
        assert found["word"].startswith(f"{found['stage']}.")
        return {"if": {found["word"]: found["value"]}, "trusted": True}

    def word(self, value: str, inputs: str = "parameter") -> str:
        known = {"HEAD^1": "base", "$(Build.BuildId)": "run"}
        if value in known or not value.startswith("$"):
            return known.get(value, value)
        found = match(
            r"\$\{\{ parameters\.(?P<input>\w+) \}\}|\$\((?P<output>[a-z]+\.\w+)\)"
            r"|\$\[ stageDependencies\.(?P<stage>\w+)\.\w+\.outputs\['(?P<inner>[\w.]+)'\] \]",
            value,
        )
        if found["stage"]:
            return f"{found['stage']}.{found['inner']}"
        return f"{inputs}.{found['input']}" if found["input"] else found["output"]

    def place(self, text: str) -> str:
        return match(rf"{self.project}-(.+)", text)[1].replace("${{ parameters.environment }}", "parameter.environment")

    def job(self, node: Graph) -> tuple[str, Graph]:
        only(
            node,
            "job",
            "deployment",
            "displayName",
            "condition",
            "timeoutInMinutes",
            "environment",
            "variables",
            "strategy",
            "steps",
        )
        deploys = "deployment" in node
        every = node["strategy"]["runOnce"]["deploy"]["steps"] if deploys else [{"download": "none"}, *node["steps"]]
        download, checkout, setup, *steps = every
        assert download == {"download": "none"}, "A deployment takes every artifact of the run unless told not to."
        assert (checkout["checkout"], checkout["persistCredentials"]) == ("self", False)
        assert setup == {"template": "../steps/setup.yml"}
        read = [self.step(step, node.get("environment")) for step in steps]
        job = {
            "title": node["displayName"],
            "minutes": node["timeoutInMinutes"],
            **self.condition(node.get("condition")),
        }
        if deploys:
            (place,) = {step.pop("ENVIRONMENT") for step in read if "ENVIRONMENT" in step}
            job |= {"environment": self.place(node["environment"]), "ENVIRONMENT": place}
            groups = [match(rf"{self.project}-lock-(.+)", entry["group"])[1] for entry in node.get("variables", [])]
            locks = [group.replace("${{ parameters.environment }}", "parameter.environment") for group in groups]
            job["lock"] = locks[0] if len(locks) == 1 else locks
        return node.get("job") or node["deployment"], without(
            {**job, "history": checkout["fetchDepth"] == 0, "steps": read}
        )

    def condition(self, text: str | None) -> Graph:
        if text is None:
            return {}
        if text in ("failed()", "always()"):
            return {"when": text.removesuffix("()")}
        found = match(r"and\(succeeded\(\), (?P<is>eq|ne)\(variables\['(?P<word>[\w.]+)'\], '(?P<value>\w+)'\)\)", text)
        if "." in found["word"]:
            assert found["is"] == "eq"
            return {"if": {found["word"]: found["value"]}}
        assert found["value"] == "true"
        return {"if" if found["is"] == "eq" else "unless": found["word"]}

    def step(self, node: Graph, place: str | None) -> Graph:
        if "template" in node:
            assert node["template"] == "../steps/keep.yml"
            given = node["parameters"]
            return {"keep": given["name"], "paths": given["paths"].split(), **self.condition(given["condition"])}
        only(node, "bash", "task", "name", "displayName", "condition", "inputs", "env")
        env = {name: self.word(value) for name, value in node.get("env", {}).items() if name not in OWN}
        step = {"id": node.get("name"), "env": env, **self.condition(node.get("condition"))}
        if "task" not in node:
            return without({**step, **verb(node["bash"])})
        shell = {"scriptType": "bash", "scriptLocation": "inlineScript", "addSpnToEnvironment": True}
        inputs = dict(node["inputs"])
        assert node["task"] == "AzureCLI@2"
        script = inputs.pop("inlineScript")
        assert inputs == {**shell, "azureSubscription": place}, (
            "The step signs in as another environment than its job's."
        )
        return without({**step, **verb(script)}) | {"ENVIRONMENT": self.word(node["env"]["ENVIRONMENT"])}
