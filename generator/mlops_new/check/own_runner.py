"""Checks a project's Azure ML YAML with the project's own runner: `python -m mlops_new.check.own_runner`.

It finds what the SDK lets pass offline: references that lead nowhere, unknown keys in components, missing modules.
Prints `path:line: message` for each fault.
"""

import re
import subprocess
import sys
from pathlib import Path

from mlops_new.errors import DONE, REFUSED
from mlops_new.lint.plain_yaml import line_of

_TOLD = re.compile(r"\A(?P<path>\S+?\.ya?ml)(?:, (?P<place>[\w.$-]+))?: (?P<message>.+)\Z")
_KEY = re.compile(r"the key '([^']+)'")


def located(told: str) -> str:
    """A message of the runner with the line of the file in which it stands."""
    match = _TOLD.match(told)
    if match is None or not Path(match["path"]).is_file():
        return told
    key = _KEY.search(match["message"])
    place = ".".join(part for part in (match["place"], key and key.group(1)) if part)
    line = line_of(Path(match["path"]).read_text(encoding="utf-8"), place)
    return f"{match['path']}:{line}: {match['place'] + ': ' if match['place'] else ''}{match['message']}"


def main() -> int:
    """Find the package that has a runner, and let it check `azureml/`."""
    runners = sorted(Path("src").glob("*/ops/pipeline.py"))
    if not runners:
        sys.stdout.write("azureml/ is checked by no runner: no package in src/ has a module ops.pipeline.\n")
        return REFUSED
    module = f"{runners[0].parts[1]}.ops.pipeline"
    environment = {"PYTHONPATH": "src", "PROJECT_ROOT": str(Path.cwd()), "PATH": ""}
    command = [sys.executable, "-m", module, "check", "azureml"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stdout.write("\n".join(map(located, (done.stdout + done.stderr).splitlines())) + "\n")
        return REFUSED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
