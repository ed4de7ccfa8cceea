"""Programs that end with whoever started them, along with everything that they started themselves."""

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

_GRACE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a program ended, and all that it said."""

    code: int
    output: str


class Programs:
    """Runs programs, from several threads; leaving it ends those that still run."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._closed = False

    def __enter__(self) -> Self:
        """Nothing to prepare."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End what runs, and refuse to start more."""
        with self._lock:
            self._closed = True
            running = list(self._running)
        for process in running:
            _end(process)

    def run(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Outcome:
        """Run a program to its end, in a folder, with nothing to read.

        Raises:
            FileNotFoundError: There is no such program.
            KeyboardInterrupt: The programs were ended meanwhile.
        """
        with self._lock:
            if self._closed:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._running.add(process)
        try:
            output, _ = process.communicate()
        finally:
            _end(process)
            with self._lock:
                self._running.discard(process)
        return Outcome(process.returncode, output.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program and its children; those of one that ended by itself, too."""
    if os.name != "posix":
        process.kill()
        return
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
