"""What a validator found: where, under which rule, how bad it is, and a sentence."""

from typing import Final, Literal, NamedTuple

Severity = Literal["low", "medium", "high"]

SEVERITIES: Final[tuple[Severity, ...]] = ("low", "medium", "high")


class Diagnostic(NamedTuple):
    """A fault of a file: its path in the folder, its line or 0, the rule that it breaks, and what to do about it."""

    path: str
    line: int
    rule: str
    severity: Severity
    message: str

    def __str__(self) -> str:
        """The fault on one line, as editors read it."""
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.message} [{self.rule}] ({self.severity})"


def at_least(severity: Severity, minimum: Severity) -> bool:
    """Whether a severity counts where `minimum` is the least that does."""
    return SEVERITIES.index(severity) >= SEVERITIES.index(minimum)
