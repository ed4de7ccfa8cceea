"""`mlops-new verify`."""

from pathlib import Path
from typing import Annotated

import typer

from mlops_new.cli import console
from mlops_new.cli.options import JsonOption

NAME = "verify"
_SHOWN_LINES = 60


def command(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="The project's folder.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Build a project's environment, run its lint and its tests, and give one verdict."""
    from mlops_new.errors import REFUSED
    from mlops_new.verify import STEPS, verify_project

    results = verify_project(project.absolute(), lambda name: console.tell(f"{name} ..."))
    passed = len(results) == len(STEPS) and all(result.passed for result in results)
    if as_json:
        steps = [{"name": r.name, "passed": r.passed, "seconds": round(r.seconds, 1)} for r in results]
        console.show_json({"project": str(project.absolute()), "passed": passed, "steps": steps})
    else:
        for result in results:
            console.show(f"{result.name:12} {'passed' if result.passed else 'FAILED'} in {result.seconds:.0f} s")
        console.show("The project is sound." if passed else f"The project fails at its {results[-1].name}.")
    if not passed:
        console.tell("\n".join(results[-1].output.splitlines()[-_SHOWN_LINES:]))
        raise typer.Exit(REFUSED)
