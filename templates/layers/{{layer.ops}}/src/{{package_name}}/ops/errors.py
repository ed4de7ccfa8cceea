"""The one kind of error that a user sees, and the exit codes of every stage and verb.

Exit codes: 0 done, 1 failed with a sentence that says what to do, 2 wrong arguments,
3 a check said no, 130 interrupted.
"""

import sys
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

DONE: Final = 0
FAILED: Final = 1
REFUSED: Final = 3
INTERRUPTED: Final = 130


class OpsError(Exception):
    """Something that the user can mend: a sentence that says what is wrong, and one that says what to do."""

    def __init__(self, message: str, remedy: str) -> None:
        """Keep both sentences."""
        super().__init__(f"{message} {remedy}")
        self.message = message
        self.remedy = remedy


def run_main(main: Callable[[Sequence[str] | None], int]) -> NoReturn:
    """Run a command line's main function and leave with its code; an `OpsError` is shown without a traceback."""
    try:
        code = main(None)
    except OpsError as error:
        print(error, file=sys.stderr)
        code = FAILED
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
