"""Checks of the catalog itself, before anything is rendered."""

import re
from collections.abc import Iterator
from pathlib import Path

from mlops_new.answers import legal_combinations
from mlops_new.check.findings import Finding
from mlops_new.model import Catalog

LAYERS = "templates/layers"
AXES = ("ci", "iac")
NO_LAYER = "none"
PACKAGE = "{{package_name}}"
_FOLDER = re.compile(r"\A\{\{layer\.([a-z_]+)\}\}\Z")
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


def layer_paths(folder: Path) -> dict[str, Path]:
    """The files of a layer by the path that each has in a project, the package's name left open."""
    return {
        path.relative_to(folder).as_posix().removesuffix(".jinja"): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def used_layers(catalog: Catalog, pattern: str) -> set[frozenset[str]]:
    """The sets of layers that are on together in the legal combinations of a pattern."""
    manifest = catalog.patterns[pattern]
    return {
        frozenset({*manifest.layers, *(str(c[axis]) for axis in AXES if c.get(axis, NO_LAYER) != NO_LAYER)})
        for c in legal_combinations(catalog, catalog.organization, pattern)
    }


def check_names(catalog: Catalog) -> Iterator[Finding]:
    """Patterns, layers and questions that are named in one place and missing in another."""
    choices = set(catalog.questions["pattern"].choices.values())
    place = str(catalog.questions["pattern"].place)
    for name in sorted(choices ^ set(catalog.patterns)):
        missing = "has no manifest" if name in choices else "is no choice of the question pattern"
        yield Finding("names", place, f"The pattern {name} {missing}.")
    folders, listed = set(layer_folders(catalog.root)), set(_listed_layers(catalog))
    for name in sorted(folders | set(catalog.layers) | listed):
        for known, what in (
            (folders, "a folder in templates/layers"),
            (set(catalog.layers), "a manifest in templates/catalog/layers"),
            (listed, "an entry in the list of templates/questions/computed.yml"),
        ):
            if name not in known:
                yield Finding("names", f"layer {name}", f"The layer {name} lacks {what}.")
    for pattern in catalog.patterns.values():
        for name in pattern.layers:
            if name not in catalog.layers:
                yield Finding(
                    "names", str(pattern.place), f"The pattern {pattern.name} names an unknown layer, {name}."
                )
        for name in (*pattern.questions, *pattern.allowed):
            if name not in catalog.questions:
                yield Finding("names", str(pattern.place), f"{pattern.name} names an unknown question, {name}.")


def _listed_layers(catalog: Catalog) -> list[str]:
    text = catalog.questions["layer"].default if "layer" in catalog.questions else ""
    match = re.search(r"for name in \[([^\]]*)\]", text)
    return re.findall(r"'([a-z_]+)'", match.group(1)) if match else []


def check_layers_used(catalog: Catalog) -> Iterator[Finding]:
    """Layers that no legal combination turns on."""
    used = {name for pattern in catalog.patterns for layers in used_layers(catalog, pattern) for name in layers}
    for name in sorted(set(layer_folders(catalog.root)) - used):
        yield Finding("unused-layer", f"{LAYERS}/{{{{layer.{name}}}}}", f"No pattern or axis uses the layer {name}.")


def check_owners(catalog: Catalog) -> Iterator[Finding]:
    """Paths that two layers give in the same project: copier would let one overwrite the other silently."""
    folders = layer_folders(catalog.root)
    seen: set[tuple[str, str, str]] = set()
    for pattern in catalog.patterns:
        for layers in used_layers(catalog, pattern):
            owners: dict[str, str] = {}
            for layer in sorted(layers & set(folders)):
                for path, source in layer_paths(folders[layer]).items():
                    other = owners.setdefault(path, layer)
                    if other != layer and (path, other, layer) not in seen:
                        seen.add((path, other, layer))
                        place = source.relative_to(catalog.root).as_posix()
                        yield Finding(
                            "one-owner", place, f"{path} is given by the layer {other} as well as by {layer}."
                        )


def check_questions(catalog: Catalog) -> Iterator[Finding]:
    """Questions without a default, which a later update could not answer by itself."""
    for question in catalog.questions.values():
        if not question.has_default:
            yield Finding("default", str(question.place), f"The question {question.name} has no default.")


def check_sources(catalog: Catalog) -> Iterator[Finding]:
    """What makes a render differ from one time to the next, or a path that an update overlooks."""
    for folder in layer_folders(catalog.root).values():
        for source in layer_paths(folder).values():
            place = source.relative_to(catalog.root).as_posix()
            if source.name.removesuffix(".jinja") in _OVERLOOKED:
                yield Finding("update", place, f"`copier update` never removes a file named {source.name}.")
            if source.suffix == ".jinja" and (match := _IMPURE.search(source.read_text(encoding="utf-8"))):
                yield Finding("pure", place, f"{match.group()} gives another result each time.")


STRUCTURE_CHECKS = (check_names, check_layers_used, check_owners, check_questions, check_sources)
