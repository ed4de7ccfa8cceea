"""Set up this checkout and run its two main jobs; needs Python 3.11 or later and git, nothing else.

python3 tools/dev.py life [FOLDER]   render a batch-scoring project and run its whole life
python3 tools/dev.py test [ARGS...]  run every check and test of the kit (ARGS go to pytest)
python3 tools/dev.py setup           only build the environment, in .venv
"""

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PINS = ROOT / "requirements" / "dev.txt"
STAMP = VENV / "built-from.sha256"
INSTALLER_PINS = ROOT / "requirements" / "uv.txt"


def run(*command: object, cwd: Path = ROOT) -> None:
    """Run a command with the environment's programs first on the path; leave with its code if it fails."""
    print("$", *command, flush=True)
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}", "VIRTUAL_ENV": str(VENV)}
    code = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, check=False).returncode
    if code:
        sys.exit(code)


def digest() -> str:
    """The hash of everything that the environment is built from."""
    inputs = (PINS, INSTALLER_PINS, ROOT / "pyproject.toml", Path(__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()


def is_set_up() -> bool:
    """Whether .venv was built from the requirements as they are now."""
    return STAMP.is_file() and STAMP.read_text() == digest()


def set_up() -> None:
    """Build .venv from the pinned requirements; do nothing when it was already built from the same ones."""
    if is_set_up():
        return
    venv.create(VENV, with_pip=True, clear=True)
    run(BIN / "python", "-m", "pip", "install", "--quiet", "--require-hashes", "--requirement", INSTALLER_PINS)
    run(BIN / "uv", "pip", "sync", "--quiet", "--require-hashes", PINS)
    run(BIN / "uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", ROOT)
    STAMP.write_text(digest())


def life(folder: Path) -> None:
    """Render a batch-scoring project and take it from raw data to a registered champion and a scored file."""
    run(BIN / "mlops-new", "project", folder, "--pattern", "batch-scoring", "--defaults")
    run(BIN / "uv", "run", "poe", "life", cwd=folder)


def test(arguments: list[str]) -> None:
    """Lint, type-check and test the kit; the slowest tests render projects and run their own tests."""
    run(BIN / "ruff", "check", ".")
    run(BIN / "ruff", "format", "--check", ".")
    run(BIN / "mypy")
    run(BIN / "pytest", *arguments)


def main(arguments: list[str]) -> None:
    """Do what the first argument names."""
    match arguments:
        case ["setup"]:
            set_up()
        case ["life", *folder] if len(folder) <= 1:
            set_up()
            life(Path(folder[0] if folder else ROOT / "build" / "credit-scoring").resolve())
        case ["test", *rest]:
            set_up()
            test(rest)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
