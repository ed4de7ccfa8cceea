"""A stand-in for the Azure CLI: it records each call, keeps jobs and models, and refuses what it does not know.

Its state is the JSON file that the variable FAKE_AZ names. It knows the commands and flags of the table below
and no others, so that a misspelt flag fails here as it would there.
"""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

PLACE = {"--resource-group", "--workspace-name"}
ANY = {*PLACE, "--registry-name"}
OUT = {"--query", "--output"}
COMMANDS = {
    "account get-access-token": {"--scope", "--output"},
    "extension add": {"--name", "--version", "--yes", "--output"},
    "extension show": {"--name", "--output"},
    "login": {"--service-principal", "--username", "--tenant", "--federated-token", "--output"},
    "ml component create": {*ANY, "--file", "--set", "--output"},
    "ml component show": {*ANY, "--name", "--version", "--output"},
    "ml data create": {*ANY, "--file", "--set", "--output"},
    "ml data show": {*ANY, "--name", "--version", "--output"},
    "ml environment create": {*ANY, "--file", "--set", "--output"},
    "ml environment show": {*ANY, "--name", "--version", "--output"},
    "ml job cancel": {*PLACE, "--name"},
    "ml job create": {*PLACE, *OUT, "--file", "--set"},
    "ml job download": {*PLACE, "--name", "--output-name", "--all", "--download-path"},
    "ml job list": {*PLACE, *OUT, "--max-results"},
    "ml job show": {*PLACE, *OUT, "--name"},
    "ml model create": {*ANY, "--file", "--set", "--output"},
    "ml model download": {*ANY, "--name", "--version", "--download-path"},
    "ml model list": {*ANY, *OUT, "--name"},
    "ml model share": {*ANY, "--name", "--version", "--share-with-name", "--share-with-version"},
    "ml model update": {*ANY, "--name", "--version", "--set"},
    "ml schedule create": {*PLACE, "--file", "--set", "--output"},
}


class RefusedError(Exception):
    """What the real one would print before it fails."""


def parse(arguments):
    """The command, and each flag with its values."""
    words = []
    while arguments and not arguments[0].startswith("-"):
        words.append(arguments.pop(0))
    command, flags, current = " ".join(words), {}, None
    if command not in COMMANDS:
        raise RefusedError(f"'{command}' is misspelled or not recognized by the system.")
    for argument in arguments:
        if argument.startswith("--"):
            if argument not in COMMANDS[command]:
                raise RefusedError(f"unrecognized arguments: {argument}")
            current = flags.setdefault(argument, [])
        else:
            current.append(argument)
    return command, flags


def place_of(flags):
    """The registry or workspace that a command is about."""
    return flags.get("--registry-name", flags.get("--workspace-name"))[0]


def tags_of(flags):
    """The tags of --set, read as the real one reads them."""
    tags = {}
    for text in flags.get("--set", []):
        key, _, value = text.partition("=")
        with contextlib.suppress(ValueError):
            value = json.loads(value)
        if not isinstance(value, str):
            raise RefusedError(f"{key}: Not a valid string.")
        tags[key.removeprefix("tags.")] = value
    return tags


def job(state, command, flags):
    """Submit, look at, stop, list and download jobs."""
    name = flags.get("--name", [state["next_job"]])[0]
    if command == "ml job create":
        if not Path(flags["--file"][0]).is_file():
            raise RefusedError("No such file or directory")
        return name
    if command == "ml job show":
        left = state["statuses"]
        status = left.pop(0) if len(left) > 1 else left[0]
        if status == "unreachable":
            raise RefusedError("Connection aborted.")
        return status
    if command == "ml job list":
        return json.dumps(state["job_list"])
    if command == "ml job download":
        target = Path(flags["--download-path"][0]) / ("artifacts" if "--all" in flags else "named-outputs")
        for output in flags.get("--output-name", []):
            shutil.copytree(state["outputs"][output], target / output, dirs_exist_ok=True)
        target.mkdir(parents=True, exist_ok=True)
    return ""


