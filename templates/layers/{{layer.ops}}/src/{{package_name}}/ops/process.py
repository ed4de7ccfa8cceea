"""Starting a program with a log, a time limit, and an end that takes its children along."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from .errors import OpsError

_GRACE: Final = 5.0  # seconds between asking a program to end and killing it
_TAIL_LINES: Final = 20
_OWN_GROUP: Final = sys.platform != "win32"


def run_process(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path, timeout: float | None
) -> int:
    """Run a program to its end, its output in the file `log`; gives its exit code, negative for a signal.

    Out of time, or upon a `KeyboardInterrupt`, neither the program nor a child of it is left running.

    Raises:
        OpsError: The program is not there.
        TimeoutError: It ran longer than `timeout` seconds.
    """
    with log.open("wb") as stream:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=_OWN_GROUP,
            )
        except OSError as error:
            problem = f"The program {command[0]} cannot be started: {error.strerror}."
            raise OpsError(problem, "Install it, or correct the component's command.") from None
        try:
            return process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"ran longer than its limit of {timeout:g} s") from None
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    try:
        _signal(process, "SIGTERM")
        process.wait(_GRACE)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(process, "SIGKILL")
        process.wait()


def _signal(process: subprocess.Popen[bytes], name: str) -> None:
    if not _OWN_GROUP:
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, getattr(signal, name))


def tail(log: Path) -> str:
    """The last lines of a log, for an error message."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return "\n".join(lines[-_TAIL_LINES:])
