"""What a check found."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A fault: which check found it, where in the catalog it stands, what is wrong, and in which combination."""

    check: str
    place: str
    message: str
    combination: str = ""

    def __str__(self) -> str:
        """As one line."""
        where = f" (seen with {self.combination})" if self.combination else ""
        return f"{self.place}: {self.message} [{self.check}]{where}"


class Fault(NamedTuple):
    """What is wrong in a rendered project: the path, the line or 0, and which of several projects it is."""

    path: str
    line: int
    message: str
    variant: int = 0
