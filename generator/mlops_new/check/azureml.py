"""Loads the Azure ML YAML of a project with the SDK, which is the only complete schema: `python -m ...`.

Runs in a process of its own, in the project's folder, because the SDK takes seconds to import and logs as it
likes. Prints `path: message` for each fault.
"""

import contextlib
import io
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from mlops_new.errors import DONE, REFUSED

_KIND = re.compile(r"/([A-Za-z]+)\.schema\.json$")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NEEDS_LOCATION = frozenset({"managedOnlineEndpoint", "batchEndpoint"})


def _loaders() -> dict[str, Callable[[str], Any]]:
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


def _clean(error: object) -> str:
    return " ".join(_COLOUR.sub("", str(error)).split())[:600]


def faults(path: Path, loaders: dict[str, Callable[[str], Any]]) -> Iterator[str]:
    """What the SDK says against one file, in its three stages: load, validate, make the request's body."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    schema = str(document.get("$schema", "")) if isinstance(document, dict) else ""
    match = _KIND.search(schema)
    if match is None:
        return
    kind = match.group(1)
    if kind not in loaders:
        yield f"the schema {kind} is unknown to the check"
        return
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            entity = loaders[kind](str(path))
            validate = getattr(entity, "_validate", None)
            result = validate() if validate is not None else None
            location = {"location": "westeurope"} if kind in _NEEDS_LOCATION else {}
            if result is None or result.passed:
                entity._to_rest_object(**location)  # noqa: SLF001 - the SDK has no public way
    except Exception as error:  # noqa: BLE001 - the SDK raises whatever its parts raise
        yield _clean(error)
        return
    if result is not None and not result.passed:
        yield _clean(result.error_messages)


def main() -> int:
    """Check every YAML file under `azureml/`, here or in the projects that stand here."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    loaders = _loaders()
    code = DONE
    for path in sorted([*Path().glob("azureml/**/*.yml"), *Path().glob("*/azureml/**/*.yml")]):
        for fault in faults(path, loaders):
            code = REFUSED
            print(f"{path.as_posix()}: {fault}")  # noqa: T201 - read by the parent process
    return code


if __name__ == "__main__":
    sys.exit(main())
