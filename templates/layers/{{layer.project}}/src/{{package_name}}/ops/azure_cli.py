"""The Azure CLI: each command as a pure function that gives its arguments, and one function that runs them.

Nothing here signs in with a secret. On a laptop that is `az login`; in CI the workflow signs in by federation,
and `sign_in_again` renews it, because the assertion behind it lives for minutes and a training for hours.
"""

import ast
import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .ci import fresh_assertion
from .errors import OpsError
from .files import read_mapping

_SCOPES = ("https://management.azure.com/.default", "https://ml.azure.com/.default")


@dataclass(frozen=True)
class Place:
    """A workspace, or the registry that all workspaces share."""

    flags: tuple[str, ...]
    name: str


@dataclass(frozen=True)
class Cloud:
    """Where the project lives in Azure: `azureml/workspaces.yml`."""

    registry: Place
    model: str
    workspaces: Mapping[str, Place]
    tags: Mapping[str, str]

    def workspace(self, environment: str) -> Place:
        """The workspace of an environment.

        Raises:
            OpsError: The project has no such environment.
        """
        if environment not in self.workspaces:
            known = ", ".join(self.workspaces)
            problem = f"The project has no environment {environment}."
            raise OpsError(problem, f"Use one of {known}, or add it to azureml/workspaces.yml.")
        return self.workspaces[environment]


def read_cloud(path: Path) -> Cloud:
    """Read `azureml/workspaces.yml`."""
    values = read_mapping(path)
    workspaces, tags = values.get("workspaces"), values.get("tags")
    if not isinstance(workspaces, dict) or not isinstance(tags, dict):
        raise OpsError(f"{path} lacks workspaces or tags.", "Restore the file from the catalog.")
    places: dict[str, Place] = {}
    for environment, entry in workspaces.items():
        if not isinstance(entry, dict) or not {"resource_group", "workspace"} <= set(entry):
            problem = f"{path}: {environment} lacks resource_group or workspace."
            raise OpsError(problem, "Give both.")
        flags = ("--resource-group", entry["resource_group"], "--workspace-name", entry["workspace"])
        places[str(environment)] = Place(flags, str(entry["workspace"]))
    registry = str(values.get("registry"))
    return Cloud(
        registry=Place(("--registry-name", registry), registry),
        model=str(values.get("model")),
        workspaces=places,
        tags={str(name): str(value) for name, value in tags.items()},
    )


def tag_overrides(tags: Mapping[str, str]) -> list[str]:
    """Tags as --set takes them; what it would read as a number, a list or the like is quoted."""
    return [f"tags.{name}={_as_text(value)}" for name, value in sorted(tags.items())]


def _as_text(value: str) -> str:
    try:
        ast.literal_eval(value)
    except (SyntaxError, ValueError):
        return json.dumps(value) if value in {"true", "false", "null"} else value
    return json.dumps(value)


def create_job(file: Path, overrides: Sequence[str], place: Place) -> list[str]:
    """Submit a pipeline; gives the job's name."""
    sets = ("--set", *overrides) if overrides else ()
    return ["ml", "job", "create", "--file", str(file), *sets, *place.flags, "--query", "name", "--output", "tsv"]


def job_status(job: str, place: Place) -> list[str]:
    """A job's state, such as Running or Completed."""
    return ["ml", "job", "show", "--name", job, *place.flags, "--query", "status", "--output", "tsv"]


def list_jobs(limit: int, place: Place) -> list[str]:
    """The newest jobs: name, status, and when each was created."""
    query = "[].{name: name, status: status, created: creation_context.created_at}"
    return ["ml", "job", "list", "--max-results", str(limit), *place.flags, "--query", query, "--output", "json"]


def cancel_job(job: str, place: Place) -> list[str]:
    """Stop a job."""
    return ["ml", "job", "cancel", "--name", job, *place.flags]


def download_job(job: str, output: str | None, target: Path, place: Place) -> list[str]:
    """Download one named output of a job, or with None all outputs and logs."""
    what = ("--all",) if output is None else ("--output-name", output)
    return ["ml", "job", "download", "--name", job, *what, "--download-path", str(target), *place.flags]


def show_asset(kind: str, name: str, version: str, place: Place) -> list[str]:
    """One version of a model, data asset, component or environment, as JSON."""
    return ["ml", kind, "show", "--name", name, "--version", version, *place.flags, "--output", "json"]


