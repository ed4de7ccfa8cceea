"""What a pipeline of Azure DevOps cannot say in its YAML: stop the runs of another one that are under way.

    interrupt PIPELINE   cancel each run of .azuredevops/PIPELINE.yml that waits or runs

A lock lets one run after another through, but no run can end the one before it; a rollback must not wait for the
release that it takes back. The build service's identity needs the permission to stop builds of that pipeline.
"""

import argparse
import json
import os
import urllib.parse
import urllib.request
from collections.abc import Mapping, Sequence

from .errors import DONE, OpsError, run_main
from .project import project_root

_VERSION = "7.1"
_VARIABLES = (
    "SYSTEM_COLLECTIONURI",
    "SYSTEM_TEAMPROJECTID",
    "SYSTEM_ACCESSTOKEN",
    "BUILD_REPOSITORY_ID",
    "BUILD_REPOSITORY_PROVIDER",
)
FOLDER = ".azuredevops"
_UNDER_WAY = "inProgress,notStarted,postponed"


def interrupt(pipeline: str) -> list[str]:
    """Cancel the runs of a pipeline of this repository that are under way, and give their numbers.

    Raises:
        OpsError: There is no such pipeline, this is no run of Azure Pipelines, or the service refused.
    """
    file = f"{FOLDER}/{pipeline}.yml"
    if not (project_root() / file).is_file():
        known = ", ".join(sorted(path.stem for path in (project_root() / FOLDER).glob("*.yml"))) or "none"
        raise OpsError(f"The project has no pipeline {pipeline}.", f"Pipelines: {known}.")
    where = {"repositoryId": _variable("BUILD_REPOSITORY_ID"), "repositoryType": _variable("BUILD_REPOSITORY_PROVIDER")}
    definitions = _values(_ask("GET", "build/definitions", {**where, "includeAllProperties": "true"}))
    ids = [str(entry["id"]) for entry in definitions if _file_of(entry) == file]
    if not ids:
        raise OpsError(f"Azure DevOps has no pipeline for {file}.", "Create it: docs/azure-devops-setup.md says how.")
    runs = _values(_ask("GET", "build/builds", {"definitions": ",".join(ids), "statusFilter": _UNDER_WAY}))
    stopped = [str(run["id"]) for run in runs]
    for number in stopped:
        _ask("PATCH", f"build/builds/{number}", {}, {"status": "cancelling"})
    return stopped


def _file_of(definition: Mapping[str, object]) -> str:
    process = definition.get("process")
    return str(process.get("yamlFilename", "")).lstrip("/") if isinstance(process, dict) else ""


def _values(answer: object) -> list[dict[str, object]]:
    values = answer.get("value") if isinstance(answer, dict) else None
    return [entry for entry in values if isinstance(entry, dict)] if isinstance(values, list) else []


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        remedy = f"Run this in Azure Pipelines, and give the step {', '.join(_VARIABLES)}."
        raise OpsError(f"The variable {name} is not set.", remedy)
    return value


def _ask(method: str, path: str, query: Mapping[str, str], body: Mapping[str, str] | None = None) -> object:
    project = f"{_variable('SYSTEM_COLLECTIONURI').rstrip('/')}/{_variable('SYSTEM_TEAMPROJECTID')}"
    if not project.startswith("https://"):
        raise OpsError(f"{project} is no address of Azure DevOps.", "Leave SYSTEM_COLLECTIONURI as the agent sets it.")
    address = f"{project}/_apis/{path}?{urllib.parse.urlencode({**query, 'api-version': _VERSION})}"
    headers = {"Authorization": f"Bearer {_variable('SYSTEM_ACCESSTOKEN')}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(address, data=data, headers=headers, method=method)  # noqa: S310 - https, see above
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - as above
            value: object = json.load(answer)
    except (OSError, ValueError) as error:
        remedy = "Give the build service the permission to stop builds of the pipeline."
        raise OpsError(f"Azure DevOps did not answer {method} {path}: {error}.", remedy) from None
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Stop the runs of one pipeline."""
    parser = argparse.ArgumentParser(prog="interrupt", description="Stop the runs of a pipeline that are under way.")
    parser.add_argument("pipeline", help="a file of .azuredevops, without .yml")
    given = parser.parse_args(argv)
    stopped = interrupt(given.pipeline)
    print(f"stopped {', '.join(stopped)}" if stopped else f"no run of {given.pipeline} is under way")
    return DONE


if __name__ == "__main__":
    run_main(main)
