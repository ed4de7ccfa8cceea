"""Checks of all Azure ML YAML of the project without a run: references, types, schedules, assets."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from .assets import check_data_file, check_environment_file, check_path
from .azureml_yaml import PATH_TYPES, Node, Scalar, read_yaml
from .component import Port, check_literal, load_component
from .errors import OpsError
from .pipeline_spec import check_settings, load_pipeline

_CRON_FIELDS: Final = 5
_FREQUENCIES: Final = ("minute", "hour", "day", "week", "month")


def yaml_files(paths: Sequence[Path]) -> list[Path]:
    """The given files, and all YAML files under the given folders.

    Raises:
        OpsError: There is none.
    """
    found: list[Path] = []
    for path in paths:
        found += sorted([*path.rglob("*.yml"), *path.rglob("*.yaml")]) if path.is_dir() else [path]
    if not found:
        raise OpsError(f"No YAML file stands under {', '.join(map(str, paths))}.", "Give a file or a folder.")
    return found


def check_file(path: Path) -> None:
    """Check one YAML file by the folder in which it stands; of another kind it must be a mapping.

    Raises:
        OpsError: The file has a fault.
    """
    node = read_yaml(path)
    if path.resolve().parent.name in _CHECKS:
        _CHECKS[path.resolve().parent.name](node)


def _check_pipeline(node: Node) -> None:
    for declared in load_pipeline(node.path).inputs.values():
        if declared.is_path and declared.value is not None:
            check_path(declared.node, declared.port.type, str(declared.value))


def _check_schedule(node: Node) -> None:
    node.only({"name", "trigger", "create_job"}, {"$schema", "description", "display_name", "tags", "is_enabled"})
    node.text("name")
    _check_trigger(node.child("trigger"))
    job = node.child("create_job")
    job.only({"type", "job", "inputs", "settings"}, {"experiment_name", "tags", "description", "display_name"})
    if job.text("type", "pipeline") != "pipeline":
        raise job.fail(f"the type {job.text('type')!r} is no pipeline", "Schedule a pipeline job.")
    check_settings(job.child("settings"))
    pipeline = load_pipeline(job.relative("job"))
    given = job.children("inputs")
    for name, value in given.items():
        if name not in pipeline.inputs:
            raise job.fail(f"{pipeline.name} has no input {name}", "Correct the schedule's inputs.")
        _check_value(job, pipeline.inputs[name].port, value)
    for name, declared in pipeline.inputs.items():
        if declared.value is None and not declared.port.optional and name not in given:
            raise job.fail(f"the input {name} of {pipeline.name} has no value", "Give it under inputs.")


def _check_value(job: Node, port: Port, value: Node | Scalar) -> None:
    if isinstance(value, Node) != (port.type in PATH_TYPES):
        wanted = "mapping with a path" if port.type in PATH_TYPES else "plain value"
        raise job.fail(f"the input {port.name} is a {port.type}", f"Give it as a {wanted}.")
    if isinstance(value, Node):
        value.only({"path", "type"}, {"mode"})
        check_path(value, port.type, value.text("path"))
    else:
        check_literal(job, port, value)


def _check_trigger(trigger: Node) -> None:
    shared = {"type", "start_time", "end_time", "time_zone"}
    match trigger.text("type"):
        case "cron":
            trigger.only(shared | {"expression"})
            if len(trigger.text("expression").split()) != _CRON_FIELDS:
                raise trigger.fail("expression has no five fields", "Give minute, hour, day, month and weekday.")
        case "recurrence":
            trigger.only(shared | {"frequency", "interval", "schedule"})
            if trigger.text("frequency") not in _FREQUENCIES:
                raise trigger.fail("frequency is unknown", f"Use one of {', '.join(_FREQUENCIES)}.")
            if (trigger.number("interval") or 0) < 1:
                raise trigger.fail("interval must be a number above 0", "Correct it.")
        case other:
            raise trigger.fail(f"the type {other!r} is unknown", "Use cron or recurrence.")


_CHECKS: Final[Mapping[str, Callable[[Node], object]]] = {
    "components": lambda node: load_component(node.path),
    "data": check_data_file,
    "environments": check_environment_file,
    "pipelines": _check_pipeline,
    "schedules": _check_schedule,
}
