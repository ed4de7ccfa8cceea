"""The CI system that a verb runs in, GitHub Actions or Azure Pipelines: what it tells, and what it is told."""

import json
import os
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import OpsError


@dataclass(frozen=True)
class Assertion:
    """What proves to Azure, for some minutes, that the run is who it says."""

    client: str
    tenant: str
    token: str


def report(name: str, value: str) -> None:
    """Print a result, hand it to the next steps, and show it in the run's summary; it has one line."""
    value = " ".join(value.split())
    print(f"{name}: {value}", flush=True)
    for variable, line in (("GITHUB_OUTPUT", f"{name}={value}\n"), ("GITHUB_STEP_SUMMARY", f"- {name}: {value}\n")):
        if os.environ.get(variable):
            with Path(os.environ[variable]).open("a", encoding="utf-8") as stream:
                stream.write(line)
    if os.environ.get("TF_BUILD"):
        page = Path(os.environ.get("AGENT_TEMPDIRECTORY", ".")).resolve() / f"summary-{name}.md"
        page.write_text(f"{name}: {value}\n", encoding="utf-8")
        escaped = value.replace("%", "%AZP25")  # the one character that a command of the log gives a meaning
        print(f"##vso[task.setvariable variable={name};isOutput=true]{escaped}", flush=True)
        print(f"##vso[task.uploadsummary]{page}", flush=True)


def actor() -> str:
    """Who asked for the run, else the user of this machine."""
    names = ("GITHUB_ACTOR", "BUILD_REQUESTEDFOR", "USER", "USERNAME")
    return next((os.environ[name] for name in names if os.environ.get(name)), "unknown")


def commit() -> str:
    """The commit that the run has checked out, or nothing."""
    return os.environ.get("GITHUB_SHA") or os.environ.get("BUILD_SOURCEVERSION") or ""


def fresh_assertion() -> Assertion | None:
    """A new assertion of the run's identity; None where nobody issues one, as on a laptop.

    Raises:
        OpsError: The CI system did not give one.
    """
    return _from_github() or _from_azure_pipelines()


def _from_github() -> Assertion | None:
    names = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")
    url, bearer, client, tenant = (os.environ.get(name, "") for name in names)
    if not all((url.startswith("https://"), bearer, client, tenant)):
        return None
    audience = urllib.parse.urlencode({"audience": "api://AzureADTokenExchange"})
    request = urllib.request.Request(f"{url}&{audience}", headers={"Authorization": f"bearer {bearer}"})  # noqa: S310 - https
    return Assertion(client, tenant, _answer(request, "value", "that the job has the permission id-token: write"))


def _from_azure_pipelines() -> Assertion | None:
    """By the address that AzurePipelinesCredential of the Azure SDK asks, too."""
    connection = "AZURESUBSCRIPTION_"
    names = (f"{connection}SERVICE_CONNECTION_ID", f"{connection}CLIENT_ID", f"{connection}TENANT_ID")
    url, bearer = os.environ.get("SYSTEM_OIDCREQUESTURI", ""), os.environ.get("SYSTEM_ACCESSTOKEN", "")
    identifier, client, tenant = (os.environ.get(name, "") for name in names)
    if not all((url.startswith("https://"), bearer, identifier, client, tenant)):
        return None
    query = urllib.parse.urlencode({"api-version": "7.1", "serviceConnectionId": identifier})
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{url.rstrip('/')}?{query}", data=b"", headers=headers)  # noqa: S310 - https
    return Assertion(client, tenant, _answer(request, "oidcToken", "that the pipeline may use the service connection"))


def _answer(request: urllib.request.Request, key: str, check: str) -> str:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - https, see the callers
            told: Mapping[str, object] = json.load(answer)
            return str(told[key])
    except (OSError, ValueError, KeyError) as error:
        raise OpsError(f"The run's identity could not be renewed: {error}.", f"Check {check}.") from None
