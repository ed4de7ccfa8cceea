"""Checks a project's Azure ML YAML with the project's own runner: `python -m mlops_new.check.own_runner`.

It finds what the SDK lets pass offline: references that lead nowhere, unknown keys in components, missing modules.
"""

import subprocess
import sys
from pathlib import Path

from mlops_new.errors import DONE


def main() -> int:
    """Find the package that has a runner, and let it check `azureml/`."""
    runners = sorted(Path("src").glob("*/ops/pipeline.py"))
    if not runners:
        return DONE
    module = f"{runners[0].parts[1]}.ops.pipeline"
    environment = {"PYTHONPATH": "src", "PROJECT_ROOT": str(Path.cwd()), "PATH": ""}
    done = subprocess.run([sys.executable, "-m", module, "check", "azureml"], env=environment, check=False)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
