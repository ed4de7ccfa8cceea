"""Compares the body of a resource with what Azure's resource manager takes."""

import difflib
from collections.abc import Iterator

from mlops_new.lint.bicep_models import KNOWN_TYPES, Field, Shape, body_shape, resolved
from mlops_new.lint.bicep_tree import Node, inner, key_of, line_of, literal, meant, properties, text_of

Fault = tuple[int, str]

# What Bicep itself reads in a body, and what each type of resource may have there.
_OF_BICEP = frozenset(["name", "parent", "scope", "dependsOn", "asserts"])
_COMMON = frozenset(
    ["location", "tags", "identity", "sku", "kind", "zones", "plan", "managedBy", "extendedLocation", "eTag"]
)
_NEAR = 0.9
_KINDS = {"string": "str", "number": "int", "boolean": "bool"}
_TAKES = {"str": {"str"}, "int": {"int"}, "float": {"int"}, "bool": {"bool"}, "iso-8601": {"str"}}


def body_faults(kind: str, body: Node) -> Iterator[Fault]:
    """What is wrong with the body of a resource, with its line."""
    shape = body_shape(kind)
    if shape is None:
        if named := _nearly(kind):
            yield line_of(body), f"There is no type {kind}. Did you mean {named!r}?"
        return
    if all(key_of(key) != "name" for key, _ in properties(body)):
        yield line_of(body), f"The {kind} has no name: give it one."
    yield from _object_faults(shape, body, kind, is_top=True)


def _nearly(kind: str) -> str:
    """The known type that a type is but for a slip in one of its parts."""
    parts = kind.lower().split("/")
    for known, name in KNOWN_TYPES.items():
        pairs = [(one, two) for one, two in zip(parts, known.split("/"), strict=False) if one != two]
        is_as_long = len(parts) == known.count("/") + 1
        if is_as_long and len(pairs) == 1 and difflib.SequenceMatcher(None, *pairs[0]).ratio() >= _NEAR:
            return name
    return ""


def _object_faults(shape: Shape, body: Node, place: str, *, is_top: bool = False) -> Iterator[Fault]:
    given = {key_of(key): (key, value) for key, value in properties(body)}
    fields = dict(shape.fields)
    if shape.kinds and shape.discriminator in given:
        chosen = literal(given[shape.discriminator][1])
        if chosen is not None and chosen not in shape.kinds:
            yield (
                line_of(given[shape.discriminator][0]),
                f"{place}.{shape.discriminator} cannot be {chosen!r}. {meant(chosen, shape.kinds)}",
            )
            return
        if chosen is not None:
            fields |= (resolved(shape.kinds[chosen]) or Shape()).fields
    is_open = shape.is_open or any(key in (None, "_spread") for key in given) or not fields
    is_undecided = bool(shape.kinds) and literal(given.get(shape.discriminator, (None, None))[1]) is None
    for name, (key, value) in given.items():
        if name is None or name == "_spread" or (is_top and name in _OF_BICEP):
            continue
        known = fields.get(name)
        if known is not None:
            yield from _value_faults(known, value, f"{place}.{name}", is_common=is_top and name in _COMMON)
        elif not is_open and not is_undecided and not (is_top and name in _COMMON):
            yield line_of(key), f"{place} takes no property {name!r}. {meant(name, fields)}"
    for name, known in fields.items() if not is_open else ():
        if known.is_required and name not in given and not (is_top and name in _OF_BICEP):
            yield line_of(body), f"{place} lacks {name!r}: give it."


def _value_faults(known: Field, value: Node, place: str, *, is_common: bool) -> Iterator[Fault]:
    if known.is_read_only and not is_common:
        yield line_of(value), f"{place} is decided by Azure: remove it."
        return
    while value.type == "parenthesized_expression":
        value = inner(value)[0]
    if value.type == "ternary_expression":
        for branch in ("consequence", "alternative"):
            yield from _value_faults(known, value.child_by_field_name(branch), place, is_common=is_common)
        return
    shape = resolved(known.shape)
    if known.is_list or known.is_map:
        yield from _several_faults(known, shape, value, place)
    elif shape is not None and value.type == "object":
        yield from _object_faults(shape, value, place)
    else:
        yield from _plain_faults(known, value, place)


def _several_faults(known: Field, shape: Shape | None, value: Node, place: str) -> Iterator[Fault]:
    wrong = {"string", "number", "boolean", "object" if known.is_list else "array"}
    if value.type in wrong:
        yield line_of(value), f"{place} takes {'a list' if known.is_list else 'an object'}, not {text_of(value)[:40]}."
        return
    if value.type == "for_statement":
        items = [inner(value)[-1]]
    elif value.type == "object":
        items = [item for _, item in properties(value)]
    else:
        items = inner(value) if value.type == "array" else []
    for item in items:
        if shape is not None and item.type == "object":
            yield from _object_faults(shape, item, f"{place}[]")


def _plain_faults(known: Field, value: Node, place: str) -> Iterator[Fault]:
    kind, text = _KINDS.get(value.type), literal(value)
    if kind and known.kind in _TAKES and kind not in _TAKES[known.kind]:
        yield line_of(value), f"{place} takes a value of the type {known.kind}, not {text_of(value)[:40]}."
    elif kind and known.shape is not None and isinstance(resolved(known.shape), Shape) and not known.values:
        yield line_of(value), f"{place} takes an object, not {text_of(value)[:40]}."
    elif text is not None and known.values and text.lower() not in {item.lower() for item in known.values}:
        yield line_of(value), f"{place} cannot be {text!r}. {meant(text, known.values)}"
