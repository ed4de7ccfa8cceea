"""Reads a catalog from its folder: questions, manifests, rules, ownership, organization."""

import re
from collections.abc import Mapping
from pathlib import Path

from mlops_new.errors import CatalogError
from mlops_new.model import Catalog, Layer, LocalCost, Organization, Pattern, Place, Question, Rule, Stage, Verb
from mlops_new.yaml_nodes import Reader, read_list, read_mapping, read_text

MANIFESTS = "templates/catalog"
LAYER_MANIFESTS = "templates/catalog/layers"
OWNERSHIP = "templates/ownership.yml"
ORGANIZATION = "organization.yml"
RULES = "templates/catalog/rules.yml"
LAYERING = "templates/catalog/layering.yml"
# Data beside the manifests that no pattern is named after.
NO_PATTERN = frozenset({"actions", "classification", "delivery", "layering", "rules"})
_INCLUDE = re.compile(r"^!include (\S+)$", re.MULTILINE)
_QUESTION_KEYS = {"type", "help", "choices", "default", "validator", "when", "multiselect", "placeholder", "secret"}


def load_catalog(root: Path) -> Catalog:
    """Read the catalog in a folder.

    Raises:
        CatalogError: The folder holds no catalog, or a file of it is wrong; the message names file and line.
    """
    if not (root / "copier.yml").is_file():
        raise CatalogError(f"{root} holds no catalog: it has no copier.yml.", "Give the folder of a catalog.")
    ownership = read_mapping(root, OWNERSHIP, "the ownership table")
    ownership.only({"_skip_if_exists", "_shared"})
    return Catalog(
        root=root,
        questions=_questions(root),
        patterns={path.stem: _pattern(root, path) for path in manifest_files(root)},
        layers={path.stem: _layer(root, path) for path in sorted((root / LAYER_MANIFESTS).glob("*.yml"))},
        rules=tuple(_rule(entry) for entry in read_list(root, RULES, "a rule")),
        layering=_layering(read_mapping(root, LAYERING, "the list of layers that follow from others")),
        seed=ownership.texts("_skip_if_exists"),
        shared=ownership.texts("_shared"),
        organization=_organization(read_mapping(root, ORGANIZATION, "the organization file")),
    )


def manifest_files(root: Path) -> list[Path]:
    """The manifests of patterns in a catalog's folder."""
    return sorted(path for path in (root / MANIFESTS).glob("*.yml") if path.stem not in NO_PATTERN)


def load_organization(path: Path) -> Organization:
    """Read an organization file from anywhere."""
    return _organization(read_mapping(path.parent, path.name, "the organization file"))


def _questions(root: Path) -> dict[str, Question]:
    includes = _INCLUDE.findall(read_text(root, "copier.yml"))
    found: dict[str, Question] = {}
    for path in (include for include in includes if include != OWNERSHIP):
        if not (root / path).resolve().is_relative_to(root.resolve()):
            raise CatalogError(f"copier.yml includes {path}, which lies outside of the catalog.", "Move it inside.")
        for name, reader in read_mapping(root, path, "the questionnaire").children().items():
            if name in found:
                raise reader.error(None, "is asked twice", f"It is asked in {found[name].place} already.")
            found[name] = _question(name, reader)
    return found


def _question(name: str, reader: Reader) -> Question:
    reader.only({"type"}, _QUESTION_KEYS)
    choices = reader.raw("choices", {})
    if isinstance(choices, list):
        choices = {choice: choice for choice in choices}
    if not isinstance(choices, dict) or not all(isinstance(value, str) for value in choices.values()):
        raise reader.error("choices", "has choices that are no texts", "Put each value in quotes.")
    when = reader.raw("when")
    return Question(
        name=name,
        kind=reader.text("type"),
        help=reader.text("help", ""),
        choices={str(label): str(value) for label, value in choices.items()},
        default=str(reader.raw("default", "")),
        has_default=reader.raw("default") is not None,
        is_computed=when is False,
        is_conditional=isinstance(when, str),
        place=Place(reader.path, reader.place().line - 1),
    )


def _pattern(root: Path, path: Path) -> Pattern:
    reader = read_mapping(root, path.relative_to(root).as_posix(), f"the manifest of {path.stem}")
    lists = {"use_when", "avoid_when", "layers", "questions", "pipelines"}
    reader.only({"title", "summary", "status", "since", "allowed", "stages", "local_cost"} | lists)
    if reader.text("status") not in ("experimental", "stable", "retired"):
        raise reader.error("status", "has an unknown status", "Use experimental, stable or retired.")
    stages = {}
    for name, stage in reader.child("stages").children().items():
        stage.only({"does", "laptop", "azure"})
        stages[name] = Stage(stage.text("does"), stage.text("laptop"), stage.text("azure"))
    cost = reader.child("local_cost")
    cost.only({"minutes", "disk_gb"})
    return Pattern(
        name=path.stem,
        title=reader.text("title"),
        summary=reader.text("summary"),
        status=reader.text("status"),
        since=reader.text("since"),
        use_when=reader.texts("use_when"),
        avoid_when=reader.texts("avoid_when"),
        layers=reader.texts("layers"),
        questions=reader.texts("questions"),
        allowed=reader.texts_map("allowed"),
        stages=stages,
        pipelines=reader.texts("pipelines"),
        local_cost=LocalCost(cost.number("minutes"), cost.number("disk_gb")),
        place=reader.place(),
    )


def _layer(root: Path, path: Path) -> Layer:
    reader = read_mapping(root, path.relative_to(root).as_posix(), f"the manifest of the layer {path.stem}")
    reader.only({"summary", "dependencies", "dev_dependencies", "verbs"})
    return Layer(
        name=path.stem,
        summary=reader.text("summary"),
        dependencies=reader.texts("dependencies"),
        dev_dependencies=reader.texts("dev_dependencies"),
        verbs={name: _verb(verb) for name, verb in reader.child("verbs").children().items()},
        place=reader.place(),
    )


def _verb(reader: Reader) -> Verb:
    reader.only({"help"}, {"module", "args", "cmd", "sequence"})
    kinds = [kind for kind in ("module", "cmd", "sequence") if reader.raw(kind) is not None]
    if len(kinds) != 1:
        raise reader.error(None, "has none or several of module, cmd and sequence", "Give exactly one.")
    texts = {key: reader.text(key, "") for key in ("module", "args", "cmd")}
    return Verb(help=reader.text("help"), sequence=reader.texts("sequence"), **texts)


def _rule(reader: Reader) -> Rule:
    reader.only({"question", "when", "allowed", "reason"})
    return Rule(reader.text("question"), reader.texts_map("when"), reader.texts("allowed"), reader.text("reason"))


def _layering(reader: Reader) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    groups = {name: reader.groups(name) for name in reader.names()}
    for name, causes in groups.items():
        if not causes or not all(causes):
            raise reader.error(name, f"turns {name} on for no layers", f"Name the layers, for example {name}: [[ops]].")
    return groups


def _organization(reader: Reader) -> Organization:
    reader.only(set(), {"defaults", "require", "forbid", "naming", "tags"})
    naming = reader.child("naming")
    naming.only(set(), {"prefix"})
    return Organization(
        defaults=reader.text_map("defaults"),
        require=reader.text_map("require"),
        forbid=reader.texts_map("forbid"),
        prefix=naming.text("prefix", ""),
        tags=reader.text_map("tags"),
        source=reader.path,
    )
