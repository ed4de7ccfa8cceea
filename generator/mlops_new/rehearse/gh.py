"""The GitHub CLI of a rehearsal: writes down that the owner was told, and knows only what the workflows ask for."""

import os
import sys
from pathlib import Path
from typing import Final

from mlops_new.errors import DONE, USAGE
from mlops_new.rehearse.az import FOLDER
from mlops_new.rehearse.az_state import State

_TAKES: Final[dict[tuple[str, ...], set[str]]] = {
    ("issue", "list"): {"--state", "--search", "--json", "--jq"},
    ("issue", "comment"): {"--body"},
    ("issue", "create"): {"--title", "--body"},
}


def main() -> int:
    """Answer like gh."""
    words = sys.argv[1:]
    given = {word for word in words[2:] if word.startswith("--")}
    takes = _TAKES.get((*words[:2],))
    if takes is None or not given <= takes:
        sys.stderr.write(f"unknown command or flag: gh {' '.join(words)}\n")
        return USAGE
    if words[1] != "list":
        State(Path(os.environ[FOLDER])).event("told", title=os.environ.get("TITLE", ""), by=words[1])
    return DONE


if __name__ == "__main__":
    sys.exit(main())
