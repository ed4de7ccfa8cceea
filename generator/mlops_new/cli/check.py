"""`mlops-new check`."""

from dataclasses import asdict
from typing import Annotated

import typer

from mlops_new.cli import console
from mlops_new.cli.options import JsonOption

NAME = "check"


def command(
    catalog: Annotated[
        str | None, typer.Argument(metavar="CATALOG", help="Catalog: a folder, a git bundle or a git address.")
    ] = None,
    pattern: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Check this pattern only; repeatable.")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Run each pattern's own lint and tests as well.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Use no stored results.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Prove a catalog: every legal combination renders, has one owner for each path, and passes the real tools."""
    from mlops_new.check.run import Options, check_folder
    from mlops_new.errors import REFUSED
    from mlops_new.store import catalog_root

    root = catalog_root(catalog)
    with console.progress("Checking") as progress:
        report = check_folder(root, Options(tuple(pattern or ()), full, not no_cache), progress)
    if as_json:
        console.show_json({"catalog": str(root), **asdict(report)})
    else:
        for finding in report.findings:
            console.show(str(finding))
        projects = f", {report.projects} projects tested" if report.projects else ""
        console.show(
            f"{report.combinations} combinations, {report.distinct_contents} distinct files{projects}: "
            f"{len(report.findings) or 'no'} finding{'' if len(report.findings) == 1 else 's'}."
        )
    if report.findings:
        raise typer.Exit(REFUSED)
