"""`mlops-new patterns`."""

from typing import TYPE_CHECKING, Annotated

import typer

from mlops_new.cli import console
from mlops_new.cli.options import CatalogOption, JsonOption

if TYPE_CHECKING:
    from mlops_new.model import Catalog, Pattern

NAME = "patterns"


def command(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A pattern to show in full.")] = None,
    catalog: CatalogOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the patterns of the catalog: what each is for, when not to use it, what it is made of."""
    from mlops_new.catalog import load_catalog
    from mlops_new.errors import AnswersError, nearest
    from mlops_new.store import catalog_root

    found = load_catalog(catalog_root(catalog))
    if name is not None and name not in found.patterns:
        raise AnswersError(f"The catalog has no pattern {name!r}.", nearest(name, found.patterns))
    chosen = [found.patterns[name]] if name else list(found.patterns.values())
    if as_json:
        facts = [pattern_facts(found, pattern) for pattern in chosen]
        console.show_json(facts[0] if name else facts)
    elif name:
        _show(found, chosen[0])
    else:
        for pattern in chosen:
            console.show(f"{pattern.name}  {pattern.summary}")
            console.show(f"  use it when    {pattern.use_when[0]}")
            console.show(f"  not when       {pattern.avoid_when[0]}")
            console.show(f"  stages         {', '.join(pattern.stages)}")
            console.show(
                f"  runs locally   about {pattern.local_cost.minutes:g} minutes, {pattern.local_cost.disk_gb:g} GB"
            )
        console.tell("`mlops-new patterns NAME` shows one in full.")


def pattern_facts(catalog: "Catalog", pattern: "Pattern") -> dict[str, object]:
    """Everything about a pattern, for a machine."""
    stages = {
        name: {"does": stage.does, "laptop": stage.laptop, "azure": stage.azure}
        for name, stage in pattern.stages.items()
    }
    return {
        "name": pattern.name,
        "title": pattern.title,
        "summary": pattern.summary,
        "status": pattern.status,
        "since": pattern.since,
        "use_when": list(pattern.use_when),
        "avoid_when": list(pattern.avoid_when),
        "layers": {name: catalog.layers[name].summary for name in pattern.layers if name in catalog.layers},
        "questions": [question.name for question in catalog.choice_questions(pattern.name)],
        "allowed": {name: list(values) for name, values in pattern.allowed.items()},
        "stages": stages,
        "pipelines": list(pattern.pipelines),
        "local_cost": {"minutes": pattern.local_cost.minutes, "disk_gb": pattern.local_cost.disk_gb},
    }


def _show(catalog: "Catalog", pattern: "Pattern") -> None:
    console.show(f"{pattern.title} ({pattern.name}, {pattern.status}, since {pattern.since})")
    console.show(pattern.summary)
    for title, lines in (("Use it when", pattern.use_when), ("Do not use it when", pattern.avoid_when)):
        console.show(f"\n{title}:")
        for line in lines:
            console.show(f"  - {line}")
    console.show("\nStages (laptop / Azure):")
    for name, stage in pattern.stages.items():
        console.show(f"  {name:10} {stage.does}. {stage.laptop} / {stage.azure}")
    console.show("\nLayers:")
    for layer in pattern.layers:
        console.show(f"  {layer:10} {catalog.layers[layer].summary}")
    cost = pattern.local_cost
    console.show(f"\nOne whole life on a laptop takes about {cost.minutes:g} minutes and {cost.disk_gb:g} GB of disk.")
