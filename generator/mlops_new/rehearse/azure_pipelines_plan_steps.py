"""The steps of a job, each as a task with its inputs; a task or input that is not known is refused."""

from collections.abc import Mapping
from dataclasses import dataclass

from mlops_new.errors import nearest
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_conditions import Condition, Needs, condition
from mlops_new.rehearse.azure_pipelines_model import fault
from mlops_new.rehearse.azure_pipelines_nodes import Node

BASH, SCRIPT, CHECKOUT = "bash", "script", "checkout"
PUBLISH, DOWNLOAD = "PublishPipelineArtifact@1", "DownloadPipelineArtifact@2"
AZURE_CLI, PYTHON = "AzureCLI@2", "UsePythonVersion@0"
_COMMON = ("name", "displayName", "condition", "continueOnError", "enabled", "env", "timeoutInMinutes")
# What stands beside each kind of step.
_KINDS: Mapping[str, tuple[str, ...]] = {
    BASH: ("workingDirectory",),
    SCRIPT: ("workingDirectory",),
    CHECKOUT: ("fetchDepth", "persistCredentials"),
    "download": ("artifact",),
    "publish": ("artifact",),
    "task": ("inputs",),
}
# The inputs of each task: those that it needs, and the values that the rehearsal knows where it does not know all.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    AZURE_CLI: ("azureSubscription", "scriptType", "scriptLocation", "inlineScript"),
    PUBLISH: ("targetPath", "artifact"),
    DOWNLOAD: (),
    PYTHON: ("versionSpec",),
}
_OPTIONAL: Mapping[str, tuple[str, ...]] = {
    AZURE_CLI: ("addSpnToEnvironment", "visibleAzLogin", "workingDirectory"),
    PUBLISH: ("publishLocation",),
    DOWNLOAD: ("artifact", "path", "source"),
    PYTHON: ("addToPath",),
}
_VALUES: Mapping[str, tuple[str, ...]] = {
    "addSpnToEnvironment": ("true", "false"),
    "visibleAzLogin": ("true", "false"),
    "addToPath": ("true",),
    "scriptType": ("bash",),
    "scriptLocation": ("inlineScript",),
    "publishLocation": ("pipeline",),
    "source": ("current",),
}
# The inputs in which `$(…)` may be the shell's own.
SCRIPTS = ("script", "inlineScript")
# The service takes a longer script in no task of the Azure CLI.
_LONGEST_SCRIPT = 5000


@dataclass(frozen=True, slots=True)
class Step:
    """A step; its texts still hold `$(…)`."""

    place: Place
    task: str
    inputs: Mapping[str, str]
    name: str
    title: str
    condition: Condition | None
    env: Mapping[str, str]
    minutes: int
    continues: bool


def read_steps(node: Node, *, is_deployment: bool) -> tuple[Step, ...]:
    """The steps of a job, with those that the service adds where nothing says otherwise."""
    steps: list[Step] = []
    downloads = checks_out = False
    names: set[str] = set()
    for entry in node.elements():
        kind = next((kind for kind in _KINDS if entry.get(kind)), None)
        if kind is None:
            known = ", ".join(_KINDS)
            raise fault(entry.place, "the step is of no kind that the rehearsal knows", f"Known are {known}.")
        entry.only(f"A step with {kind}", (kind, *_COMMON, *_KINDS[kind]))
        downloads, checks_out = downloads or kind == "download", checks_out or kind == CHECKOUT
        step = _step(entry, kind)
        if step is not None:
            _add(steps, step, names)
    if not checks_out and not is_deployment:
        steps.insert(0, _added(node.place, CHECKOUT, "Checkout", {"fetchDepth": "1"}))
    if not downloads and is_deployment:
        steps.insert(0, _added(node.place, DOWNLOAD, "Download artifacts", {}))
    return tuple(steps)


def _add(steps: list[Step], step: Step, names: set[str]) -> None:
    if step.name and step.name in names:
        raise fault(step.place, f"the name {step.name} stands here twice", "Change one.")
    names.add(step.name)
    steps.append(step)


def _added(place: Place, task: str, title: str, inputs: Mapping[str, str]) -> Step:
    return Step(place, task, inputs, "", title, None, {}, 0, continues=False)


def _step(node: Node, kind: str) -> Step | None:
    """A step; None for one that does nothing."""
    value = node.need("The step", kind)
    if not node.flag("enabled", default=True) or (kind in {"download", CHECKOUT} and value.text() == "none"):
        return None
    env = node.get("env")
    task, inputs = _task(node, kind, value)
    return Step(
        place=node.place,
        task=task,
        inputs=inputs,
        name=node.texts("name"),
        title=node.texts("displayName", value.text().splitlines()[0] if value.text() else kind),
        condition=condition(node.get("condition"), Needs()),
        env={key: inner.text() for key, _, inner in env.mapping()} if env else {},
        minutes=node.number("timeoutInMinutes", 0),
        continues=node.flag("continueOnError"),
    )


def _task(node: Node, kind: str, value: Node) -> tuple[str, dict[str, str]]:
    text = value.text()
    if kind in {BASH, SCRIPT}:
        return kind, {"script": text, "workingDirectory": node.texts("workingDirectory")}
    if kind == CHECKOUT:
        if text != "self":
            raise fault(value.place, f"the rehearsal cannot check out {text}", "Check out self.")
        node.flag("persistCredentials")
        return kind, {"fetchDepth": str(node.number("fetchDepth", 1))}
    if kind == "download":
        if text != "current":
            raise fault(value.place, f"the rehearsal cannot download from {text}", "Download from current, or none.")
        return DOWNLOAD, {"artifact": node.texts("artifact")}
    if kind == "publish":
        return PUBLISH, {"targetPath": text, "artifact": node.need("The step", "artifact").text()}
    return text, _inputs(node, value)


def _inputs(node: Node, task: Node) -> dict[str, str]:
    name, inputs = task.text(), node.get("inputs")
    if name not in _NEEDED:
        raise fault(task.place, f"the rehearsal does not know the task {name}", nearest(name, _NEEDED))
    given = {key: inner.text() for key, _, inner in inputs.mapping()} if inputs else {}
    if inputs:
        inputs.only(name, (*_NEEDED[name], *_OPTIONAL[name]))
    for key in _NEEDED[name]:
        if not given.get(key):
            raise fault(task.place, f"{name} lacks the input {key}", f"Give {key}.")
    for key in given.keys() & _VALUES.keys():
        if inputs:
            inputs.choice(key, _VALUES[key], "")
    if "$" in given.get("azureSubscription", ""):
        problem = f"the service connection {given['azureSubscription']} is known only while the run goes on"
        raise fault(task.place, problem, "Name it, or use a parameter.")
    if len(given.get("inlineScript", "")) > _LONGEST_SCRIPT:
        raise fault(task.place, f"its script is longer than {_LONGEST_SCRIPT} characters", "Keep it in a file.")
    return given
