"""What a schema cannot say about Azure Pipelines: that what is referred to exists, and that expressions can be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from mlops_new.errors import nearest
from mlops_new.lint.azure_pipelines_expressions import ExpressionError, inserted, loop_names, references
from mlops_new.lint.azure_pipelines_nodes import INSERTED, Fault, Value, is_dynamic, parameters_of, parse, plain_entries

_IDENTIFIER = re.compile(r"\A[A-Za-z_]\w*\Z")
_NUMERIC = ("timeoutInMinutes", "cancelTimeoutInMinutes", "retryCountOnTaskFailure", "maxParallel", "fetchDepth")
_IMAGES = {
    *("ubuntu-latest", "ubuntu-24.04", "ubuntu-22.04"),
    *("windows-latest", "windows-2025", "windows-2022"),
    *("macOS-latest", "macOS-15", "macOS-14"),
}
_POOL = {"name", "vmImage", "demands"}
_FILES = {"scriptPath": ("AzureCLI", "AzurePowerShell"), "filePath": ("Bash", "PowerShell")}
_RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_KINDS = ("stages", "jobs", "steps", "variables")


def semantic_faults(file: Value, path: str, folder: Path) -> Iterator[Fault]:
    """What is wrong with a file besides its shape; `path` is relative to the folder of the repository."""
    yield from _expressions(file)
    yield from _units(file, "stages", ("stage",))
    for node in file.walk():
        yield from _units(node, "jobs", ("job", "deployment"))
        yield from _step_names(node)
        yield from _scalars(node, folder)
    yield from _templates(file, path, folder)
    for schedule in file.children("schedules"):
        yield from _cron(schedule)


def _expressions(file: Value) -> Iterator[Fault]:
    """Expressions that cannot be read, and parameters that nothing declares."""
    declared = parameters_of(file)
    texts = [(node.line, node.text) for node in file.walk() if node.text]
    texts += [(line, key) for node in file.walk() for key, line, _ in node.entries or () if "${{" in key]
    roots = {name for _, text in texts for name in loop_names(text)}
    for line, text in texts:
        for expression in inserted(text):
            yield from _expression(line, expression, declared, roots, in_condition=False)
        if text.count("${{") != len(INSERTED.findall(text)):
            yield Fault(line, "azp-expression", "A ${{ has no }} that ends it: add it.")
        if match := re.fullmatch(r"\$\[(.*)\]", text, re.DOTALL):
            yield from _expression(line, match[1].strip(), None, roots, in_condition=True)
    for node in file.walk():
        condition = node.get("condition")
        if condition and condition.text and not node.get("parameters"):
            yield from _expression(condition.line, condition.text, None, roots, in_condition=True)


def _expression(
    line: int, text: str, declared: Mapping[str, Value] | None, roots: set[str], *, in_condition: bool
) -> Iterator[Fault]:
    try:
        found = references(text, roots, in_condition=in_condition)
    except ExpressionError as error:
        yield Fault(line, "azp-expression", f"{text!r} is no expression. {error}")
        return
    for reference in found:
        root, *rest = reference.path
        if root.lower() == "parameters" and in_condition:
            yield Fault(line, "azp-expression", "A condition knows no parameters: write ${{ parameters.x }}.")
        elif root.lower() == "parameters" and rest and declared is not None and rest[0] not in {*declared, "*"}:
            hint = nearest(rest[0], declared) if declared else "The file declares none."
            yield Fault(line, "azp-parameter", f"The parameter {rest[0]} is not declared. {hint}")


def _units(node: Value, key: str, names: Sequence[str]) -> Iterator[Fault]:
    """Stages or jobs that wait for one that is not there, or that share a name."""
    units = node.children(key)
    known: dict[str, list[str]] = {}
    is_open = any(unit.get("template") or unit.text is not None for unit in units)
    for unit in units:
        name = next((unit.texts(word) for word in names if unit.texts(word)), "")
        if name and not is_dynamic(name) and not _IDENTIFIER.match(name):
            yield Fault(unit.line, "azp-name", f"The name {name} may hold letters, digits and _ only: correct it.")
        if name and name in known:
            yield Fault(unit.line, "azp-name", f"The name {name} stands here twice: change one.")
        known[name] = [text for text, _ in _needs(unit)]
    for unit in units:
        name = next((unit.texts(word) for word in names if unit.texts(word)), "")
        for target, line in _needs(unit):
            if target == name:
                yield Fault(line, "azp-depends-on", f"{name} waits for itself: correct it.")
            elif target not in known and not is_open and not is_dynamic(target):
                others = [other for other in known if other and other != name]
                hint = nearest(target, others) if others else "There is no other."
                yield Fault(line, "azp-depends-on", f"{name} waits for {target}, which is not there. {hint}")
        yield from _dependencies(unit, name, [target for target, _ in _needs(unit)])
    if cycle := _cycle(known):
        line = min(unit.line for unit in units if any(unit.texts(word) == cycle[0] for word in names))
        yield Fault(line, "azp-depends-on", f"These wait for each other: {', '.join(cycle)}.")


def _needs(unit: Value) -> list[tuple[str, int]]:
    value = unit.get("dependsOn")
    if value is None:
        return []
    if value.text is not None:
        return [(value.text, value.line)] if value.text else []
    return [(item.text, item.line) for item in value.items or () if item.text]


def _cycle(known: Mapping[str, Sequence[str]]) -> list[str]:
    """The units that wait for each other: what is left without those that wait for none or none waits for."""
    left = {name: {need for need in needs if need in known and need != name} for name, needs in known.items()}
    while True:
        needed = {need for needs in left.values() for need in needs}
        kept = {name: needs & left.keys() for name, needs in left.items() if needs and name in needed}
        if kept == left:
            return sorted(left)
        left = {name: needs & kept.keys() for name, needs in kept.items()}


def _dependencies(unit: Value, name: str, needs: Sequence[str]) -> Iterator[Fault]:
    """Conditions on the result of something that is not waited for: it would be empty."""
    condition = unit.get("condition")
    text = condition.text if condition else None
    if condition is None or not text or unit.get("dependsOn") is None:
        return
    for target in re.findall(r"\bdependencies\.(\w+)", text):
        if target not in needs and not is_dynamic("".join(needs)):
            message = f"The condition of {name} asks for {target}, which it does not wait for: add it to dependsOn."
            yield Fault(condition.line, "azp-depends-on", message)


def _step_names(node: Value) -> Iterator[Fault]:
    """Steps of a job that share a name, and outputs of steps that the job has not."""
    steps = node.children("steps")
    names = [step.texts("name") for step in steps if step.texts("name")]
    for number, step in enumerate(steps):
        name = step.texts("name")
        if name and name in [other.texts("name") for other in steps[:number]]:
            yield Fault(step.line, "azp-name", f"The name {name} stands here twice: change one.")
        condition = step.texts("condition")
        for used in re.findall(r"variables\['(\w+)\.\w+'\]", condition):
            if used not in names and used.lower() not in {"build", "system", "agent", "pipeline", "environment"}:
                hint = nearest(used, names) if names else "No step here has a name."
                yield Fault(step.line, "azp-output", f"No step here is named {used}, whose output is asked for. {hint}")


def _scalars(node: Value, folder: Path) -> Iterator[Fault]:
    """Values that the schema takes for texts, and the service for more."""
    for key, _, value in plain_entries(node):
        text = value.text or ""
        if key in _NUMERIC and value.text is not None and not is_dynamic(text) and not re.fullmatch(r"\d+", text):
            yield Fault(value.line, "azp-number", f"{key} is {text!r}, which is no number of the kind: give one.")
        if key == "persistCredentials" and text.lower() == "true":
            message = "The token stays in the checkout, where every later step can read it: leave the key out."
            yield Fault(value.line, "azp-credentials", message)
        if key in {"azureSubscription", "ConnectedServiceName"} and re.search(r"\$[(\[]", text):
            message = f"A service connection cannot be named by a variable, {text}: name it, or use a parameter."
            yield Fault(value.line, "azp-connection", message)
        if key == "pool":
            yield from _pool(value)
    task, inputs = node.texts("task"), node.get("inputs")
    for key, tasks in _FILES.items():
        script = inputs.get(key) if inputs and task.startswith(tasks) else None
        if script and script.text and not is_dynamic(script.text) and not (folder / script.text).is_file():
            yield Fault(script.line, "azp-file", f"There is no file {script.text}: correct the path.")


def _pool(pool: Value) -> Iterator[Fault]:
    for key, line, value in plain_entries(pool):
        text = value.text or ""
        if key not in _POOL and "${{" not in key:
            yield Fault(line, "azp-schema", f"A pool has no key {key}. {nearest(key, _POOL)}")
        if key == "vmImage" and text and not is_dynamic(text) and text not in _IMAGES:
            message = f"There is no hosted image {text}, or no longer. {nearest(text, _IMAGES)}"
            yield Fault(value.line, "azp-image", message)


def _templates(file: Value, path: str, folder: Path) -> Iterator[Fault]:
    aliases = {"self"}
    for resource in (file.get("resources") or Value(0)).children("repositories"):
        aliases.add(resource.texts("repository"))
        ref = resource.texts("ref")
        if ref.startswith("refs/heads/") or not ref:
            message = (
                f"The repository {resource.texts('repository')} is taken at whatever its branch holds: name a tag."
            )
            yield Fault(resource.line, "azp-unpinned", message)
    for place, node in _places(file, ""):
        template = node.get("template")
        if template is None or not template.text or is_dynamic(template.text):
            continue
        name, _, alias = template.text.partition("@")
        if alias and alias not in aliases:
            yield Fault(template.line, "azp-template", f"The repository {alias} is not declared under resources.")
        if alias and alias != "self":
            continue
        base = PurePosixPath() if name.startswith("/") or alias else PurePosixPath(path).parent
        target = folder / base / name.lstrip("/")
        if not target.is_file():
            yield Fault(template.line, "azp-template", f"There is no template {name}: correct the path.")
            continue
        inner, _ = parse(target.read_text(encoding="utf-8"))
        yield from _template_use(node, place, inner or Value(1, entries=()))


def _places(node: Value, place: str) -> Iterator[tuple[str, Value]]:
    """Every node with the list or key that it stands under."""
    yield place, node
    for item in node.items or ():
        yield from _places(item, place)
    for key, _, value in node.entries or ():
        yield from _places(value, key if key in {*_KINDS, "extends"} else place)


def _template_use(node: Value, place: str, target: Value) -> Iterator[Fault]:
    """A use of a template: that it is one of the kind, and that its parameters are given as declared."""
    name, line = node.texts("template"), node.line
    if place in _KINDS and target.get(place) is None:
        yield Fault(line, "azp-template", f"The template {name} has no {place}, which are asked for here.")
    declared = parameters_of(target)
    given = node.get("parameters")
    entries = list(plain_entries(given)) if given else []
    for key, at, value in entries:
        if key not in declared and "${{" not in key:
            hint = nearest(key, declared) if declared else "It declares none."
            yield Fault(at, "azp-parameter", f"The template {name} has no parameter {key}. {hint}")
        elif key in declared:
            yield from _given(declared[key], key, value)
    is_open = any("${{" in key for key, _, _ in (given.entries if given else None) or ())
    for key, declaration in declared.items():
        if declaration.get("default") is None and key not in {name for name, _, _ in entries} and not is_open:
            yield Fault(line, "azp-parameter", f"The template {name} needs the parameter {key}: give it.")


def _given(declaration: Value, key: str, value: Value) -> Iterator[Fault]:
    text, kind = value.text, declaration.texts("type").lower()
    if text is None or is_dynamic(text):
        return
    if kind == "number" and not re.fullmatch(r"-?\d+(\.\d+)?", text):
        yield Fault(value.line, "azp-parameter", f"The parameter {key} is a number, not {text!r}.")
    if kind == "boolean" and text.lower() not in {"true", "false"}:
        yield Fault(value.line, "azp-parameter", f"The parameter {key} is true or false, not {text!r}.")
    values = [item.text for item in declaration.children("values")]
    if values and text not in values:
        yield Fault(value.line, "azp-parameter", f"The parameter {key} is one of {', '.join(map(str, values))}.")


def _cron(schedule: Value) -> Iterator[Fault]:
    value = schedule.get("cron")
    fields = (value.text or "").split() if value else []
    if value is None:
        return
    if len(fields) != len(_RANGES):
        yield Fault(value.line, "azp-cron", f"{value.text!r} has {len(fields)} fields, not five.")
        return
    for field, (least, most) in zip(fields, _RANGES, strict=True):
        numbers = [int(number) for number in re.findall(r"\d+", field.partition("/")[0])]
        if not re.fullmatch(r"[\w*/,-]+", field) or any(not least <= number <= most for number in numbers):
            yield Fault(value.line, "azp-cron", f"{field!r} in {value.text!r} is no number from {least} to {most}.")
