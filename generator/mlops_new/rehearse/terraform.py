"""Terraform in a rehearsal: the real one, with the stand-in for azurerm and a state that stands in a local file."""

import json
import os
import subprocess
import sys
from pathlib import Path

from mlops_new.errors import FAILED
from mlops_new.lint.terraform_run import RELEASES, bare_environment, mirror, program, schema_variable
from mlops_new.rehearse.az import FOLDER
from mlops_new.rehearse.az_project import identity_at, read_places, top_of
from mlops_new.rehearse.az_state import State

_OVERRIDE = 'terraform {\n  backend "local" {}\n}\n'


def main() -> int:
    """Run Terraform, and after an apply write down which resources stand."""
    state = State(Path(os.environ[FOLDER]))
    own = str(state.folder.parent / "bin")  # where this stand-in stands
    os.environ["PATH"] = os.pathsep.join(part for part in os.environ["PATH"].split(os.pathsep) if part != own)
    words = [word for word in sys.argv[1:] if not word.startswith("-backend-config=")]
    configuration = Path(next(word for word in words if word.startswith("-chdir=")).removeprefix("-chdir="))
    environment = Path(os.environ.get("TF_DATA_DIR", "check/terraform")).parent.name
    root = top_of(Path.cwd()) or Path.cwd()
    needed = {"apply": {"own"}, "plan": {"read", "own"}}.get(
        next((w for w in words if w in ("apply", "plan")), ""), set()
    )
    identity = identity_at(root)
    if needed and not needed & read_places(root).rights(identity, environment):
        sys.stderr.write(f"Error: authorization failed: {identity or 'nobody'} may not do this in {environment}.\n")
        return FAILED
    file = state.folder / "terraform" / f"{environment}.tfstate"
    file.parent.mkdir(exist_ok=True)
    (configuration / "rehearsal_override.tf").write_text(_OVERRIDE, encoding="utf-8")
    if "init" in words and "-backend=false" not in words:
        words.append(f"-backend-config=path={file}")
    release = RELEASES[-1]
    environment_variables = {
        **bare_environment(),
        "TF_DATA_DIR": os.environ.get("TF_DATA_DIR", ""),
        "TF_CLI_CONFIG_FILE": str(mirror(state.folder / "terraform", release)),
        **schema_variable(configuration, release, file.with_name(f"schema-{os.getpid()}.json")),
    }
    code = subprocess.run([*program(), *words], env=environment_variables, check=False).returncode
    if code == 0 and "apply" in words:
        state.set_resources(environment, _addresses(file))
        state.event("resources", environment=environment, count=len(state.resources(environment)))
    return code


def _addresses(file: Path) -> list[str]:
    values = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return [
        f"{resource['type']}.{resource['name']}{one.get('index_key', '')}"
        for resource in values.get("resources", [])
        if resource.get("mode") == "managed"
        for one in resource["instances"]
    ]


if __name__ == "__main__":
    sys.exit(main())
