"""Loads the Azure ML YAML of a project with the SDK, which is the only complete schema: `python -m ...`.

Runs in a process of its own, in the project's folder, because the SDK takes seconds to import and logs as it
likes. Prints `path:line: message` for each fault.
"""

import contextlib
import io
import json
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops_new.errors import DONE, REFUSED
from mlops_new.lint.azureml_gaps import gaps
from mlops_new.lint.plain_yaml import line_of, parse

Loaders = Mapping[str, Callable[[str], Any]]
_KIND = re.compile(r"/([A-Za-z]+)\.schema\.json$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_UNKNOWN = re.compile(r"'(\w+)': \[[\"']Unknown field")
_NEEDS_LOCATION = frozenset({"managedOnlineEndpoint", "batchEndpoint"})
_LONGEST = 400


def loaders() -> Loaders:
    """The SDK's function for each kind of file."""
    from azure.ai.ml.entities import _load_functions as sdk  # noqa: PLC0415 - seconds

    return {
        "batchEndpoint": sdk.load_batch_endpoint,
        "commandComponent": sdk.load_component,
        "commandJob": sdk.load_job,
        "data": sdk.load_data,
        "environment": sdk.load_environment,
        "managedOnlineDeployment": sdk.load_online_deployment,
        "managedOnlineEndpoint": sdk.load_online_endpoint,
        "model": sdk.load_model,
        "modelBatchDeployment": sdk.load_model_batch_deployment,
        "monitorSchedule": sdk.load_schedule,
        "parallelComponent": sdk.load_component,
        "pipelineComponent": sdk.load_component,
        "pipelineComponentBatchDeployment": sdk.load_pipeline_component_batch_deployment,
        "pipelineJob": sdk.load_job,
        "schedule": sdk.load_schedule,
        "sweepJob": sdk.load_job,
    }


def time_zones() -> frozenset[str]:
    """The names of time zones that Azure ML knows."""
    from azure.ai.ml.constants import TimeZone  # noqa: PLC0415 - seconds

    return frozenset(zone.value for zone in TimeZone)


def faults(path: Path, known: Loaders, zones: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Each fault of one file: its line, or 0, and a sentence."""
    text = path.read_text(encoding="utf-8")
    document = parse(text)
    if not isinstance(document, dict) or "$schema" not in document:
        return  # a file of the project's own, such as workspaces.yml
    schema = str(document["$schema"])
    match = _KIND.search(schema)
    if match is None or match.group(1) not in known:
        yield line_of(text, "$schema"), f"The check knows no loader for {schema}: correct it, or add the loader."
        return
    for place, message in (*_sdk_faults(path, match.group(1), known), *gaps(document, path.parent, zones)):
        yield line_of(text, place), f"{place}: {message}" if place else message


def _sdk_faults(path: Path, kind: str, known: Loaders) -> Iterator[tuple[str, str]]:
    """What the SDK says, in its three stages: load, validate, make the request's body."""
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            entity = known[kind](str(path))
            validate = getattr(entity, "_validate", None)
            result = validate() if validate is not None else None
            if result is None or result.passed:
                location = {"location": "westeurope"} if kind in _NEEDS_LOCATION else {}
                entity._to_rest_object(**location)  # noqa: SLF001 - the SDK has no public way
    except Exception as error:  # noqa: BLE001 - the SDK raises whatever its parts raise
        yield from _told(str(error) or f"The SDK cannot read it: {type(error).__name__}.")
        return
    if result is not None and not result.passed:
        for place, message in result.error_messages.items():
            yield place.replace("*", ""), _clean(message)


def _told(text: str) -> Iterator[tuple[str, str]]:
    """The errors in a message of the SDK, which holds them as JSON in the midst of prose."""
    text = _COLOUR.sub("", text)
    start = text.find('{\n  "result"') if '{\n  "result"' in text else text.find("{")
    try:
        errors = json.JSONDecoder().raw_decode(text[start:])[0]["errors"]
    except (ValueError, KeyError, TypeError):
        yield "", _clean(text)
        return
    for error in errors:
        unknown = _UNKNOWN.search(str(error["message"]))
        place = ".".join(part for part in (str(error.get("path") or ""), unknown and unknown.group(1)) if part)
        yield place.replace("*", ""), _clean(error["message"])


def _clean(message: object) -> str:
    return " ".join(str(message).split())[:_LONGEST]


def main() -> int:
    """Check the given files, or every YAML file under `azureml/`, here and in the projects that stand here."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    known, zones = loaders(), time_zones()
    code = DONE
    here = [*Path().glob("azureml/**/*.y*ml"), *Path().glob("*/azureml/**/*.y*ml")]
    for path in sorted(map(Path, sys.argv[1:])) or sorted(here):
        for line, message in faults(path, known, zones):
            code = REFUSED
            where = f":{line}" if line else ""
            print(f"{path.as_posix()}{where}: {message}")  # noqa: T201 - read by the parent process
    return code


if __name__ == "__main__":
    sys.exit(main())
