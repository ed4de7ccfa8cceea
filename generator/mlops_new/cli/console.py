"""The only place that prints: results to standard output, everything else to standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def show(text: str = "") -> None:
    """Print a line of a result."""
    print(text)


def show_json(value: object) -> None:
    """Print a result for a machine."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def tell(text: str) -> None:
    """Print a line about what is going on."""
    print(text, file=sys.stderr, flush=True)


def show_table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "") -> None:
    """Print a table, as wide as the terminal allows."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*header, title=title or None, title_justify="left", highlight=False)
    for row in rows:
        table.add_row(*row)
    Console(highlight=False).print(table)


@contextmanager
def progress(description: str) -> Iterator["Progress"]:
    """Show how far long work has come, on a terminal; say nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        yield Progress(bar, description)


class Progress:
    """A bar that a service moves."""

    def __init__(self, bar: object, description: str) -> None:
        """Start without a known end."""
        self._bar = bar
        self._task = bar.add_task(description, total=None)  # type: ignore[attr-defined]

    def __call__(self, description: str, done: int, total: int) -> None:
        """Say what is done now, and how much of it."""
        self._bar.update(self._task, description=description, completed=done, total=total)  # type: ignore[attr-defined]
