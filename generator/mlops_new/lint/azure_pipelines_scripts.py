"""The scripts in Azure Pipelines, as a shell would run them: read by shellcheck, and free of inserted values."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

from mlops_new.errors import MissingExtraError
from mlops_new.lint.azure_pipelines_nodes import INSERTED, Fault, Value

_MOST = 5000
# What the agent replaces before the shell sees it: a name with a dot, or in capitals.
_MACRO = re.compile(r"\$\(([A-Za-z_]\w*(?:\.\w+)+|[A-Z][A-Z0-9_]*)\)")
_INLINE = {"azurecli": "inlineScript", "bash": "script"}
_LEVELS = ("error", "warning", "info")


def scripts(file: Value) -> Iterator[tuple[int, str]]:
    """Each script for bash with the line before its first one."""
    for node in file.walk():
        task = node.texts("task").partition("@")[0].lower()
        inputs = node.get("inputs")
        found = node.get("bash") or node.get("script")
        if found is None and inputs and task in _INLINE and inputs.texts("scriptType") in {"", "bash"}:
            found = inputs.get(_INLINE[task])
        if found is not None and found.text and node.entries:
            yield found.line - (0 if "\n" in found.text else 1), found.text


def script_faults(file: Value) -> list[Fault]:
    """What is wrong with the scripts of a file.

    Raises:
        MissingExtraError: There is no shellcheck.
    """
    found = list(scripts(file))
    faults = [fault for line, text in found for fault in _own_faults(line, text)]
    return [*faults, *_shellcheck(found)]


def _own_faults(line: int, text: str) -> Iterator[Fault]:
    for match in INSERTED.finditer(text):
        at = line + 1 + text[: match.start()].count("\n")
        message = f"The value {match.group()} becomes part of the script: give it by env, and use it in quotes."
        yield Fault(at, "azp-injection", message)
    if len(text) > _MOST:
        yield Fault(
            line + 1, "azp-script", f"The script has {len(text)} characters; the service takes {_MOST} at most."
        )


def _shellcheck(found: Sequence[tuple[int, str]]) -> Iterator[Fault]:
    for line, text in found:
        plain = _MACRO.sub(
            lambda match: "${" + match[1].replace(".", "_").upper() + "}", INSERTED.sub("inserted", text)
        )
        for at, code, message in _said(plain):
            yield Fault(line + at, code, message)


@lru_cache(maxsize=4096)
def _said(script: str) -> tuple[tuple[int, str, str], ...]:
    """What shellcheck says about a script: line, rule, sentence."""
    program = shutil.which("shellcheck", path=str(Path(sys.executable).parent)) or shutil.which("shellcheck")
    if program is None:
        raise MissingExtraError("check", "mlops-new lint, for scripts,")
    # Variables come from the run, and files that are sourced are looked at by themselves.
    command = [program, "--shell=bash", "--format=json", "--exclude=SC2154,SC1091", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
    entries = [entry for entry in json.loads(done.stdout or "[]") if entry["level"] in _LEVELS]
    return tuple((entry["line"], f"SC{entry['code']}", f"{entry['message'].rstrip('.')}.") for entry in entries)
