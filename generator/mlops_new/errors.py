"""Errors that a user can mend, and the exit codes of the command line.

Exit codes: 0 done; 1 failed; 2 wrong usage, or answers that are refused; 3 a check said no;
130 interrupted.
"""

import difflib
from collections.abc import Iterable
from typing import ClassVar, Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
REFUSED: Final = 3
INTERRUPTED: Final = 130


class KitError(Exception):
    """What is wrong, in one sentence, and what to do about it, in another."""

    exit_code: ClassVar[int] = FAILED

    def __init__(self, message: str, remedy: str) -> None:
        """Keep both sentences."""
        super().__init__(f"{message} {remedy}")
        self.message = message
        self.remedy = remedy


class CatalogError(KitError):
    """A catalog that cannot be found or read, or that contradicts itself."""


class AnswersError(KitError):
    """Answers that are unknown, missing, malformed or not allowed together."""

    exit_code = USAGE


class TargetError(KitError):
    """A folder in which no project can be made."""

    exit_code = USAGE


class ToolError(KitError):
    """A program that is missing or failed."""


class MissingExtraError(KitError):
    """A command whose extra is not installed."""

    def __init__(self, extra: str, command: str) -> None:
        """Name the extra."""
        super().__init__(f"{command} needs the extra [{extra}].", f"Install it: pip install 'mlops-new[{extra}]'.")


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy that names the known word nearest to a misspelt one, or all of them."""
    words = sorted(known)
    close = difflib.get_close_matches(name, words, 1)
    return f"Did you mean {close[0]!r}?" if close else f"Known are {', '.join(words)}."
