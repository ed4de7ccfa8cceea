"""`mlops-new project`."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_new.cli import console
from mlops_new.cli.options import CatalogOption, JsonOption

if TYPE_CHECKING:
    from mlops_new.project import ProjectPlan

NAME = "project"


def command(
    target: Annotated[
        Path | None, typer.Argument(metavar="DEST", help="Folder to make; its name names the project.")
    ] = None,
    pattern: Annotated[
        str | None, typer.Option(metavar="NAME", help="Pattern to follow; see `mlops-new patterns`.")
    ] = None,
    catalog: CatalogOption = None,
    version: Annotated[
        str | None, typer.Option(metavar="TAG", help="Release of the catalog (default: the newest).")
    ] = None,
    data: Annotated[
        list[str] | None, typer.Option("-d", "--data", metavar="KEY=VALUE", help="An answer; repeatable.")
    ] = None,
    answers_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Answers as YAML or JSON, or a project's own.")
    ] = None,
    organization: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Organization file to use instead of the catalog's.")
    ] = None,
    defaults: Annotated[bool, typer.Option("--defaults", help="Take defaults for what is not answered.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the tree that would be made.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Write into a git repository with a clean tree.")] = False,
    no_git: Annotated[bool, typer.Option("--no-git", help="Make no git repository.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a project from a pattern: asks what it was not told, renders, makes a first commit."""
    from mlops_new.answers_file import load_answers_file, parse_pairs
    from mlops_new.project import Request, create_project, plan_project

    answers = {**(load_answers_file(answers_file) if answers_file else {}), **parse_pairs(data or [])}
    interactive = not defaults and sys.stdin.isatty() and sys.stdout.isatty()
    request = Request(target, pattern, catalog, version, organization, answers, defaults, interactive, force)
    plan = plan_project(request)
    if not dry_run:
        create_project(plan, with_git=not no_git)
    _present(plan, dry_run=dry_run, as_json=as_json)


def _present(plan: "ProjectPlan", *, dry_run: bool, as_json: bool) -> None:
    files = sorted(plan.rendering.tree)
    if as_json:
        facts = {"project": str(plan.target), "dry_run": dry_run, "catalog": plan.release.source}
        console.show_json({**facts, "version": plan.release.version, "answers": plan.rendering.answers, "files": files})
    elif dry_run:
        for line in tree_lines(files):
            console.show(line)
        console.tell(f"{len(files)} files would be made in {plan.target}.")
    else:
        console.tell(f"Made {plan.target}: {len(files)} files, from {plan.release.source} {plan.release.version}.")
        console.show(f"cd {shlex.quote(str(plan.target))}")
        console.show("uv run poe life   # from raw data to a monitored champion")
        console.show("uv run poe test   # the project's own tests")


def tree_lines(paths: list[str]) -> list[str]:
    """Paths as an indented tree, each folder named once."""
    lines: list[str] = []
    shown: tuple[str, ...] = ()
    for path in paths:
        *folders, name = path.split("/")
        common = 0
        while common < min(len(shown), len(folders)) and shown[common] == folders[common]:
            common += 1
        lines += [f"{'  ' * depth}{folder}/" for depth, folder in enumerate(folders) if depth >= common]
        lines.append(f"{'  ' * len(folders)}{name}")
        shown = tuple(folders)
    return lines
