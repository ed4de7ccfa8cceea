"""Checks of files for which there is no validator that works without a network."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from mlops_new.lint.diagnostics import Diagnostic
from mlops_new.lint.plain_yaml import ParseError, line_of, parse

_OWNER = re.compile(r"\A(?:@[A-Za-z0-9][\w.-]*(?:/[\w.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+)\Z")
_COMMENT = re.compile(r"^\s*//.*$", re.MULTILINE)
_ENTITY_NAME = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?\Z")
_HASH = re.compile(r"--hash=(\S+)")
# What Backstage asks of the kinds that a repository describes itself by.
_SPEC = {
    "Component": ("type", "lifecycle", "owner"),
    "API": ("type", "lifecycle", "owner", "definition"),
    "Resource": ("type", "owner"),
    "System": ("owner",),
}
_DEVCONTAINER = """
name image build dockerFile context features overrideFeatureInstallOrder forwardPorts portsAttributes
otherPortsAttributes containerEnv remoteEnv containerUser remoteUser updateRemoteUserUID userEnvProbe mounts
workspaceMount workspaceFolder runArgs appPort overrideCommand shutdownAction init privileged capAdd securityOpt
initializeCommand onCreateCommand updateContentCommand postCreateCommand postStartCommand postAttachCommand waitFor
hostRequirements customizations dockerComposeFile service runServices secrets $schema
"""


def check_codeowners(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """Each line names a path that exists, and owners of the right form."""
    for path in paths:
        for number, line in enumerate(_lines(folder / path), 1):
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            if not _matches_something(folder, words[0]):
                message = f"{words[0]} matches no file: correct the pattern, or remove the line."
                yield Diagnostic(path, number, "codeowners", "medium", message)
            for owner in (word for word in words[1:] if not _OWNER.match(word)):
                message = f"{owner} is no owner: give @user, @organisation/team or an address."
                yield Diagnostic(path, number, "codeowners", "high", message)
            if len(words) == 1:
                yield Diagnostic(path, number, "codeowners", "medium", f"{words[0]} has no owner: give one.")


def _matches_something(folder: Path, pattern: str) -> bool:
    bare = pattern.strip("/")
    if bare in ("*", "**"):
        return True
    anchored = pattern.startswith("/") or "/" in bare
    glob = bare if anchored else f"**/{bare}"
    return any(".git" not in found.parts for found in folder.glob(glob))


def check_catalog_info(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """Each entity of Backstage has what its kind needs, and a usable name."""
    for path in paths:
        text = (folder / path).read_text(encoding="utf-8")
        try:
            entity = parse(text)
        except ParseError:
            continue  # the check of YAML names it
        kind = entity.get("kind") if isinstance(entity, dict) else None
        if not isinstance(entity, dict) or kind not in _SPEC:
            message = f"The kind {kind!r} is not one of {', '.join(_SPEC)}: correct it."
            yield Diagnostic(path, line_of(text, "kind"), "backstage", "high", message)
            continue
        if entity.get("apiVersion") != "backstage.io/v1alpha1":
            message = "apiVersion must be backstage.io/v1alpha1."
            yield Diagnostic(path, line_of(text, "apiVersion"), "backstage", "high", message)
        name = (entity.get("metadata") or {}).get("name", "")
        if not _ENTITY_NAME.match(str(name)):
            message = f"The name {name!r} is not usable: give 1 to 63 letters, digits, `-`, `_` and `.`."
            yield Diagnostic(path, line_of(text, "metadata.name"), "backstage", "high", message)
        for key in (key for key in _SPEC[kind] if not (entity.get("spec") or {}).get(key)):
            yield Diagnostic(path, line_of(text, "spec"), "backstage", "high", f"The spec lacks {key}: give it.")


def check_devcontainer(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """JSON with comments, of known keys alone, that says where the container comes from."""
    for path in paths:
        text = (folder / path).read_text(encoding="utf-8")
        try:
            content = json.loads(_COMMENT.sub("", text))
        except ValueError as error:
            line = getattr(error, "lineno", 0)
            yield Diagnostic(path, line, "devcontainer", "high", f"It cannot be parsed: {error}. Mend it.")
            continue
        for key in sorted(set(content) - set(_DEVCONTAINER.split())):
            line = next((n for n, row in enumerate(text.splitlines(), 1) if f'"{key}"' in row), 0)
            yield Diagnostic(path, line, "devcontainer", "medium", f"Nobody reads the key {key}: correct it.")
        if not set(content) & {"image", "build", "dockerFile", "dockerComposeFile"}:
            yield Diagnostic(path, 0, "devcontainer", "high", "It names no image and no build: give one.")


def check_requirements(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """Each line is a requirement, named once; where one has hashes, every one is pinned and has them."""
    for path in paths:
        text = (folder / path).read_text(encoding="utf-8")
        is_hashed, seen = "--hash=" in text, set[str]()
        for number, line in _joined(text.splitlines()):
            if line.startswith("-"):
                continue
            try:
                requirement = Requirement(_HASH.sub("", line).strip())
            except InvalidRequirement as error:
                yield Diagnostic(path, number, "requirements", "high", f"{str(error).splitlines()[0]}: correct it.")
                continue
            name = f"{requirement.name.lower().replace('_', '-')} {requirement.marker or ''}"
            if name in seen:
                message = f"{requirement.name} is named twice: remove one."
                yield Diagnostic(path, number, "requirements", "medium", message)
            seen.add(name)
            if is_hashed and ("==" not in str(requirement.specifier) or not _HASH.search(line)):
                message = f"{requirement.name} has no exact version with a hash, as the others have: pin it."
                yield Diagnostic(path, number, "requirements", "high", message)


def _joined(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Logical lines with the number of their first line; comments and blank lines are left out."""
    pending, first = "", 0
    for number, line in enumerate(lines, 1):
        text = line.split(" #", 1)[0].strip() if not line.lstrip().startswith("#") else ""
        first = first if pending else number
        pending = f"{pending} {text.removesuffix(chr(92)).strip()}".strip()
        if pending and not text.endswith("\\"):
            yield first, pending
            pending = ""


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()
