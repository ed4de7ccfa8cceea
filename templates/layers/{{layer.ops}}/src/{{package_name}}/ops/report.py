"""Reports that people read: one HTML file each, with nothing loaded from elsewhere."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from .drift import DriftFinding
from .files import write_text

_SMALLEST_LIMIT = 1e-6  # a limit of zero gives every shift a full bar
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: #1b1b1b; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #ccc; padding: .4rem .6rem; text-align: left; }
.bar { background: #3b6ea5; display: inline-block; height: .8rem; }
.drifted .bar { background: #b3261e; }
"""


def monitoring_report(
    verdict: str, reasons: Sequence[str], findings: Sequence[DriftFinding], index_limit: float
) -> str:
    """The page of a monitoring run: the verdict, its reasons, and each column with the size of its shift."""
    rows = []
    for finding in sorted(findings, key=lambda finding: -finding.stability_index):
        width = min(100.0, 50.0 * finding.stability_index / max(index_limit, _SMALLEST_LIMIT))
        rows.append(
            f'<tr class="{"drifted" if finding.has_drifted else "steady"}"><td>{escape(finding.name)}</td>'
            f"<td>{finding.stability_index:.3f}</td><td>{finding.p_value:.2g}</td>"
            f'<td><span class="bar" style="width: {width:.0f}%"></span></td></tr>'
        )
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons) or "<li>Nothing to report.</li>"
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>Monitoring</title>'
        f"<style>{_STYLE}</style></head>\n<body>\n<h1>Verdict: {escape(verdict)}</h1>\n<ul>{listed}</ul>\n"
        "<table><thead><tr><th>Column</th><th>Stability index</th><th>Corrected p-value</th><th>Shift</th></tr>"
        "</thead>\n"
        f"<tbody>{''.join(rows)}</tbody></table>\n<p>The middle of the last column is the limit, {index_limit:g}.</p>\n"
        "</body>\n</html>\n"
    )


def write_report(path: Path, page: str) -> None:
    """Write a page that is whole or absent."""
    write_text(path, page)
