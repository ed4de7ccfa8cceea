"""`mlops-new support`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from mlops_new.cli import console
from mlops_new.cli.options import CatalogOption

if TYPE_CHECKING:
    from mlops_new.model import Question
    from mlops_new.support import Group

NAME = "support"


def command(
    catalog: CatalogOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print every combination as JSON.")] = False,
) -> None:
    """Show every combination of the catalog's axes: legal, or refused with its reason and the nearest legal one."""
    from mlops_new.catalog import load_catalog
    from mlops_new.store import catalog_root
    from mlops_new.support import deciding_questions, grouped, support_matrix

    found = load_catalog(catalog_root(catalog))
    matrix = support_matrix(found)
    if as_json:
        rows = [
            {"answers": row.answers, "legal": row.is_legal, "reason": row.reason, "nearest": row.nearest}
            for row in matrix
        ]
        console.show_json(rows)
        return
    groups = grouped(found, matrix)
    for pattern in found.patterns:
        _show_pattern(pattern, deciding_questions(found, pattern), [row for row in groups if row.pattern == pattern])
    legal = sum(row.is_legal for row in matrix)
    console.show(f"{legal} of {len(matrix)} combinations are legal.")


def _show_pattern(pattern: str, questions: Sequence["Question"], groups: Sequence["Group"]) -> None:
    if not questions and not any(group.reason for group in groups):
        console.show(f"{pattern}: every combination is legal.")
        return
    cells, notes = [], []
    for group in groups:
        verdict = "legal"
        if group.reason:
            instead = ", ".join(f"{name}={value}" for name, value in group.nearest.items())
            notes.append(f"{group.reason} Nearest legal: {instead or 'none'}.")
            verdict = f"refused, {len(notes)}"
        values = (_shown(group.values[question.name], len(question.choices)) for question in questions)
        cells.append([*values, str(group.count), verdict])
    console.show_table([*(question.name for question in questions), "combinations", "verdict"], cells, title=pattern)
    for number, note in enumerate(notes, 1):
        console.show(f"{number}. {note}")


def _shown(values: tuple[str, ...], of: int) -> str:
    return "any" if len(values) == of else ", ".join(values)
