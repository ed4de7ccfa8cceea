"""Options that several commands share."""

from typing import Annotated

import typer

CatalogOption = Annotated[
    str | None, typer.Option(metavar="SOURCE", help="Catalog: a folder, a git bundle or a git address.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
