"""The model card: what people wrote in `governance/model-card.md`, and the facts of one version below it.

After Mitchell et al., Model Cards for Model Reporting (2019): intended use and limits in prose, then figures with
intervals for the whole and for each group, and where the model comes from.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from .lineage import Lineage

# A paragraph in italics is a question that nobody has answered yet.
_OPEN = re.compile(r"^\*[^*\n]+\*$", re.MULTILINE)
_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def open_questions(card: str) -> list[str]:
    """The sections of the card that still hold a question in italics instead of an answer."""
    parts = _HEADING.split(card)
    return [heading.strip() for heading, text in zip(parts[1::2], parts[2::2], strict=True) if _OPEN.search(text)]


def model_card(
    prose: str,
    title: str,
    lineage: Lineage,
    evaluation: Mapping[str, object],
    decision: Mapping[str, object],
) -> str:
    """The card of a version in Markdown.

    Args:
        prose: The text that people wrote.
        title: Names the version, such as `Version 3, champion`.
        lineage: Where the model comes from.
        evaluation: The content of `evaluation.json`.
        decision: The content of `decision.json`.
    """
    sections = [
        prose.rstrip(),
        f"## Facts: {title}",
        _table(("fact", "value"), ((name.replace("_", " "), value) for name, value in asdict(lineage).items())),
        "### Decision of the gate",
        f"**{_cell(decision.get('outcome'))}**",
        _bullets(_items(decision.get("reasons"))),
        _table(("check", "status", "reason"), _rows(decision.get("checks"), "name", "status", "reason")),
        "### Figures",
        _figures(evaluation),
        *_groups(evaluation),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _figures(evaluation: Mapping[str, object]) -> str:
    """Each metric on the rows held out, beside the baseline and the champion at that time."""
    columns = {"model": _mapping(evaluation.get("metrics"))}
    for name in ("baseline", "champion"):
        metrics = _mapping(_mapping(evaluation.get(name)).get("metrics"))
        if metrics:
            columns[name] = metrics
    rows = ([metric, *(_interval(found.get(metric)) for found in columns.values())] for metric in columns["model"])
    held = evaluation.get("rows")
    intro = f"On {held} rows held out, with intervals.\n\n" if held else ""
    return intro + _table(("metric", *columns), rows)


def _groups(evaluation: Mapping[str, object]) -> list[str]:
    """The figures of slices, and the differences between sensitive groups, where the evaluation has them."""
    sections: list[str] = []
    slices = [_mapping(entry) for entry in _items(evaluation.get("slices"))]
    if slices:
        metrics = list(_mapping(evaluation.get("metrics")))
        rows = [
            [entry.get("attribute"), entry.get("group"), entry.get("rows")]
            + [_interval(_mapping(entry.get("metrics")).get(metric)) for metric in metrics]
            for entry in slices
        ]
        sections += ["### Slices", _table(("attribute", "group", "rows", *metrics), rows)]
    fairness = [_mapping(entry) for entry in _items(evaluation.get("fairness"))]
    if fairness:
        compared = [
            [entry.get("attribute"), entry.get("metric"), _interval(entry.get("interval")), entry.get("limit")]
            for entry in fairness
        ]
        sections += ["### Fairness", _table(("attribute", "difference", "value", "limit"), compared)]
    return sections


def _interval(value: object) -> str:
    found = _mapping(value)
    if not found:
        return "not measured"
    return f"{_cell(found.get('value'))} ({_cell(found.get('low'))} to {_cell(found.get('high'))})"


def _rows(entries: object, *keys: str) -> list[list[object]]:
    return [[_mapping(entry).get(key) for key in keys] for entry in _items(entries)]


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _bullets(items: Sequence[object]) -> str:
    return "\n".join(f"- {_cell(item)}" for item in items)


def _cell(value: object) -> str:
    """One line that neither ends its cell nor starts markup of its own."""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return " ".join(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").split())


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
