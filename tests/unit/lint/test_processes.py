"""Programs end with whoever started them, along with what they started."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from mlops_new.lint.processes import Programs

# Starts a child, writes its number into a file, and waits.
PARENT = """
import subprocess, sys, pathlib
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("child.tmp").write_text(str(child.pid)); pathlib.Path("child.tmp").rename("child")
child.wait()
"""


def wait_for(path: Path) -> int:
    for _ in range(200):
        if path.is_file():
            return int(path.read_text(encoding="utf-8"))
        time.sleep(0.05)
    raise AssertionError(path)


def ends(number: int) -> bool:
    """Whether a process is gone soon: a signal takes a moment to arrive."""
    state = Path(f"/proc/{number}/stat")
    for _ in range(100):
        try:
            if state.read_text(encoding="utf-8").split()[2] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def test_a_program_gives_its_code_and_all_that_it_says(tmp_path: Path) -> None:
    script = "import sys; print('out'); sys.stdout.flush(); print('err', file=sys.stderr); sys.exit(4)"
    with Programs() as programs:
        outcome = programs.run([sys.executable, "-c", script], tmp_path, os.environ)
    assert (outcome.code, outcome.output.split()) == (4, ["out", "err"])


def test_a_missing_program_is_not_found(tmp_path: Path) -> None:
    with Programs() as programs, pytest.raises(FileNotFoundError):
        programs.run(["no-such-program"], tmp_path, os.environ)


def test_leaving_ends_a_program_that_another_thread_runs_and_its_child(tmp_path: Path) -> None:
    with Programs() as programs:
        thread = threading.Thread(target=lambda: programs.run([sys.executable, "-c", PARENT], tmp_path, os.environ))
        thread.start()
        child = wait_for(tmp_path / "child")
    thread.join(10)
    assert not thread.is_alive()
    assert ends(child)


def test_nothing_starts_after_leaving(tmp_path: Path) -> None:
    with Programs() as programs:
        pass
    with pytest.raises(KeyboardInterrupt):
        programs.run([sys.executable, "-c", ""], tmp_path, os.environ)


def test_an_interrupt_ends_the_program_and_its_child(tmp_path: Path) -> None:
    script = f"""
import os, pathlib, sys
from mlops_new.lint.processes import Programs
with Programs() as programs:
    programs.run([sys.executable, "-c", {PARENT!r}], pathlib.Path({str(tmp_path)!r}), os.environ)
"""
    runner = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
    child = wait_for(tmp_path / "child")
    runner.send_signal(signal.SIGINT)
    assert runner.wait(15) != 0
    assert ends(child)
