"""Checks of the catalog itself, before anything is rendered."""

import re
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from mlops_new.answers import legal_combinations
from mlops_new.catalog import LAYER_MANIFESTS, LAYERING, RULES
from mlops_new.check.findings import Finding
from mlops_new.errors import nearest
from mlops_new.model import Catalog
from mlops_new.yaml_nodes import read_text

LAYERS = "templates/layers"
QUESTIONS = "templates/questions"
LAYER_LIST = f"{QUESTIONS}/computed.yml"
AXES = ("ci", "iac")
NO_LAYER = "none"
PACKAGE = "{{package_name}}"
_FOLDER = re.compile(r"\A\{\{layer\.([a-z_]+)\}\}\Z")
# What Jinja evaluates.
_CODE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}", re.DOTALL)
_IMPURE = re.compile(r"_folder_name|_external_data|\bnow\(|ans_random|\|\s*random|make_secret|to_uuid")
# `copier update` compares folders with a function that overlooks files of these names.
_OVERLOOKED = {"RCS", "CVS", "tags"}


def layer_folders(root: Path) -> dict[str, Path]:
    """The folder of each layer by the layer's name."""
    folders = {}
    for path in sorted((root / LAYERS).iterdir()):
        match = _FOLDER.match(path.name)
        if match:
            folders[match.group(1)] = path
    return folders


def layer_paths(folder: Path) -> list[tuple[str, Path]]:
    """The files of a layer, each after the path that it has in a project, the package's name left open."""
    return [
        (path.relative_to(folder).as_posix().removesuffix(".jinja"), path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part == "__pycache__" or part.endswith("_cache") for part in path.parts)
    ]


def used_layers(catalog: Catalog, pattern: str) -> set[frozenset[str]]:
    """The sets of layers that are on together in the legal combinations of a pattern."""
    manifest = catalog.patterns[pattern]
    return {
        frozenset(
            catalog.with_following(
                (*manifest.layers, *(str(c[axis]) for axis in AXES if c.get(axis, NO_LAYER) != NO_LAYER))
            )
        )
        for c in legal_combinations(catalog, catalog.organization, pattern)
    }


def check_names(catalog: Catalog) -> Iterator[Finding]:
    """Patterns, layers and questions that are named in one place and missing in another."""
    choices = set(catalog.questions["pattern"].choices.values())
    place = str(catalog.questions["pattern"].place)
    for name in sorted(choices ^ set(catalog.patterns)):
        missing = "has no manifest" if name in choices else "is no choice of the question pattern"
        yield Finding("names", place, f"The pattern {name} {missing}: add it, or remove the other.")
    for pattern in catalog.patterns.values():
        for name in pattern.layers:
            if name not in catalog.layers:
                message = f"The pattern {pattern.name} names an unknown layer, {name}: correct it, or add its manifest."
                yield Finding("names", str(pattern.place), message)
        for name in (*pattern.questions, *pattern.allowed):
            if name not in catalog.questions:
                message = f"The pattern {pattern.name} names an unknown question, {name}: correct it."
                yield Finding("names", str(pattern.place), message)


def check_layering(catalog: Catalog) -> Iterator[Finding]:
    """Layers that follow from others, where one of them is no layer or would be on too late to count."""
    names = list(catalog.layering)
    for number, (name, groups) in enumerate(catalog.layering.items()):
        place = f"{LAYERING}:{_key_line(catalog, LAYERING, name)}"
        causes = [cause for group in groups for cause in group]
        for known in (known for known in (name, *causes) if known not in catalog.layers):
            message = f"{known!r} is no layer of this catalog. {nearest(known, catalog.layers)}"
            yield Finding("names", place, message)
        if name in causes:
            yield Finding("names", place, f"{name} follows from itself: name the layers that turn it on.")
        for later in (later for later in causes if later in names[number + 1 :]):
            message = f"{name} follows from {later}, which stands below it: move {name} below {later}."
            yield Finding("names", place, message)


def _key_line(catalog: Catalog, path: str, key: str) -> int:
    lines = enumerate(read_text(catalog.root, path).splitlines(), 1)
    return next((line for line, text in lines if text.startswith(f"{key}:")), 1)


def check_layer_names(catalog: Catalog) -> Iterator[Finding]:
    """Layers that lack their folder, their manifest or their entry in the list that copier reads."""
    folders, listed = layer_folders(catalog.root), set(_listed_layers(catalog))
    listing = str(catalog.questions["layer"].place) if "layer" in catalog.questions else LAYER_LIST
    for name in sorted({*folders, *catalog.layers, *listed}):
        manifest, folder = f"{LAYER_MANIFESTS}/{name}.yml", f"{LAYERS}/{{{{layer.{name}}}}}"
        known_at = manifest if name in catalog.layers else folder if name in folders else listing
        for is_there, what in (
            (name in folders, f"a folder, {folder}"),
            (name in catalog.layers, f"a manifest, {manifest}"),
            (name in listed, f"an entry in the list at {listing}"),
        ):
            if not is_there:
                yield Finding("names", known_at, f"The layer {name} lacks {what}: add it, or remove the layer.")


