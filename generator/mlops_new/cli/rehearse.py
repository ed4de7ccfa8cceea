"""`mlops-new rehearse`."""

from pathlib import Path
from typing import Annotated

import typer

from mlops_new.cli import console
from mlops_new.cli.options import JsonOption

NAME = "rehearse"


def command(
    project: Annotated[Path, typer.Argument(metavar="PROJECT", help="A project with a CI system.")] = Path(),
    scenario: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Play this one; `core` plays those that matter most.")
    ] = None,
    checks: Annotated[bool, typer.Option("--checks", help="Run lint, tests and the sample training, too.")] = False,
    show: Annotated[bool, typer.Option("--list", help="Only list the scenarios.")] = False,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Write a page with timelines here.")] = None,
    keep: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Keep logs and states in this new folder.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a project's own workflows on this machine, against a stand-in for Azure."""
    from mlops_new.errors import REFUSED
    from mlops_new.rehearse.report import as_data, as_page, lines
    from mlops_new.rehearse.run import Options, known_scenarios, rehearse

    if show:
        known = known_scenarios(project.resolve())
        if as_json:
            console.show_json([{"name": one.name, "says": one.says, "core": one.is_core} for one in known.values()])
        else:
            for one in known.values():
                console.show(f"{one.name}{' (core)' if one.is_core else ''}: {one.says}")
        return
    options = Options(tuple(scenario or ()), checks, keep)
    with console.progress("Rehearsing") as progress:
        found = rehearse(project, options, progress)
    if report is not None:
        report.write_text(as_page(found), encoding="utf-8")
    if as_json:
        console.show_json(as_data(found))
    else:
        for result in found.results:
            for line in lines(result):
                console.show(line)
    if not found.passed:
        raise typer.Exit(REFUSED)
