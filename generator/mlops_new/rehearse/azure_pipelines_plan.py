"""A pipeline as a plan of stages, jobs and steps, read with no key left unread."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from mlops_new.errors import nearest
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_conditions import Condition, Needs, condition, runtime
from mlops_new.rehearse.azure_pipelines_model import fault
from mlops_new.rehearse.azure_pipelines_nodes import Node
from mlops_new.rehearse.azure_pipelines_plan_steps import Step, read_steps

_PIPELINE = ("name", "trigger", "pr", "schedules", "parameters", "lockBehavior", "pool", "variables", "stages")
_STAGE = ("stage", "displayName", "dependsOn", "condition", "lockBehavior", "pool", "variables", "jobs")
_COMMON = ("displayName", "dependsOn", "condition", "timeoutInMinutes", "cancelTimeoutInMinutes", "pool", "variables")
_LOCKS = ("sequential", "runLatest")
# What says when the service starts a run; a rehearsal is started by hand, and only reads that it knows the keys.
_STARTS: Mapping[str, Collection[str]] = {
    "trigger": ("batch", "branches", "paths", "tags"),
    "pr": ("autoCancel", "branches", "paths", "drafts"),
    "schedules": ("cron", "displayName", "branches", "always", "batch"),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable with its text or expression; with `is_group` the variables of a group."""

    name: str
    place: Place
    text: str = ""
    expression: Condition | None = None
    is_group: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job; a deployment has an environment."""

    place: Place
    name: str
    title: str
    needs: tuple[str, ...]
    condition: Condition | None
    minutes: int
    grace: int
    environment: str | None
    variables: tuple[Variable, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage with its jobs, each after those that it waits for."""

    place: Place
    name: str
    needs: tuple[str, ...]
    condition: Condition | None
    variables: tuple[Variable, ...]
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline with its stages, each after those that it waits for."""

    place: Place
    name: str
    variables: tuple[Variable, ...]
    stages: tuple[Stage, ...]


def plan(tree: Node) -> Pipeline:
    """Read a pipeline's tree.

    Raises:
        PipelineError: Something is wrong, or not known to the rehearsal.
    """
    tree.only("The pipeline", _PIPELINE)
    _starts(tree)
    _shared(tree)
    nodes = tree.need("The pipeline", "stages").elements()
    names: dict[str, Node] = {}
    for node in nodes:
        node.only("The stage", _STAGE)
        _name(node, node.need("A stage", "stage"), names)
    waits = _waits(names, in_order=True)
    jobs = {
        name: [_job_name(job)[0] for job in node.need("The stage", "jobs").elements()] for name, node in names.items()
    }
    stages = [_stage(names[name], name, waits[name], jobs) for name in _ordered(names, waits)]
    variables = _variables(tree.get("variables"), Needs())
    return Pipeline(tree.place, tree.texts("name", "$(Build.BuildId)"), variables, tuple(stages))


def _starts(tree: Node) -> None:
    for key, known in _STARTS.items():
        node = tree.get(key)
        if node is None or node.value == "none":
            continue
        for one in node.elements() if key == "schedules" else (node,):
            one.only(key, known)


def _shared(node: Node) -> None:
    """The keys that stand at several levels and change nothing on this machine."""
    if node.get("lockBehavior"):
        node.choice("lockBehavior", _LOCKS, "")
    if pool := node.get("pool"):
        pool.only("The pool", ("name", "vmImage"))


def _name(node: Node, name: Node, names: dict[str, Node]) -> None:
    text = name.text()
    if not text.isidentifier() or not text.isascii():
        raise fault(name.place, f"the name {text!r} is not usable", "Use letters, digits and _.")
    if text in names:
        raise fault(name.place, f"the name {text} stands here twice", "Change one.")
    names[text] = node


def _waits(names: Mapping[str, Node], *, in_order: bool) -> dict[str, tuple[str, ...]]:
    """What each waits for; stages that do not say it wait for the one before."""
    found: dict[str, tuple[str, ...]] = {}
    before: tuple[str, ...] = ()
    for name, node in names.items():
        said = node.get("dependsOn")
        if said is None:
            found[name] = before if in_order else ()
        else:
            entries = (said,) if said.value is not None else said.elements()
            for entry in entries:
                if entry.text() and entry.text() not in names:
                    hint = nearest(entry.text(), names)
                    raise fault(entry.place, f"{name} waits for {entry.text()}, which is not there", hint)
            found[name] = tuple(entry.text() for entry in entries if entry.text())
        before = (name,)
    return found


def _ordered(names: Mapping[str, Node], waits: Mapping[str, Sequence[str]]) -> list[str]:
    """The names, each after what it waits for, else as they stand."""
    try:
        return list(TopologicalSorter({name: waits[name] for name in names}).static_order())
    except CycleError as error:
        circle = [str(name) for name in error.args[1]]
        place = names[circle[0]].place
        raise fault(place, f"these wait for each other: {', '.join(circle[1:])}", "End the circle.") from None


def _stage(node: Node, name: str, needs: tuple[str, ...], jobs: Mapping[str, Sequence[str]]) -> Stage:
    _shared(node)
    before = {need: jobs[need] for need in needs}
    names: dict[str, Node] = {}
    for job in node.need("The stage", "jobs").elements():
        _name(job, _job_name(job)[1], names)
    waits = _waits(names, in_order=False)
    return Stage(
        place=node.place,
        name=name,
        needs=needs,
        condition=condition(node.get("condition"), Needs(needs)),
        variables=_variables(node.get("variables"), Needs(stages=before)),
        jobs=tuple(_job(names[job], waits[job], before) for job in _ordered(names, waits)),
    )


def _job_name(node: Node) -> tuple[str, Node]:
    name = node.get("job") or node.get("deployment")
    if name is None:
        raise fault(
            node.place, "an entry of jobs is neither job nor deployment", "Give it a name, as job or deployment."
        )
    return name.text(), name


def _job(node: Node, needs: tuple[str, ...], before: Mapping[str, Sequence[str]]) -> Job:
    is_deployment = node.get("deployment") is not None
    own = ("deployment", "environment", "strategy") if is_deployment else ("job", "steps")
    node.only("The deployment" if is_deployment else "The job", (*_COMMON, *own))
    _shared(node)
    name = _job_name(node)[0]
    asks = Needs(needs, before)
    return Job(
        place=node.place,
        name=name,
        title=node.texts("displayName", name),
        needs=needs,
        condition=condition(node.get("condition"), asks),
        minutes=node.number("timeoutInMinutes", 60),
        grace=node.number("cancelTimeoutInMinutes", 5),
        environment=_environment(node.need("The deployment", "environment")) if is_deployment else None,
        variables=_variables(node.get("variables"), asks),
        steps=read_steps(_steps(node, is_deployment=is_deployment), is_deployment=is_deployment),
    )


def _environment(node: Node) -> str:
    if node.entries is not None:
        node.only("The environment", ("name",))
        node = node.need("The environment", "name")
    if "$" in node.text():
        raise fault(node.place, f"the environment {node.text()} is known only while the run goes on", "Name it.")
    return node.text()


def _steps(node: Node, *, is_deployment: bool) -> Node:
    if not is_deployment:
        return node.need("The job", "steps")
    strategy = node.need("The deployment", "strategy")
    strategy.only("The strategy", ("runOnce",))
    once = strategy.need("The strategy", "runOnce")
    once.only("runOnce", ("deploy",))
    deploy = once.need("runOnce", "deploy")
    deploy.only("deploy", ("steps",))
    return deploy.need("deploy", "steps")


def _variables(node: Node | None, needs: Needs) -> tuple[Variable, ...]:
    if node is None:
        return ()
    if node.entries is not None:
        return tuple(_variable(key, place, value, needs) for key, place, value in node.entries)
    found = []
    for entry in node.elements():
        if group := entry.get("group"):
            entry.only("A variable group's use", ("group",))
            found.append(Variable(group.text(), group.place, is_group=True))
            continue
        entry.only("A variable", ("name", "value"))
        name, value = entry.need("A variable", "name"), entry.need("A variable", "value")
        found.append(_variable(name.text(), name.place, value, needs))
    return tuple(found)


def _variable(name: str, place: Place, value: Node, needs: Needs) -> Variable:
    return Variable(name, place, value.text(), runtime(value, needs))
