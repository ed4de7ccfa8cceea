"""The values with which a run begins: what the pipeline's file says, and what the command line puts over it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from .assets import local_path
from .azureml_yaml import LITERAL_TYPES, Scalar
from .bindings import FromInput
from .component import Port, check_literal
from .errors import OpsError
from .pipeline_spec import Pipeline, PipelineInput


def parse_overrides(texts: Sequence[str]) -> dict[str, str]:
    """`inputs.x=value` and `inputs.x.path=value` texts, as `az ml job create --set` takes them, by key."""
    overrides: dict[str, str] = {}
    for text in texts:
        key, separator, value = text.partition("=")
        name = key.removeprefix("inputs.")
        if not separator or not key.startswith("inputs.") or not name:
            raise OpsError(f"--set {text!r} cannot be honoured here.", "Write --set inputs.<name>=<value>.")
        overrides[name] = value
    return overrides


def resolve_inputs(pipeline: Pipeline, overrides: Mapping[str, str]) -> dict[str, Scalar]:
    """The value of each input of the pipeline, with `overrides` in place; paths are absolute.

    Args:
        pipeline: The pipeline.
        overrides: A text by `<name>`, or for a file or folder also by `<name>.path`; a relative path is seen from
            the working folder.

    Raises:
        OpsError: An override that names no input, or a value that is missing or does not fit.
    """
    given = {_named(pipeline, key): text for key, text in overrides.items()}
    values: dict[str, Scalar] = {}
    for name, declared in pipeline.inputs.items():
        value = _override(declared, given[name]) if name in given else _declared(declared)
        if value is not None:
            values[name] = value
        elif not declared.port.optional:
            raise OpsError(f"{pipeline.path}: the input {name} has no value.", f"Give it with --set inputs.{name}=...")
    for step in pipeline.steps:
        for key, binding in step.inputs.items():
            port = step.component.inputs[key]
            if isinstance(binding, FromInput) and binding.name in values and port.type in LITERAL_TYPES:
                check_literal(step.node, port, values[binding.name])
    return values


def _named(pipeline: Pipeline, key: str) -> str:
    name = key.removesuffix(".path")
    declared = pipeline.inputs.get(name)
    if declared is None:
        known = ", ".join(sorted(pipeline.inputs))
        raise OpsError(f"{pipeline.path} has no input {name!r}.", f"Set one of {known}." if known else "Set none.")
    if key != name and declared.port.type in LITERAL_TYPES:
        raise OpsError(f"The input {name} is a {declared.port.type} and has no path.", f"Set inputs.{name} itself.")
    return name


def _declared(declared: PipelineInput) -> Scalar | None:
    if declared.value is None or not declared.is_path:
        return declared.value
    return str(local_path(declared.node, declared.port.type, str(declared.value)))


def _override(declared: PipelineInput, text: str) -> Scalar:
    port = declared.port
    if port.type in LITERAL_TYPES:
        value = _parse_scalar(port, text)
        check_literal(declared.node, port, value)
        return value
    if text.startswith("azureml:"):
        return str(local_path(declared.node, port.type, text))
    path = Path(text).resolve()
    if not (path.is_file() if port.type == "uri_file" else path.is_dir()):
        wanted = "file" if port.type == "uri_file" else "folder"
        raise OpsError(f"The input {port.name} leads to {path}, where no {wanted} is.", f"Give an existing {wanted}.")
    return str(path)


def _parse_scalar(port: Port, text: str) -> Scalar:
    try:
        match port.type:
            case "integer":
                return int(text)
            case "number":
                return float(text)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
    except (ValueError, KeyError):
        raise OpsError(f"{port.name} is {text!r}, which is no {port.type}.", "Give a value of that type.") from None
    return text
