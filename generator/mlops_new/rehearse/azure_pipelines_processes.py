"""Runs a step's programs as the agent does: with a limit, and ended when the run is cancelled."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step's work ended; `code` is None where no program ran."""

    code: int | None
    output: str
    how: Literal["ended", "late", "canceled"] = "ended"

    @property
    def is_good(self) -> bool:
        """Whether it did what it should."""
        return self.how == "ended" and not self.code


@dataclass(slots=True)
class Limits:
    """What ends a program early; `grace` says for how many seconds it may clean up."""

    deadline: float
    cancel: threading.Event
    grace: float


class Processes:
    """The programs of a job; `end` stops what they left behind."""

    def __init__(self) -> None:
        """Start with none."""
        self._groups: list[int] = []

    def run(self, command: Sequence[str], folder: Path, environ: Mapping[str, str], limits: Limits) -> Ended:
        """Run a program to its end or limit, with nothing to read; what it starts in the background goes on."""
        with tempfile.TemporaryFile() as output:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder,
                    env=dict(environ),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                return Ended(127, f"{command[0]} cannot be run: {error}.\n")
            self._groups.append(process.pid)
            how = _wait(process, limits)
            return Ended(process.returncode, _text(output), how)

    def end(self) -> None:
        """End every program that still runs."""
        for group in self._groups:
            _signal(group, signal.SIGKILL)
        self._groups.clear()


def _text(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace")


def _wait(process: subprocess.Popen[bytes], limits: Limits) -> Literal["ended", "late", "canceled"]:
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, min(_LOOK_SECONDS, limits.deadline - time.monotonic())))
                return "ended"
            if limits.cancel.is_set() or time.monotonic() >= limits.deadline:
                how: Literal["late", "canceled"] = "canceled" if limits.cancel.is_set() else "late"
                _stop(process, limits.grace)
                return how
    except BaseException:
        _stop(process, 0)
        raise


def _stop(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ask a program to end, then tell it, then end it."""
    for number, seconds in ((signal.SIGINT, 0.75 * grace), (signal.SIGTERM, 0.25 * grace), (signal.SIGKILL, 10.0)):
        _signal(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            break
    _signal(process.pid, signal.SIGKILL)


def _signal(group: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)
