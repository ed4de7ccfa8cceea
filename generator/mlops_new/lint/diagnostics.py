"""What a validator finds."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

Severity = Literal["low", "medium", "high"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high")


class Diagnostic(NamedTuple):
    """A fault: the file's path in the folder, its line or 0, the rule, how bad it is, and what is wrong."""

    path: str
    line: int
    rule: str
    severity: Severity
    message: str

    def __str__(self) -> str:
        """As compilers write it."""
        line = f":{self.line}" if self.line else ""
        return f"{self.path}{line}: {self.message} [{self.rule}, {self.severity}]"


class Check(Protocol):
    """A check of the kit's own: reads files of a folder and gives what is wrong."""

    def __call__(self, folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
        """Check the files."""
