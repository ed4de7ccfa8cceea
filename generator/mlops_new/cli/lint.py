"""`mlops-new lint`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from mlops_new.cli import console
from mlops_new.cli.options import JsonOption

NAME = "lint"


def command(
    folder: Annotated[Path, typer.Argument(metavar="PATH", help="A project, or any other folder.")] = Path(),
    severity: Annotated[
        Literal["low", "medium", "high"], typer.Option(metavar="LEAST", help="Leave out what is less severe.")
    ] = "low",
    as_json: JsonOption = False,
) -> None:
    """Validate the files of a folder, each by the real tool for its kind."""
    from mlops_new.errors import REFUSED
    from mlops_new.lint.run import lint_folder

    with console.progress("Linting") as progress:
        report = lint_folder(folder, severity, progress)
    if as_json:
        found = [item._asdict() for item in report.diagnostics]
        console.show_json({"folder": str(folder), "files": report.files, "judged": report.judged, "diagnostics": found})
    else:
        for item in report.diagnostics:
            console.show(str(item))
        many = len(report.diagnostics)
        console.show(f"{report.files} files: {many or 'no'} fault{'' if many == 1 else 's'}.")
    if report.diagnostics:
        raise typer.Exit(REFUSED)