def _listed_layers(catalog: Catalog) -> list[str]:
    text = catalog.questions["layer"].default if "layer" in catalog.questions else ""
    match = re.search(r"for name in \[([^\]]*)\]", text)
    return re.findall(r"'([a-z_]+)'", match.group(1)) if match else []


def check_layers_used(catalog: Catalog) -> Iterator[Finding]:
    """Layers that no legal combination turns on."""
    used = {name for pattern in catalog.patterns for layers in used_layers(catalog, pattern) for name in layers}
    for name in sorted({*layer_folders(catalog.root), *catalog.layers} - used):
        place = str(catalog.layers[name].place) if name in catalog.layers else f"{LAYERS}/{{{{layer.{name}}}}}"
        yield Finding("unused-layer", place, f"No pattern or axis uses the layer {name}: name it, or remove it.")


def check_owners(catalog: Catalog) -> Iterator[Finding]:
    """Paths that two files of the catalog give in the same project: copier would let one overwrite the other.

    Paths that differ in capitals alone are one path on Windows and macOS.
    """
    files: dict[str, list[tuple[str, Path]]] = {}
    for layer, folder in layer_folders(catalog.root).items():
        for path, source in layer_paths(folder):
            files.setdefault(path.casefold(), []).append((layer, source))
    together = {layers for pattern in catalog.patterns for layers in used_layers(catalog, pattern)}
    for owners in files.values():
        for (one, first), (other, second) in combinations(owners, 2):
            if one == other or any({one, other} <= layers for layers in together):
                place, rival = (source.relative_to(catalog.root).as_posix() for source in (second, first))
                path = second.relative_to(layer_folders(catalog.root)[other]).as_posix().removesuffix(".jinja")
                yield Finding("one-owner", place, f"{path} is given by {rival} as well: keep it in one layer.")


def check_questions(catalog: Catalog) -> Iterator[Finding]:
    """Questions without a default, which a later update could not answer by itself."""
    for question in catalog.questions.values():
        if not question.has_default:
            message = f"The question {question.name} has no default: give one, which updates will answer."
            yield Finding("default", str(question.place), message)


def check_values(catalog: Catalog) -> Iterator[Finding]:
    """Rules, manifests and the organization that name a question or a value that nobody can answer."""
    for number, rule in enumerate(catalog.rules, 1):
        place = f"{RULES}:{_rule_line(catalog, number)}"
        for name, values in ((rule.question, rule.allowed), *rule.when.items()):
            yield from _unknown_values(catalog, place, name, values)
    for pattern in catalog.patterns.values():
        for name, values in pattern.allowed.items():
            yield from _unknown_values(catalog, str(pattern.place), name, values)
    organization = catalog.organization
    required = {name: (value,) for name, value in organization.require.items()}
    for name, values in (*required.items(), *organization.forbid.items()):
        yield from _unknown_values(catalog, organization.source, name, values)


def _unknown_values(catalog: Catalog, place: str, name: str, values: tuple[str, ...]) -> Iterator[Finding]:
    question = catalog.questions.get(name)
    if question is None:
        message = f"{name!r} is no question of this catalog. {nearest(name, catalog.questions)}"
        yield Finding("values", place, message)
    elif question.is_choice:
        for value in values:
            if value not in question.choices.values():
                known = nearest(value, question.choices.values())
                yield Finding("values", place, f"{value!r} is no choice of the question {name}. {known}")


def _rule_line(catalog: Catalog, number: int) -> int:
    lines = enumerate(read_text(catalog.root, RULES).splitlines(), 1)
    starts = [line for line, text in lines if text.startswith("- ")]
    return starts[number - 1] if number <= len(starts) else 1


def check_sources(catalog: Catalog) -> Iterator[Finding]:
    """What makes a render differ from one time to the next, or a path that an update overlooks."""
    for folder in layer_folders(catalog.root).values():
        for _, source in layer_paths(folder):
            place = source.relative_to(catalog.root).as_posix()
            if source.name.removesuffix(".jinja") in _OVERLOOKED:
                yield Finding("update", place, f"`copier update` never removes a file named {source.name}: rename it.")
            text = source.read_text(encoding="utf-8", errors="replace") if source.suffix == ".jinja" else ""
            for code in _CODE.finditer(text):
                if match := _IMPURE.search(code.group()):
                    line = text[: code.start() + match.start()].count("\n") + 1
                    message = f"{match.group()} gives another result each time: remove it."
                    yield Finding("pure", f"{place}:{line}", message)


STRUCTURE_CHECKS = (
    check_names,
    check_layering,
    check_layer_names,
    check_layers_used,
    check_owners,
    check_questions,
    check_values,
    check_sources,
)
