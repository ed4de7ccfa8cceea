"""Who approves in a rehearsal: `rehearsal-approve ENVIRONMENT`, and the same for the interpreter of Azure Pipelines."""

import os
import sys
from pathlib import Path

from mlops_new.errors import DONE, REFUSED
from mlops_new.rehearse.az import FOLDER
from mlops_new.rehearse.az_project import Places, read_places, top_of
from mlops_new.rehearse.az_state import State

REFUSED_FACT = "refused"


def asks(places: Places, environment: str) -> bool:
    """Whether somebody is asked before a job of a CI environment runs, as the pages on setting up say."""
    order = list(places.workspaces)
    if environment.removesuffix("-rollback") in order and environment.endswith("-rollback"):
        return True
    return len(order) > 1 and environment in (order[-1], f"{order[-1]}-infra")


def approve(state: State, places: Places, environment: str) -> bool:
    """Whether a job of an environment may run; the answer is written down."""
    if not asks(places, environment):
        return True
    says_no = environment in (state.fact(REFUSED_FACT) or "").split()
    state.event("approval", environment=environment, granted=not says_no)
    return not says_no


def main() -> int:
    """Say yes or no."""
    root = top_of(Path.cwd())
    state = State(Path(os.environ[FOLDER]))
    environment = sys.argv[1]
    if root is None or not approve(state, read_places(root), environment):
        sys.stderr.write(f"The approval of {environment} was refused.\n")
        return REFUSED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
