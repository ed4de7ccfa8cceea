"""The verbs that judge a project's code alone, in a rehearsal: `rehearsal-check UV VERB ARGUMENTS`.

A rehearsal is about the delivery, and the project has verbs for its tests; so `lint`, `test` and the training on a
sample are run only where that is asked for, and else taken as passed, which the report says. A scenario may let one of
them fail.
"""

import os
import subprocess
import sys
from pathlib import Path

from mlops_new import git
from mlops_new.errors import DONE, FAILED
from mlops_new.rehearse.az import FOLDER
from mlops_new.rehearse.az_project import top_of
from mlops_new.rehearse.az_state import State

REAL_FACT = "checks are run"


def main() -> int:
    """Run the verb, or say how it would end."""
    uv, verb, *arguments = sys.argv[1:]
    state = State(Path(os.environ[FOLDER]))
    failure = state.failure(f"poe {verb}", "")
    if failure:
        state.event("check", verb=verb, result="failed")
        sys.stderr.write(f"{failure.says or 'The check found a fault.'}\n")
        return FAILED
    if state.fact(REAL_FACT) is None:
        state.event("check", verb=verb, result="not run")
        sys.stdout.write(f"{verb} was not run: a rehearsal runs it with --checks.\n")
        return DONE
    root = top_of(Path.cwd())
    if root is not None and (root / ".github").is_dir():
        git.run("update-index", "--really-refresh", folder=root)
        git.run("checkout", "HEAD", "--", ".github", folder=root)  # as the project has them
    code = subprocess.run([uv, "run", "poe", verb, *arguments], check=False).returncode
    state.event("check", verb=verb, result="failed" if code else "passed")
    return code


if __name__ == "__main__":
    sys.exit(main())
