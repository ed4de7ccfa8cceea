"""What the SDK lets pass offline, and the service refuses or ignores: schedules, file references, job commands."""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from pathlib import Path

_CRON = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 6))
_CRON_PART = re.compile(r"\A(?:\*|(?P<first>\d+)(?:-(?P<last>\d+))?)(?:/(?P<step>[1-9]\d*))?\Z")
_DURATION = re.compile(r"\AP(?!\Z)(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?\Z")
_DURATIONS = ("lookback_window_size", "lookback_window_offset")
_REFERENCE = re.compile(r"\$\{\{\s*(inputs|outputs|search_space)\.(\w+)\s*\}\}")
_REMOTE = re.compile(r"\A[a-z][a-z0-9+.-]+:")

Document = Mapping[str, object]
Gap = tuple[str, str]


def gaps(document: Document, folder: Path, time_zones: Collection[str]) -> Iterator[Gap]:
    """Each fault as the dotted path of its key and a sentence; `folder` is where the file stands."""
    trigger = document.get("trigger")
    if isinstance(trigger, dict):
        yield from _trigger_gaps(trigger, time_zones)
    yield from _file_gaps(document, folder)
    yield from _command_gaps(document)
    yield from _duration_gaps(document, "")


def _trigger_gaps(trigger: Document, time_zones: Collection[str]) -> Iterator[Gap]:
    if trigger.get("type") == "cron":
        problem = _cron_problem(str(trigger.get("expression", "")))
        if problem:
            yield "trigger.expression", problem
    zone = trigger.get("time_zone")
    if zone is not None and zone not in time_zones:
        yield "trigger.time_zone", f"Azure ML knows no time zone {zone}: use a Windows name such as UTC."
    for key in ("start_time", "end_time"):
        value = trigger.get(key)
        if isinstance(value, str) and not _is_time(value):
            yield f"trigger.{key}", f"{key} {value} is no time: write it as 2026-01-31T02:00:00."


def _cron_problem(expression: str) -> str:
    fields = expression.split()
    if len(fields) != len(_CRON):
        return f"The cron expression {expression!r} has no five fields: give minute, hour, day, month and weekday."
    for text, (name, least, most) in zip(fields, _CRON, strict=True):
        for part in text.split(","):
            match = _CRON_PART.match(part)
            numbers = [int(number) for number in (match["first"], match["last"]) if number] if match else []
            if match is None or numbers != sorted(numbers) or not all(least <= n <= most for n in numbers):
                return f"The {name} {text!r} of the cron expression is not within {least} to {most}."
        if name in ("day", "month") and text != "*":
            return f"The {name} {text!r} of the cron expression does nothing: Azure ML reads it as `*`."
    return ""


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _file_gaps(document: Document, folder: Path) -> Iterator[Gap]:
    """Files and folders that are named but are not there."""
    build, scoring = document.get("build"), document.get("code_configuration")
    if isinstance(document.get("conda_file"), str):
        yield from _missing(folder, str(document["conda_file"]), "conda_file")
    if isinstance(document.get("code"), str):
        yield from _missing(folder, str(document["code"]), "code")
    if isinstance(build, dict):
        dockerfile = Path(str(build.get("path", "."))) / str(build.get("dockerfile_path", "Dockerfile"))
        yield from _missing(folder, dockerfile.as_posix(), "build.dockerfile_path")
    if isinstance(scoring, dict) and not _REMOTE.match(str(scoring.get("code", "."))):
        script = Path(str(scoring.get("code", "."))) / str(scoring.get("scoring_script", ""))
        yield from _missing(folder, script.as_posix(), "code_configuration.scoring_script")


def _missing(folder: Path, path: str, key: str) -> Iterator[Gap]:
    if not _REMOTE.match(path) and not (folder / path).exists():
        yield key, f"{key} leads to {path}, which does not exist: correct it, or add the file."


def _command_gaps(document: Document) -> Iterator[Gap]:
    """References of a job's command that nothing declares; the SDK checks those of components alone."""
    trial = document.get("trial")
    holders = [("", document), *([("trial.", trial)] if isinstance(trial, dict) else [])]
    for prefix, holder in holders:
        for kind, name in _REFERENCE.findall(str(holder.get("command", ""))):
            if name not in {*_keys(document, kind), *_keys(holder, kind)}:
                yield f"{prefix}command", f"The command names {kind}.{name}, which is not declared: declare it."


def _keys(holder: Document, kind: str) -> Collection[object]:
    value = holder.get(kind)
    return value.keys() if isinstance(value, dict) else ()


def _duration_gaps(value: object, path: str) -> Iterator[Gap]:
    if isinstance(value, dict):
        for key, inner in value.items():
            place = f"{path}.{key}" if path else str(key)
            if key in _DURATIONS and not (isinstance(inner, str) and _DURATION.match(inner)):
                yield place, f"{key} {inner} is no duration: write it as P7D."
            yield from _duration_gaps(inner, place)
