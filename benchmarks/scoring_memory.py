"""How much memory and time scoring takes, and whether a killed run goes on to the same file.

    python benchmarks/scoring_memory.py PROJECT [--python PROJECT_PYTHON] [--rows N] [--format csv] [--kills N]

PROJECT is a rendered project with a champion: `poe train`, `poe register` and `poe promote` have run there.
Draws N records (5 million) from the project's own contract with a fixed seed, scores them by the project's score
stage, and prints wall time, rows per second and the peak of resident memory. Then it does the same again, kills the
process (SIGKILL) at random points, lets it go on, and compares the two files byte by byte. Runs on Linux and macOS.
"""

import argparse
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

FILES = 10
ALLOWED_MIB = 1024
GENERATE = """
import sys
from pathlib import Path

import numpy as np
import polars as pl

from {package}.model import contract

folder, rows, files, ending = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
folder.mkdir()
draw = np.random.default_rng(20260101)
per_file = -(-rows // files)
for number, start in enumerate(range(0, rows, per_file)):
    count = min(per_file, rows - start)
    columns = {{contract.ID: pl.format("A{{}}", 10_000 + start + pl.int_range(count))}}
    for name, (low, high) in contract.RANGES.items():
        columns[name] = pl.Series(draw.integers(low, high + 1, count))
    for name, values in contract.CATEGORIES.items():
        columns[name] = pl.Series(np.array(values)[draw.integers(0, len(values), count)])
    table = pl.select(**columns)
    path = folder / f"{{number:03}}.{{ending}}"
    table.write_csv(path) if ending == "csv" else table.write_parquet(path)
"""


@dataclass(frozen=True)
class Run:
    """What became of a process: seconds, peak resident memory in MiB, and its exit code."""

    seconds: float
    peak: float
    code: int


@dataclass(frozen=True)
class Project:
    """A rendered project and the interpreter that has its requirements."""

    root: Path
    python: str
    package: str

    def environment(self) -> dict[str, str]:
        """The variables under which its stages run."""
        return {**os.environ, "PYTHONPATH": str(self.root / "src"), "PROJECT_ROOT": str(self.root)}

    def start(self, batch: Path, predictions: Path) -> subprocess.Popen[bytes]:
        """Start the score stage."""
        stage = [self.python, "-m", f"{self.package}.stages.score"]
        folders = ["--input", batch, "--config", self.root / "config", "--predictions", predictions]
        return subprocess.Popen([*stage, *map(str, folders)], env=self.environment(), cwd=self.root)

    def generate(self, batch: Path, rows: int, ending: str) -> None:
        """Write made-up records that keep the contract."""
        code = GENERATE.format(package=self.package)
        command = [self.python, "-c", code, str(batch), str(rows), str(FILES), ending]
        subprocess.run(command, env=self.environment(), check=True)


def open_project(root: Path, python: str) -> Project:
    """Find the project's package."""
    packages = [path.parent.parent.name for path in (root / "src").glob("*/stages/score.py")]
    if len(packages) != 1:
        sys.exit(f"{root} is no rendered batch-scoring project. Give the folder of one.")
    return Project(root.resolve(), python, packages[0])


def finish(process: subprocess.Popen[bytes], started: float) -> Run:
    """Wait for a process and read what it used."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1024 if sys.platform == "darwin" else 1
    return Run(time.perf_counter() - started, usage.ru_maxrss / unit / 1024, process.returncode)


def score_undisturbed(project: Project, batch: Path, predictions: Path) -> Run:
    """Score in one go."""
    started = time.perf_counter()
    run = finish(project.start(batch, predictions), started)
    if run.code:
        sys.exit(f"Scoring left with exit code {run.code}.")
    return run


def score_with_kills(project: Project, batch: Path, predictions: Path, kills: int, seed: int) -> list[int]:
    """Score with kills at random numbers of finished parts; gives these numbers."""
    draw, finished = random.Random(seed), []  # noqa: S311 - no secret depends on it
    parts = predictions / ".work" / "parts"
    for _ in range(kills):
        before = len(list(parts.glob("??????.parquet")))
        wanted = before + draw.randrange(1, 15)
        process = project.start(batch, predictions)
        while process.poll() is None and len(list(parts.glob("??????.parquet"))) < wanted:
            time.sleep(0.01)
        process.kill()
        if process.wait() == 0:
            break
        finished.append(len(list(parts.glob("??????.parquet"))))
    score_undisturbed(project, batch, predictions)
    return finished


def sha256_of(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def main() -> None:
    """Measure, and print what was found."""
    parser = argparse.ArgumentParser(description="Memory, time and recovery of scoring.")
    parser.add_argument("project", type=Path)
    parser.add_argument("--python", default=sys.executable, help="interpreter with the project's requirements")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--seed", type=int, default=random.randrange(10_000))  # noqa: S311 - no secret depends on it
    given = parser.parse_args()
    project = open_project(given.project, given.python)
    with tempfile.TemporaryDirectory(prefix="scoring-memory-") as folder:
        batch, one, other = (Path(folder) / name for name in ("batch", "undisturbed", "killed"))
        project.generate(batch, given.rows, given.format)
        run = score_undisturbed(project, batch, one)
        print(f"{given.rows:,} rows from {given.format}: {run.seconds:.1f} s, {given.rows / run.seconds:,.0f} rows/s")
        print(f"peak resident memory: {run.peak:,.0f} MiB of {ALLOWED_MIB:,} allowed")
        again = score_undisturbed(project, batch, one)
        print(f"the same again, recognised as finished: {again.seconds:.1f} s")
        finished = score_with_kills(project, batch, other, given.kills, given.seed)
        is_same = sha256_of(one / "predictions.parquet") == sha256_of(other / "predictions.parquet")
        print(f"killed after {finished} parts (seed {given.seed}): {'the same bytes' if is_same else 'OTHER BYTES'}")
    sys.exit(0 if is_same and run.peak < ALLOWED_MIB else 1)


if __name__ == "__main__":
    main()
