"""Lints rendered projects by what `mlops-new check` has no tool of its own for: `python -m mlops_new.lint.rendered`.

Looks at the project here, or at each of those that stand here. Prints `path:line: message` for each fault.
"""

import hashlib
import sys
from pathlib import Path

from mlops_new.errors import DONE, REFUSED
from mlops_new.lint.files import find_files
from mlops_new.lint.processes import Programs
from mlops_new.lint.validators import VALIDATORS, run_validator

NAMES = ("hadolint", "codeowners", "backstage", "devcontainer", "requirements", "markdown", "secrets")
# Those whose verdict depends on which files stand around.
BY_SURROUNDINGS = ("codeowners", "markdown")
# What this looks at in a rendered project; the code and its data are judged by other tools.
JUDGED = (
    ".azuredevops/",
    ".devcontainer/",
    ".github/",
    "AGENTS.md",
    "CHANGELOG.md",
    "README.md",
    "azureml/environments/",
    "catalog-info.yaml",
    "config/",
    "docs/",
    "governance/",
    "infra/",
    "requirements",
)


def _new(name: str, folder: Path, paths: list[str], seen: set[tuple[str, str, bytes]]) -> list[str]:
    """The files that a validator has to look at: what it judges by its content alone, it has seen once for all."""
    if name in BY_SURROUNDINGS:
        return paths
    keys = {path: (name, path, hashlib.sha256((folder / path).read_bytes()).digest()) for path in paths}
    found = [path for path in paths if keys[path] not in seen]
    seen.update(keys.values())
    return found


def main() -> int:
    """Lint each project."""
    here = Path.cwd()
    code = DONE
    seen: set[tuple[str, str, bytes]] = set()
    with Programs() as programs:
        for folder in sorted(path for path in here.glob("variant-*") if path.is_dir()) or [here]:
            paths = [path for path in find_files(folder) if path.startswith(JUDGED)]
            for validator in (validator for validator in VALIDATORS if validator.name in NAMES):
                chosen = _new(validator.name, folder, validator.choose(folder, paths), seen)
                for item in run_validator(validator, folder, chosen, programs) if chosen else ():
                    code = REFUSED
                    place = (folder / item.path).relative_to(here).as_posix()
                    line = f":{item.line}" if item.line else ""
                    print(f"{place}{line}: {item.message} [{item.rule}]")  # noqa: T201 - read by the parent process
    return code


if __name__ == "__main__":
    sys.exit(main())
