"""The Azure CLI of a rehearsal: `python -m mlops_new.rehearse.az ...`, which stands first on the path as `az`.

It accepts the commands of `data/az.yml`, keeps what they do in the folder that `MLOPS_REHEARSAL` names, and refuses
what the service refuses: an identity without the right, an asset that is missing, a version that exists.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from mlops_new.rehearse.az_assets import Assets
from mlops_new.rehearse.az_jobs import Jobs
from mlops_new.rehearse.az_project import SIGNED_IN, Places, identity_at, read_places, top_of
from mlops_new.rehearse.az_stacks import Stacks
from mlops_new.rehearse.az_state import State
from mlops_new.rehearse.az_table import AzError, Call, read_call

FOLDER: Final = "MLOPS_REHEARSAL"
RUNNER: Final = "runner.pid"
VERSION: Final = "azure-cli 2.77.0"
TOKEN: Final = "rehearsal:"  # noqa: S105 - what stands before the name of an identity, and opens nothing
# What somebody must be allowed who looks at a resource group, or who owns it.
_OF_GROUP: Final = {"look": frozenset({"read", "own"}), "own": frozenset({"own"})}
# Cores of each family of sizes in the subscription of a rehearsal: used, and allowed.
_QUOTA: Final = {"standardDSv5Family": (8, 100), "standardESv5Family": (0, 100)}


@dataclass(frozen=True)
class _Session:
    """A call, and where it is made: the working copy, its project, and who is signed in there."""

    state: State
    call: Call
    root: Path
    places: Places
    identity: str

    @property
    def place(self) -> str:
        """The workspace or registry that the call names, or nothing."""
        workspace = self.call.text("--workspace-name")
        return workspace or self.call.text("--registry-name")

    def answer(self) -> object:
        """Do what is asked."""
        words = self.call.command.split()
        if words[0] in ("group", "resource", "bicep", "deployment", "stack") or words[1:2] == ["workspace"]:
            return Stacks(self.state, self.places).answer(self.call)
        if words[0] != "ml":
            return _account(self)
        if words[1] == "job":
            return _job(self, words[2])
        return _asset(self, words[1], words[2])


def _authorise(session: _Session) -> None:
    call, places = session.call, session.places
    if call.needs == "nothing":
        return
    if not session.identity:
        raise AzError("Please run 'az login' to setup account.")
    if call.needs in _OF_GROUP:
        _authorise_group(session)
        return
    workspace, registry = call.text("--workspace-name"), call.text("--registry-name")
    environment = places.environment_of(workspace)
    if workspace and environment is None:
        raise AzError(f"(ResourceNotFound) The workspace {workspace} could not be found.", 3)
    if workspace and call.text("--resource-group") != places.groups[str(environment)]:
        raise AzError(f"(ResourceGroupNotFound) {workspace} is not in {call.text('--resource-group')}.", 3)
    if registry and registry != places.registry:
        raise AzError(f"(ResourceNotFound) The registry {registry} could not be found.", 3)
    needed = [(environment, "read" if registry and workspace else call.needs)] if workspace else []
    needed += [(None, call.needs)] if registry else []
    for where, right in needed:
        if right not in places.rights(session.identity, where):
            place = workspace if where else registry
            raise _unauthorised(session, place)


def _authorise_group(session: _Session) -> None:
    call, places = session.call, session.places
    group = call.text("--resource-group") or call.text("--name")
    rights = places.rights(session.identity, places.environment_of_group(group) or "")
    if not rights & _OF_GROUP[call.needs]:
        raise _unauthorised(session, group)


def _unauthorised(session: _Session, place: str) -> AzError:
    who, what = session.identity, session.call.command
    return AzError(f"(AuthorizationFailed) The client '{who}' may not perform '{what}' over scope '{place}'.")


def _account(session: _Session) -> object:
    call = session.call
    marker = session.root / SIGNED_IN
    match call.command:
        case "login":
            identity = call.text("--federated-token").removeprefix(TOKEN)
            if not call.text("--federated-token").startswith(TOKEN) or call.text("--username") != f"client-{identity}":
                raise AzError("AADSTS700213: No matching federated identity record found for presented assertion.")
            if not any(session.places.rights(identity, name) for name in (None, *session.places.workspaces)):
                raise AzError(f"AADSTS700016: Application '{identity}' was not found in the directory.")
            marker.write_text(identity, encoding="utf-8")
            return [{"user": {"name": identity}}]
        case "logout" | "account clear":
            marker.unlink(missing_ok=True)
            return None
        case "account get-access-token" | "account show" | "account set":
            if not session.identity:
                raise AzError("Please run 'az login' to setup account.")
            return {"user": {"name": session.identity}}
        case "extension show" | "extension add":
            return {"name": call.text("--name"), "version": call.text("--version")}
        case _:  # vm list-usage
            return [{"name": {"value": n}, "currentValue": used, "limit": most} for n, (used, most) in _QUOTA.items()]


def _job(session: _Session, verb: str) -> object:
    call = session.call
    jobs = Jobs(session.state, session.places, session.place, session.root)
    match verb:
        case "create":
            return jobs.create(Path(call.text("--file")), call.sets, session.identity)
        case "show":
            return jobs.show(call.text("--name"))
        case "list":
            return jobs.newest(int(call.text("--max-results") or 50))
        case "cancel":
            jobs.show(call.text("--name"))
            return None
        case _:
            target = Path(call.text("--download-path") or ".")
            jobs.download(call.text("--name"), call.text("--output-name"), target)
            return None


def _asset(session: _Session, kind: str, verb: str) -> object:
    call, name, version = session.call, session.call.text("--name"), session.call.text("--version")
    workspace = call.text("--workspace-name")
    assets = Assets(session.state, workspace if verb == "share" else session.place)
    match verb:
        case "create":
            return assets.create(kind, Path(call.text("--file")), call.sets)
        case "show":
            return assets.show(kind, name, version or "1")
        case "list":
            return assets.versions(kind, name)
        case "update":
            return assets.update(kind, name, version, call.sets)
        case "share":
            target = (call.text("--registry-name"), call.text("--share-with-name"), call.text("--share-with-version"))
            return assets.share(name, version, target)
        case "download":
            assets.download(name, version, Path(call.text("--download-path") or "."))
            return None
        case _:
            raise AzError(f"'{call.command}' is known, and not yet part of a rehearsal.", 2)


def shown(call: Call, answer: object) -> str:
    """An answer as az prints it: through the query, in the format that is asked for."""
    import jmespath  # noqa: PLC0415 - only where there is something to print

    style = call.text("--output") or os.environ.get("AZURE_CORE_OUTPUT", "json")
    value = jmespath.search(call.text("--query"), answer) if call.text("--query") else answer
    if style == "none" or value is None:
        return ""
    if style == "tsv":
        rows = value if isinstance(value, list) else [value]
        return "\n".join(str(row).lower() if isinstance(row, bool) else str(row) for row in rows)
    return json.dumps(value, indent=2)


def run(words: Sequence[str], state: State, here: Path) -> tuple[int, str, str]:
    """Run a command: its exit code, and what it prints on either stream."""
    root = top_of(here)
    if root is None:
        return 1, "", f"{here} is in no working copy: a rehearsal starts az in one."
    places = read_places(root)
    identity = identity_at(root)
    data: dict[str, Any] = {"command": " ".join(words), "identity": identity}
    if list(words) == ["--version"]:
        return 0, VERSION, ""
    try:
        call = read_call(words)
        session = _Session(state, call, root, places, identity)
        data |= {"command": call.command, "place": session.place}
        _authorise(session)
        failure = state.failure(call.command, session.place)
        if failure and failure.effect in ("refuse", "kill"):
            _fail(state, failure.effect, failure.says)
        answer = session.answer()
        if failure:
            _fail(state, failure.effect, failure.says)
        state.event("az", **data, code=0)
        return 0, shown(call, answer), ""
    except AzError as error:
        state.event("az", **data, code=error.code, said=str(error))
        return error.code, "", f"ERROR: {error}"


def _fail(state: State, effect: str, says: str) -> None:
    """Let a command fail: `refuse` before it did anything, `lost` after it, `kill` and `kill-after` with its runner."""
    if effect.startswith("kill"):
        state.event("killed")
        os.killpg(int((state.folder / RUNNER).read_text(encoding="utf-8")), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(60)
    raise AzError(says or "(ConnectionError) Connection aborted.")


def main() -> int:
    """Answer like az."""
    code, output, errors = run(sys.argv[1:], State(Path(os.environ[FOLDER])), Path.cwd())
    sys.stdout.write(f"{output}\n" if output else "")
    sys.stderr.write(f"{errors}\n" if errors else "")
    return code


if __name__ == "__main__":
    sys.exit(main())
