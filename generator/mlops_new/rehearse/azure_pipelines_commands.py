"""What a script tells the agent in its output: `##vso[area.event name=value;…]data`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mlops_new.errors import nearest
from mlops_new.model import Place
from mlops_new.rehearse.azure_pipelines_model import StepState, fault
from mlops_new.rehearse.azure_pipelines_variables import Variables

_PREFIX = "##vso["
_ESCAPES = (("%3B", ";"), ("%0D", "\r"), ("%0A", "\n"), ("%5D", "]"), ("%AZP25", "%"))
_KEYS: Mapping[str, tuple[str, ...]] = {
    "task.addattachment": ("type", "name"),
    "task.complete": ("result",),
    "task.logissue": ("type", "sourcepath", "linenumber", "columnnumber", "code"),
    "task.prependpath": (),
    "task.setsecret": (),
    "task.setvariable": ("variable", "isoutput", "issecret"),
    "task.uploadsummary": (),
}


@dataclass(frozen=True, slots=True)
class _Command:
    name: str
    properties: Mapping[str, str]
    data: str


@dataclass(slots=True)
class Told:
    """What the commands of a job have come to; `outputs` by step and variable, `failure` of the step under way."""

    variables: Variables
    outputs: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    issues: list[str] = field(default_factory=list)
    attachments: dict[str, str] = field(default_factory=dict)
    result: StepState | None = None
    failure: str = ""

    def follow(self, output: str, step: str, place: Place) -> None:
        """Do what the output of a step says; `step` is its name, or nothing.

        Raises:
            PipelineError: It says something that the rehearsal does not know.
        """
        self.result, self.failure = None, ""
        for command in _commands(output):
            if command.name not in _KEYS:
                problem = f"the step tells the agent {command.name}, which the rehearsal does not know"
                raise fault(place, problem, nearest(command.name, _KEYS))
            for key in command.properties:
                if key not in _KEYS[command.name]:
                    problem = f"the step tells the agent {command.name} with {key}, which the rehearsal does not know"
                    raise fault(
                        place, problem, nearest(key, _KEYS[command.name]) if _KEYS[command.name] else "Drop it."
                    )
            _ACTIONS[command.name](self, command, step)


def _commands(output: str) -> Iterator[_Command]:
    for line in output.splitlines():
        _, prefix, rest = line.partition(_PREFIX)
        head, end, data = rest.partition("]")
        if not prefix or not end:
            continue
        name, _, properties = head.partition(" ")
        pairs = [pair.partition("=") for pair in properties.split(";") if pair.strip()]
        values = {key.strip().lower(): _unescape(value) for key, _, value in pairs if value}
        yield _Command(name.lower(), values, _unescape(data))


def _unescape(text: str) -> str:
    for escape, character in _ESCAPES:
        text = text.replace(escape, character)
    return text


def _set_variable(told: Told, command: _Command, step: str) -> None:
    name = command.properties.get("variable", "")
    if not name:
        told.failure = "task.setvariable names no variable."
        return
    is_secret = command.properties.get("issecret", "").lower() == "true"
    if command.properties.get("isoutput", "").lower() != "true":
        told.variables.set(name, command.data, is_secret=is_secret)
    elif step:  # nobody can ask for the output of a step without a name
        told.variables.set(f"{step}.{name}", command.data, is_secret=is_secret)
        told.outputs[f"{step}.{name}"] = command.data


def _attach(told: Told, command: _Command, _step: str) -> None:
    path = Path(command.data.strip())
    if not path.is_file():
        told.failure = f"{command.name}: there is no file {path}."
        return
    told.attachments[command.properties.get("name", path.name)] = path.read_text(encoding="utf-8", errors="replace")


def _log_issue(told: Told, command: _Command, _step: str) -> None:
    kind = command.properties.get("type", "").lower()
    if kind not in {"error", "warning"}:
        told.failure = f"task.logissue has the type {kind!r}, and not error or warning."
        return
    told.issues.append(f"{kind}: {command.data}")


def _complete(told: Told, command: _Command, _step: str) -> None:
    states: Mapping[str, StepState] = {"succeeded": "Succeeded", "failed": "Failed"}
    said = command.properties.get("result", "").lower()
    if said not in states:
        told.failure = f"task.complete has the result {said!r}, which the rehearsal does not know."
        return
    told.result = states[said]


_ACTIONS: Mapping[str, Callable[[Told, _Command, str], None]] = {
    "task.addattachment": _attach,
    "task.complete": _complete,
    "task.logissue": _log_issue,
    "task.prependpath": lambda told, command, _step: told.paths.insert(0, command.data.strip()),
    "task.setsecret": lambda told, command, _step: told.variables.mask(command.data),
    "task.setvariable": _set_variable,
    "task.uploadsummary": _attach,
}
