"""Whether a change needs more than a look at its text: `poe changed BASE`.

Reports `code` as `true` unless every file that differs from the base is documentation.
"""

import argparse
import subprocess
from collections.abc import Sequence
from typing import Final

from .ci import report
from .errors import DONE, OpsError, run_main
from .project import project_root

_PROSE: Final = (".md",)
_FOLDER: Final = "docs/"


def changed_files(base: str) -> list[str]:
    """The files in which the checkout's last commit differs from where it left the base.

    Raises:
        OpsError: git knows no such base.
    """
    command = ["git", "diff", "--name-only", "-z", f"{base}...HEAD", "--"]
    done = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join(done.stderr.split())
        raise OpsError(f"The change cannot be read: {said}.", f"Fetch the history of {base}.")
    return [name for name in done.stdout.split("\0") if name]


def is_prose(name: str) -> bool:
    """Whether a file is documentation; what the tests read, such as `governance/`, is not."""
    return name.startswith(_FOLDER) or ("/" not in name and name.endswith(_PROSE))


def main(argv: Sequence[str] | None = None) -> int:
    """Report whether code changed."""
    parser = argparse.ArgumentParser(description="Say whether a change touches more than documentation.")
    parser.add_argument("base", help="the commit or branch that the change goes to")
    names = changed_files(parser.parse_args(argv).base)
    report("code", "false" if names and all(map(is_prose, names)) else "true")
    return DONE


if __name__ == "__main__":
    run_main(main)
