"""The command line: each command parses, calls one service, presents, and returns an exit code.

Services are imported when their command runs, so that `--help` and `patterns` start fast.
"""

import sys

import typer

from mlops_new import __version__
from mlops_new.cli import check, console, lint, patterns, project, rehearse, support, verify
from mlops_new.errors import FAILED, INTERRUPTED, KitError

app = typer.Typer(
    name="mlops-new",
    help="Make, prove and keep current machine-learning projects from a catalog of architectural patterns.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        console.show(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Show the version."),
) -> None:
    """Options of mlops-new itself."""


for module in (project, patterns, verify, rehearse, lint, check, support):
    app.command(module.NAME)(module.command)


def main() -> None:
    """Run the command line; an error that a user can mend is one message, without a traceback."""
    try:
        app()
    except KitError as error:
        console.tell(f"Error: {error}")
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, a folder without permission
        console.tell(f"Error: {error.filename or 'The system'}: {error.strerror or error}.")
        sys.exit(FAILED)
    except SystemExit as leaving:
        if leaving.code == INTERRUPTED:  # typer's answer to Ctrl-C, which is silent
            console.tell("Interrupted.")
        raise
