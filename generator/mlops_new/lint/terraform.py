"""The validator of Terraform: the real `fmt`, `init`, `validate` and `test`, with a stand-in for azurerm.

`python -m mlops_new.lint.terraform` checks the configurations here, or in the projects that stand here.
"""

import hashlib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_new.errors import DONE, REFUSED
from mlops_new.lint.diagnostics import Diagnostic
from mlops_new.lint.files import find_files
from mlops_new.lint.terraform_run import RELEASES, Workspace, workspace

_SUFFIXES = (".tf", ".tftest.hcl", ".tfvars")
_NO_MATCH = "no available releases match"
_UNKNOWN = re.compile(r"provider\s+(?:[\w.-]+/)?([\w-]+/[\w-]+)(?:\s+was\s+not\s+found|:\s+provider)")
_STRING = re.compile(rb'"[^"\n]*"$', re.MULTILINE)
_AT_A_TIME = 2
_PLACE = re.compile(r"\bon (\S+) line (\d+)")


def recognises(path: str) -> bool:
    """Whether a path is one of Terraform."""
    return path.endswith(_SUFFIXES)


def faults(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """What is wrong with the configurations that some files of a folder make up.

    Raises:
        MissingExtraError: There is no Terraform, or the stand-in lacks what it speaks with.
    """
    yield from formatted(folder, paths)
    yield from _judged(folder, paths)


def _judged(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    known: set[Diagnostic] = set()
    for inside in configurations(paths):
        found = {*_configuration(folder, inside)}
        yield from found - known
        known |= found


def configurations(paths: Sequence[str]) -> list[str]:
    """The folders that hold a configuration; that of its tests is part of it."""
    return sorted({PurePosixPath(path).parent.as_posix() for path in paths if path.endswith(".tf")})


def formatted(folder: Path, paths: Sequence[str]) -> Iterator[Diagnostic]:
    """The files that the formatter would change; it also refuses what it cannot read."""
    with workspace(folder, [path for path in paths if recognises(path)], RELEASES[-1]) as space:
        done = space.run("fmt", "-check", "-recursive", "-no-color")
        for path in done.output.splitlines():
            message = "The formatter would change it: run `terraform fmt`."
            yield Diagnostic(path, 0, "terraform-fmt", "medium", message)
        if not done.output and done.code:
            path, line, message = _said(done.errors)
            yield Diagnostic(path or next(iter(paths), ""), line, "terraform-fmt", "high", message)


def surroundings(folder: Path, inside: str) -> list[str]:
    """The files that a configuration may read: those of the top folder that holds it."""
    top = "" if inside == "." else PurePosixPath(inside).parts[0]
    return [
        path for path in find_files(folder) if (path.startswith(f"{top}/") if top else _beside(PurePosixPath(path)))
    ]


def _beside(path: PurePosixPath) -> bool:
    return len(path.parts) == 1 or recognises(path.name)


def _configuration(folder: Path, inside: str) -> Iterator[Diagnostic]:
    files, tried = surroundings(folder, inside), 0
    for release in RELEASES:
        with workspace(folder, files, release, "" if inside == "." else inside) as space:
            done = space.run("init", "-backend=false", "-input=false", "-no-color")
            if done.code and _NO_MATCH in " ".join(done.errors.split()):
                continue  # it is not meant for this release
            tried += 1
            if done.code:
                yield _not_initialised(done.errors, inside, files)
                return
            found = list(_validated(space, inside))
            yield from found
            if not found and any(path.startswith(_in(inside, "")) and path.endswith(".tftest.hcl") for path in files):
                yield from tested(space, inside)
    if not tried:
        message = (
            f"It allows neither azurerm {' nor '.join(RELEASES)}, whose schemas the kit has: nothing was validated."
        )
        yield Diagnostic(_first(inside, files), 0, "terraform-init", "low", message)


def _not_initialised(errors: str, inside: str, files: Sequence[str]) -> Diagnostic:
    path, line, message = _said(errors)
    unknown = _UNKNOWN.search(" ".join(errors.split()))
    if unknown and not path:
        message = f"The kit has no schema of {unknown[1]}: nothing that it makes was validated."
        return Diagnostic(_first(inside, files), 0, "terraform-init", "low", message)
    return Diagnostic(_in(inside, path) if path else _first(inside, files), line, "terraform-init", "high", message)


def _validated(space: Workspace, inside: str) -> Iterator[Diagnostic]:
    done = space.run("validate", "-json")
    try:
        told = json.loads(done.output)["diagnostics"]
    except (ValueError, KeyError):
        yield Diagnostic(_in(inside, ""), 0, "terraform-validate", "high", f"terraform failed: {_said(done.errors)[2]}")
        return
    yield from (_diagnostic(item, inside, "terraform-validate") for item in told if item["severity"] == "error")


def tested(space: Workspace, inside: str) -> Iterator[Diagnostic]:
    """The tests of a configuration that fail."""
    done = space.run("test", "-json")
    count = 0
    for line in done.output.splitlines():
        entry = json.loads(line) if line.startswith("{") else {}
        if entry.get("type") == "diagnostic" and entry["diagnostic"]["severity"] == "error":
            count += 1
            run = f"In {entry['@testrun']}: " if "@testrun" in entry else ""
            item = _diagnostic(entry["diagnostic"], inside, "terraform-test")
            yield item._replace(message=f"{run}{item.message}")
    if done.code and not count:
        yield Diagnostic(_in(inside, ""), 0, "terraform-test", "high", f"terraform failed: {_said(done.errors)[2]}")


def _diagnostic(item: Mapping[str, Any], inside: str, rule: str) -> Diagnostic:
    place = item.get("range") or {"filename": "", "start": {"line": 0}}
    message = " ".join(f"{item['summary']}: {item.get('detail', '')}".split())
    return Diagnostic(_in(inside, place["filename"]), place["start"]["line"], rule, "high", message)


def _in(inside: str, path: str) -> str:
    return path if inside == "." else f"{inside}/{path}".rstrip("/") if path else f"{inside}/"


def _first(inside: str, files: Sequence[str]) -> str:
    return next((path for path in files if path.endswith(".tf") and path.startswith(_in(inside, ""))), _in(inside, ""))


def _said(errors: str) -> tuple[str, int, str]:
    """File, line and sentence of the first error that Terraform wrote for people."""
    text = " ".join(re.sub(r"[│╷╵]", " ", errors).split())
    place = _PLACE.search(text)
    message = text.partition("Error: ")[2] or text
    return (place[1], int(place[2]), message) if place else ("", 0, message)


def _meaning(folder: Path) -> bytes:
    """What tells two configurations apart but the names that they give: schemas and tests judge no name."""
    digest = hashlib.sha256()
    for path in find_files(folder):
        text = (folder / path).read_bytes()
        digest.update(path.encode() + b"\0" + (_STRING.sub(b'"', text) if path.endswith("/locals.tf") else text))
    return digest.digest()


def main() -> int:
    """Check each project, and print `path:line: message` for each fault; of those that differ in names alone, one."""
    here = Path.cwd()
    projects = sorted(path for path in here.glob("variant-*") if path.is_dir()) or [here]
    distinct = {_meaning(folder): folder for folder in reversed(projects)}
    found = [(here, item) for item in formatted(here, [path for path in find_files(here) if recognises(path)])]
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        for folder, items in zip(distinct.values(), pool.map(_configured, distinct.values()), strict=True):
            found += [(folder, item) for item in items]
    for folder, item in found:
        line = f":{item.line}" if item.line else ""
        print(f"{(folder / item.path).relative_to(here).as_posix()}{line}: {item.message} [{item.rule}]")  # noqa: T201 - read by the parent process
    return REFUSED if found else DONE


def _configured(folder: Path) -> list[Diagnostic]:
    return sorted(_judged(folder, [path for path in find_files(folder) if recognises(path)]))


if __name__ == "__main__":
    sys.exit(main())
