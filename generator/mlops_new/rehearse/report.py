"""What a rehearsal tells: as lines of text, as data for a machine, and as one page with a picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from typing import Any, Final

import jinja2

from mlops_new.rehearse.az_project import Places
from mlops_new.rehearse.rehearsal import Result

_WIDTH: Final = 900
_LANE: Final = 26


@dataclass(frozen=True, slots=True)
class Report:
    """The scenarios that were played with a project."""

    project: str
    ci: str
    places: Places
    results: Sequence[Result]

    @property
    def passed(self) -> bool:
        """Whether every scenario passed."""
        return all(result.passed for result in self.results)


def lines(result: Result) -> Iterator[str]:
    """A scenario as text: its verdict, its steps, its timeline where something was wrong."""
    seconds = sum(step.seconds for step in result.steps)
    yield f"{'passed' if result.passed else 'FAILED'}  {result.scenario.name} ({seconds:.0f} s): {result.scenario.says}"
    if not result.passed:
        yield from (f"        {problem}" for problem in result.problems)
        yield from (f"        {told}" for told in timeline(result))


def timeline(result: Result) -> Iterator[str]:
    """What happened, in order, a line each."""
    start = _moment(result.events[0]) if result.events else 0.0
    for event in result.events:
        if (text := _told(event)) is not None:
            yield f"{_moment(event) - start:7.1f} s  {text}"


_TELLS: Final[Mapping[str, str]] = {
    "starts": "{workflow} starts ({trigger})",
    "ends": "{workflow} ends as {end}",
    "job": "job {job}: {end}",
    "approval": "{environment}: approval granted: {granted}",
    "role": "{place}: version {version} is {role}",
    "check": "check {verb}: {result}",
    "schedule": "{environment}: the schedule {name} starts",
    "resources": "{environment}: {count} resources stand",
    "killed": "the runner is lost",
}
_LOOKS: Final = ("show", "list", "login", "clear", "get-access-token", "set", "--version", "list-usage")


def _told(event: Mapping[str, Any]) -> str | None:
    """An event as a sentence; what only looks says nothing unless it was refused."""
    if event["kind"] != "az":
        return _TELLS[event["kind"]].format(**event)
    if event["code"]:
        return f"{event['identity'] or 'nobody'}: az {event['command']} refused: {event.get('said', '')}"
    if event["command"].endswith(_LOOKS):
        return None
    return f"{event['identity']}: az {event['command']} {event.get('place', '')}"


def as_data(report: Report) -> dict[str, Any]:
    """The report for a machine."""
    return {
        "project": report.project,
        "ci": report.ci,
        "passed": report.passed,
        "scenarios": [
            {
                "name": result.scenario.name,
                "says": result.scenario.says,
                "passed": result.passed,
                "problems": list(result.problems),
                "steps": [{"title": s.title, "seconds": s.seconds, "problems": list(s.problems)} for s in result.steps],
                "events": [dict(event) for event in result.events],
            }
            for result in report.results
        ],
    }


def as_page(report: Report) -> str:
    """The report as a page that needs nothing besides itself."""
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    text = resources.files("mlops_new.rehearse").joinpath("data/report.html.jinja").read_text(encoding="utf-8")
    scenarios = [
        {"result": result, "timeline": list(timeline(result)), "lanes": _lanes(result, report.places)}
        for result in report.results
    ]
    return environment.from_string(text).render(report=report, scenarios=scenarios, width=_WIDTH, lane=_LANE)


def _lanes(result: Result, places: Places) -> list[dict[str, Any]]:
    """For each environment which version served when, as bars from left to right."""
    if not result.events:
        return []
    start, end = _moment(result.events[0]), max(_moment(result.events[-1]), _moment(result.events[0]) + 1)
    scale = _WIDTH / (end - start)
    found = []
    for environment, place in places.workspaces.items():
        crowned = [e for e in result.events if e["kind"] == "role" and (e["place"], e["role"]) == (place, "champion")]
        starts = [(_moment(event) - start) * scale for event in crowned]
        ends = [*starts[1:], float(_WIDTH)]
        bars = [
            {"x": round(left, 1), "width": round(max(right - left, 1), 1), "version": event["version"]}
            for left, right, event in zip(starts, ends, crowned, strict=False)
        ]
        found.append({"environment": environment, "bars": bars})
    return found


def _moment(event: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(event["time"]).timestamp()