def create_model(state, flags):
    """Register a version under the next number, or under the one that the file names."""
    given = json.loads(Path(flags["--file"][0]).read_text(encoding="utf-8"))
    known = state["models"].setdefault(place_of(flags), {})
    version = str(given.get("version", len(known) + 1))
    if version in known:
        raise RefusedError(f"Conflict: version {version} exists.")
    source = given["path"]
    if source.startswith("azureml://jobs/"):
        source = state["outputs"]["model"]
    kept = Path(os.environ["FAKE_AZ"]).parent / "store" / place_of(flags) / version
    shutil.copytree(source, kept)
    known[version] = {"tags": given["tags"], "path": str(kept)}
    return json.dumps({"version": version})


def model(state, command, flags):
    """List, register, tag, share and download model versions."""
    if command == "ml model create":
        return create_model(state, flags)
    known = state["models"].get(place_of(flags), {})
    if command == "ml model list":
        if not known:
            raise RefusedError("(UserError) NotFound: the model container was not found.")
        return json.dumps([{"version": version, "tags": entry["tags"]} for version, entry in known.items()])
    version = flags["--version"][0]
    if command == "ml model share":
        entry = state["models"][flags["--workspace-name"][0]][version]
        known = state["models"].setdefault(flags["--registry-name"][0], {})
        kept = Path(os.environ["FAKE_AZ"]).parent / "store" / flags["--registry-name"][0] / version
        shutil.copytree(entry["path"], kept)
        known[version] = {"tags": dict(entry["tags"]), "path": str(kept)}
    elif command == "ml model update":
        known[version]["tags"].update(tags_of(flags))
    elif command == "ml model download":
        shutil.copytree(known[version]["path"], Path(flags["--download-path"][0]) / flags["--name"][0])
    return ""


def asset(state, command, flags):
    """Create and show environments, data, components and schedules; a version never changes."""
    _, kind, verb = command.split()
    if verb == "show":
        key = f"{kind} {flags['--name'][0]}:{flags['--version'][0]}"
        if key not in state["assets"]:
            raise RefusedError("(ResourceNotFound) Could not find it.")
        return json.dumps({"tags": state["assets"][key]})
    lines = Path(flags["--file"][0]).read_text(encoding="utf-8").splitlines()
    values = dict(line.split(": ", 1) for line in lines if ": " in line and not line.startswith(" "))
    key = f"{kind} {values['name']}:{values.get('version', '1').strip(chr(34))}"
    if kind != "schedule" and key in state["assets"]:
        raise RefusedError(f"Conflict: {key} exists.")
    state["assets"][key] = tags_of(flags)
    return json.dumps({"name": key})


def answer(state, arguments):
    """Do one command, unless it is the one that has to break."""
    if len(state["calls"]) == state["breaks_at"]:
        raise RefusedError("The connection broke.")
    command, flags = parse(list(arguments))
    if command == "extension show" and not state["extension"]:
        raise RefusedError("The extension ml is not installed.")
    state["extension"] = state["extension"] or command == "extension add"
    if command.startswith("ml job"):
        return job(state, command, flags)
    if command.startswith("ml model"):
        return model(state, command, flags)
    return asset(state, command, flags) if command.startswith("ml") else ""


def run(arguments):
    """Answer one call, and keep what it changed; gives the exit code, the output and the error."""
    file = Path(os.environ["FAKE_AZ"])
    state = json.loads(file.read_text(encoding="utf-8"))
    state["calls"].append(arguments)
    code, output, error = 0, "", ""
    try:
        output = answer(state, arguments)
    except RefusedError as refusal:
        code, error = 1, f"ERROR: {refusal}"
    file.write_text(json.dumps(state), encoding="utf-8")
    return code, output, error


if __name__ == "__main__":
    CODE, OUTPUT, ERROR = run(sys.argv[1:])
    print(OUTPUT)
    print(ERROR, file=sys.stderr)
    sys.exit(CODE)
