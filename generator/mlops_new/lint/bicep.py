"""The validator of Bicep: its names, its modules, and each resource's body against the models of Azure's own SDK.

No compiler of Bicep comes as a Python package. What this lets pass, `az bicep build` in a project's CI judges.
`python -m mlops_new.lint.bicep` checks the files here, or in the projects that stand here.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from mlops_new.errors import DONE, REFUSED, nearest
from mlops_new.lint.bicep_bodies import body_faults
from mlops_new.lint.bicep_modules import file_faults, module_faults
from mlops_new.lint.bicep_symbols import name_faults
from mlops_new.lint.bicep_tree import Node, body_of, first, line_of, literal, parse, properties, text_of, value_of, walk
from mlops_new.lint.diagnostics import Diagnostic, Severity
from mlops_new.lint.files import find_files

_SCOPES: Final = ("resourceGroup", "subscription", "managementGroup", "tenant")
_TYPE = re.compile(
    r"[A-Za-z][\w-]*(?:\.[\w-]+)+(?:/[\w-]+)+@\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:-[a-z]+)?"
)
_INNER_TYPE = re.compile(r"[\w-]+(?:/[\w-]+)*(?:@[\w-]+)?")
_SECRETS = re.compile(r"\b(?:listKeys|listSecrets|getSecret|listAccountSas|listServiceSas)\s*\(")
_KINDS = {"string": "string", "int": "number", "bool": "boolean", "array": "array", "object": "object"}


def recognises(path: str) -> bool:
    """Whether a path is one of Bicep."""
    return path.endswith(".bicep")


def faults(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """What is wrong with some files of Bicep.

    Raises:
        MissingExtraError: tree-sitter or a package of Azure's SDK is not installed.
    """
    for path in paths:
        root = parse((folder / path).read_bytes())
        broken = next((node for node in walk(root) if node.type == "ERROR" or node.is_missing), None)
        if broken is not None:
            said = text_of(broken).split("\n", maxsplit=1)[0][:40]
            yield Diagnostic(
                path, line_of(broken), "bicep-syntax", "high", f"It cannot be parsed here: {said!r}. Mend it."
            )
            continue
        for line, message in name_faults(root):
            severity: Severity = "low" if message.startswith("Nobody uses") else "high"
            yield Diagnostic(path, line, "bicep-names", severity, message)
        for line, message in _declaration_faults(root):
            yield Diagnostic(path, line, "bicep-declarations", "high", message)
        for line, message in (*module_faults(folder / path, root), *file_faults(folder / path, root)):
            yield Diagnostic(path, line, "bicep-modules", "high", message)
        for line, message in _resource_faults(root):
            yield Diagnostic(path, line, "bicep-resources", "medium", message)


def _declaration_faults(root: Node) -> Iterator[tuple[int, str]]:
    for node in root.children:
        if node.type == "target_scope_assignment":
            scope = next((literal(child) for child in node.children if child.type == "string"), None)
            if scope is not None and scope not in _SCOPES:
                yield line_of(node), f"There is no scope {scope!r}. {nearest(scope, _SCOPES)}"
        elif node.type in {"parameter_declaration", "output_declaration"}:
            yield from _typed_faults(node)


def _typed_faults(node: Node) -> Iterator[tuple[int, str]]:
    kind, value = first(node, "type"), value_of(node)
    wanted = _KINDS.get(text_of(kind)) if kind is not None else None
    if wanted and value is not None and value.type in _KINDS.values() and value.type != wanted:
        yield line_of(value), f"{text_of(value)[:40]} is no {text_of(kind)}: correct the value or the type."
    if node.type == "output_declaration" and value is not None and _SECRETS.search(text_of(value)):
        yield line_of(node), "Everybody who may read the deployment reads this secret: take it from a vault instead."


def _resource_faults(root: Node) -> Iterator[tuple[int, str]]:
    for node in walk(root):
        if node.type != "resource_declaration":
            continue
        named, outer = literal(first(node, "string")), _outer_type(node)
        if named is None or not (_INNER_TYPE if outer else _TYPE).fullmatch(named):
            yield line_of(node), f"{named!r} is no type of a resource: give Provider.Name/type@2026-01-31."
            continue
        body, kind = body_of(node), f"{outer}/{named}".lstrip("/").partition("@")[0]
        if body is not None and first(node, "existing") is None:
            yield from body_faults(kind, body)
        elif body is not None and all(text_of(key) != "name" for key, _ in properties(body)):
            yield line_of(body), f"The {kind} has no name: give it one."


def _outer_type(node: Node) -> str:
    """The type of the resource in whose body a resource stands."""
    parent = node.parent
    while parent is not None and parent.type != "resource_declaration":
        parent = parent.parent
    if parent is None:
        return ""
    return f"{_outer_type(parent)}/{(literal(first(parent, 'string')) or '').partition('@')[0]}".lstrip("/")


def main() -> int:
    """Check each project, and print `path:line: message` for each fault."""
    here, code = Path.cwd(), DONE
    for folder in sorted(path for path in here.glob("variant-*") if path.is_dir()) or [here]:
        for item in faults(folder, [path for path in find_files(folder) if recognises(path)]):
            code = REFUSED
            line = f":{item.line}" if item.line else ""
            print(f"{(folder / item.path).relative_to(here).as_posix()}{line}: {item.message} [{item.rule}]")  # noqa: T201 - read by the parent process
    return code


if __name__ == "__main__":
    sys.exit(main())
