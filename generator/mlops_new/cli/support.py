"""`mlops-new support`."""

from typing import Annotated

import typer

from mlops_new.cli import console

NAME = "support"


def command(
    catalog: Annotated[str | None, typer.Option(help="Catalog: a folder, a git bundle or a git address.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every combination as JSON.")] = False,
) -> None:
    """Show every combination of the catalog's axes: legal, or refused with its reason and the nearest legal one."""
    from mlops_new.catalog import load_catalog
    from mlops_new.store import catalog_root
    from mlops_new.support import grouped, support_matrix

    found = load_catalog(catalog_root(catalog))
    matrix = support_matrix(found)
    if as_json:
        rows = [
            {"answers": row.answers, "legal": row.is_legal, "reason": row.reason, "nearest": row.nearest}
            for row in matrix
        ]
        console.show_json(rows)
        return
    for pattern in found.patterns:
        rows_of_pattern = [group for group in grouped(found, matrix) if group.answers["pattern"] == pattern]
        names = [name for name in rows_of_pattern[0].answers if name != "pattern"]
        cells = []
        for group in rows_of_pattern:
            instead = ", ".join(f"{name}={value}" for name, value in group.nearest.items())
            verdict = f"refused: {group.reason} Nearest: {instead}" if group.reason else "legal"
            cells.append([*(str(group.answers[name]) for name in names), str(group.count), verdict])
        console.show_table([*names, "combinations", "verdict"], cells, title=pattern)
    legal = sum(row.is_legal for row in matrix)
    console.show(f"{legal} of {len(matrix)} combinations are legal.")