def create_asset(kind: str, file: Path, place: Place, tags: Mapping[str, str] | None = None) -> list[str]:
    """Create an asset from its file, with tags besides those of the file."""
    sets = ("--set", *tag_overrides(tags)) if tags else ()
    return ["ml", kind, "create", "--file", str(file), *sets, *place.flags, "--output", "json"]


def list_models(name: str, place: Place) -> list[str]:
    """All versions of a model with their tags, as JSON."""
    query = "[].{version: version, tags: tags}"
    return ["ml", "model", "list", "--name", name, *place.flags, "--query", query, "--output", "json"]


def tag_model(name: str, version: str, tags: Mapping[str, str], place: Place) -> list[str]:
    """Set tags of a model version, and leave the others."""
    what = ("--name", name, "--version", version, "--set", *tag_overrides(tags))
    return ["ml", "model", "update", *what, *place.flags]


def share_model(name: str, version: str, registry: Place, place: Place) -> list[str]:
    """Copy a model version to the registry under the same name and number."""
    target = ("--share-with-name", name, "--share-with-version", version)
    where = ("--registry-name", registry.name, *place.flags)
    return ["ml", "model", "share", "--name", name, "--version", version, *target, *where]


def download_model(name: str, version: str, target: Path, place: Place) -> list[str]:
    """Download a model version into a folder."""
    what = ("--name", name, "--version", version, "--download-path", str(target))
    return ["ml", "model", "download", *what, *place.flags]


def fetch_token(scope: str) -> list[str]:
    """Make the CLI fetch and keep an access token while the assertion is still fresh."""
    return ["account", "get-access-token", "--scope", scope, "--output", "none"]


def sign_in(client: str, tenant: str, assertion: str) -> list[str]:
    """Sign in by federation."""
    who = ("--username", client, "--tenant", tenant)
    return ["login", "--service-principal", *who, "--federated-token", assertion, "--output", "none"]


class AzureCliError(OpsError):
    """A command of the Azure CLI that failed; `is_not_found` where the thing asked for does not exist."""

    def __init__(self, command: str, words: str) -> None:
        """Keep what the CLI said, in one line."""
        said = " ".join(words.split()) or "nothing"
        super().__init__(f"{command} failed; it said: {said[-600:]}", "Mend the cause and run the verb again.")
        self.is_not_found = "notfound" in said.lower().replace(" ", "")


def az(arguments: Sequence[str]) -> str:
    """Run the Azure CLI and give its output.

    Raises:
        OpsError: There is no Azure CLI.
        AzureCliError: The command failed.
    """
    program = shutil.which("az")
    if program is None:
        raise OpsError("The Azure CLI is not on the path.", "Install it, and sign in with az login.")
    done = subprocess.run([program, *arguments], capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise AzureCliError(_words(arguments), done.stderr)
    return done.stdout.strip()


def az_json(arguments: Sequence[str]) -> object:
    """Run the Azure CLI and give its output, which must be JSON."""
    text = az(arguments)
    try:
        value: object = json.loads(text or "null")
    except ValueError:
        raise AzureCliError(_words(arguments), f"no JSON but {text[:200]!r}") from None
    return value


def _words(arguments: Sequence[str]) -> str:
    return " ".join(["az", *(word for word in arguments[:3] if not word.startswith("-"))])


def prepare() -> None:
    """Make sure of the ml extension, and fetch the tokens now: the assertion of a CI system lives for minutes."""
    try:
        az(["extension", "show", "--name", "ml", "--output", "none"])
    except AzureCliError:
        version = os.environ.get("AML_EXT_VERSION")
        if not version:
            problem = "The Azure CLI lacks its extension ml."
            raise OpsError(problem, "Run az extension add --name ml, or set AML_EXT_VERSION.") from None
        az(["extension", "add", "--name", "ml", "--version", version, "--yes", "--output", "none"])
    for scope in _SCOPES:
        az(fetch_token(scope))


def sign_in_again() -> bool:
    """Renew a CI run's sign-in; False where there is nothing to renew, as on a laptop."""
    assertion = fresh_assertion()
    if assertion is None:
        return False
    az(sign_in(assertion.client, assertion.tenant, assertion.token))
    prepare()
    return True
