"""How fast the command line is, as ratios against its peers on the same catalog in one run.

    .venv/bin/python benchmarks/command_line.py [--rounds N]

Rendering: `mlops-new project` against `copier copy` and `cookiecutter`, each making the same project
from the same tagged clone. Start-up: `mlops-new --help` and `mlops-new patterns` against a bare
interpreter, an interpreter that imports typer, and `copier --version`. Rounds are interleaved, so that
a busy machine slows all of them alike; each figure is the minimum of its rounds.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
VERSION = "99.0.0"


def clone_with_tag(folder: Path) -> Path:
    """A clone of this checkout's last commit, tagged as a release, so that every peer reads the same files."""
    clone = folder / "catalog"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "tag", VERSION], check=True)
    return clone


def timed(command: list[str], cwd: Path) -> float:
    """Seconds that one run of a command takes; a failing command ends the benchmark with its output."""
    start = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return seconds


def renders(clone: Path) -> dict[str, list[str]]:
    """The three ways to the same project; `{}` stands for the folder that each round makes anew."""
    return {
        "mlops-new project": [str(BIN / "mlops-new"), "project", "{}/p", "--catalog", str(clone), "--defaults"],
        "copier copy": [str(BIN / "copier"), "copy", "--quiet", "--defaults", str(clone), "{}/p"],
        "cookiecutter": [str(BIN / "cookiecutter"), "--no-input", "--output-dir", "{}", str(clone)],
    }


def start_ups() -> dict[str, list[str]]:
    """Commands that only start, and what the same interpreter needs at least."""
    return {
        "mlops-new --help": [str(BIN / "mlops-new"), "--help"],
        "mlops-new patterns": [str(BIN / "mlops-new"), "patterns"],
        "python -c pass": [sys.executable, "-c", "pass"],
        "python -c 'import typer'": [sys.executable, "-c", "import typer"],
        "copier --version": [str(BIN / "copier"), "--version"],
    }


def measure(commands: dict[str, list[str]], rounds: int, fresh: Callable[[], Path]) -> dict[str, float]:
    """The minimum seconds of each command over interleaved rounds, each in a fresh folder."""
    best = dict.fromkeys(commands, float("inf"))
    for _ in range(rounds):
        for name, command in commands.items():
            folder = fresh()
            seconds = timed([part.replace("{}", str(folder)) for part in command], folder)
            best[name] = min(best[name], seconds)
            shutil.rmtree(folder)
    return best


def show(title: str, best: dict[str, float]) -> None:
    """Print each command's seconds and how many times the first command's they are."""
    ours = next(iter(best.values()))
    print(f"\n{title}")
    for name, seconds in best.items():
        print(f"  {name:28} {seconds * 1000:8.0f} ms  {seconds / ours:6.2f} x")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs (default 5)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def fresh() -> Path:
            return Path(tempfile.mkdtemp(dir=folder))

        show("Rendering one project", measure(renders(clone_with_tag(folder)), rounds, fresh))
        show("Start-up", measure(start_ups(), rounds, fresh))


if __name__ == "__main__":
    main()
