"""Pin what a rendered project installs: exact versions and their hashes, without any download address.

    python tools/pins.py [--pattern P ...] [--python 3.11 ...] [--upgrade] [--upgrade-package NAME ...]

For each pattern and Python version the project is rendered, `uv lock` resolves its pyproject.toml for every
operating system, and `uv export` gives the subsets: runtime, azure (runtime and what a cloud job needs) and dev
(runtime and tools). templates/pins/<pattern>-py<version>.json gets the versions, and templates/pins/hashes.json
the hashes of all sets together, so that those of one version stand in one place.

Versions that are pinned stay, unless --upgrade frees all of them or --upgrade-package one. A resolver that cannot
satisfy a cap goes back to an old release without a word, so each version that falls is printed. uv finds the
interpreters on the path.

Exit codes: 0 done, 1 the resolver failed, 2 wrong arguments.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from copier import run_copy
from copier.errors import DirtyLocalWarning

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "templates" / "pins"
HASHES = PINS / "hashes.json"
PYTHONS = ("3.11", "3.12", "3.13")
GROUPS: Mapping[str, tuple[str, ...]] = {
    "runtime": ("--no-dev",),
    "azure": ("--no-dev", "--group", "azure"),
    "dev": ("--group", "dev"),
}
EVERYTHING = "everything"
_CONSTRAINTS = re.compile(r"(?ms)^constraint-dependencies = \[\n.*?^\]\n")
_CONSTRAINT = re.compile(r'^ +"([A-Za-z0-9._-]+)==[^"]+",$')
_PIN = re.compile(r"^(?P<pin>[A-Za-z0-9][A-Za-z0-9._-]*==[^ ;\\]+)(?P<marker> ; [^\\]+?)? *\\?$")
_HASH = re.compile(r"^ +--hash=sha256:(?P<digest>[0-9a-f]{64}) *\\?$")

Export: TypeAlias = dict[str, list[str]]
"""Each requirement, with its marker if it has one, and the hashes of its files."""


def parse_export(text: str) -> Export:
    """Read requirements with hashes; a line of another kind is an error, above all an address.

    Raises:
        ValueError: A line that is neither a pin nor a hash, or a pin without hashes.
    """
    found: Export = {}
    current: list[str] = []
    for line in text.splitlines():
        if pin := _PIN.match(line):
            current = found.setdefault(pin["pin"] + (pin["marker"] or "").rstrip(), [])
        elif digest := _HASH.match(line):
            current.append(digest["digest"])
        elif line.strip():
            raise ValueError(f"this line is neither a pin nor a hash: {line}")
    bare = sorted(requirement for requirement, digests in found.items() if not digests)
    if bare:
        raise ValueError(f"no hash for {', '.join(bare)}")
    return found


def constraints(everything: Iterable[str]) -> list[str]:
    """Exact versions for the whole resolution; a marker stays only where a name has two versions."""
    pins = sorted(everything)
    names = [pin.partition("==")[0] for pin in pins]
    return [pin if names.count(name) > 1 else pin.partition(" ")[0] for pin, name in zip(pins, names, strict=True)]


def freed(pyproject: str, names: Iterable[str] | None) -> str:
    """The pyproject without its pins (None), or without those of some packages."""
    if names is None:
        return _CONSTRAINTS.sub("", pyproject)
    wanted = set(names)
    lines = pyproject.splitlines(keepends=True)
    return "".join(line for line in lines if not ((pin := _CONSTRAINT.match(line.rstrip())) and pin[1] in wanted))


def fallen(before: Iterable[str], after: Iterable[str]) -> list[str]:
    """Packages whose version went down, each as `name old -> new`: the sign of silent back-tracking."""
    old = dict(pin.partition(" ")[0].split("==") for pin in before)
    new = dict(pin.partition(" ")[0].split("==") for pin in after)
    return [
        f"{name} {old[name]} -> {version}"
        for name, version in new.items()
        if name in old and _numbers(version) < _numbers(old[name])
    ]


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)]


def uv(project: Path, *arguments: str) -> str:
    """Run uv in a project and give its output; where it fails, leave with what it said."""
    command = [sys.executable, "-m", "uv", *arguments]
    environment = {**os.environ, "UV_NO_CONFIG": "1"}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"uv {arguments[0]} failed:\n{done.stderr}Loosen a floor, or free pins with --upgrade.")
    return done.stdout


def resolve(pattern: str, python: str, free: Iterable[str] | None) -> dict[str, Export]:
    """Resolve one set, of this checkout with its uncommitted edits; gives its groups and `everything`."""
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", DirtyLocalWarning)
        project = Path(folder) / "project"
        data = {"pattern": pattern, "python_version": python}
        run_copy(str(ROOT), project, data=data, defaults=True, quiet=True, vcs_ref="HEAD")
        pyproject = project / "pyproject.toml"
        pyproject.write_text(freed(pyproject.read_text(encoding="utf-8"), free), encoding="utf-8")
        uv(project, "lock", "--python", python)
        common = ("export", "--frozen", "--no-emit-project", "--no-header", "--no-annotate", "--python", python)
        flags = {**GROUPS, EVERYTHING: ("--all-groups",)}
        return {group: parse_export(uv(project, *common, *chosen)) for group, chosen in flags.items()}


def write_json(path: Path, value: object) -> None:
    """Write a file whole or not at all."""
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    temporary.replace(path)


def store(path: Path, groups: Mapping[str, Export], hashes: dict[str, list[str]]) -> list[str]:
    """Write one set, add its hashes to those of all sets, and give the versions that fell."""
    before = json.loads(path.read_text(encoding="utf-8"))["constraints"]
    after = constraints(groups[EVERYTHING])
    for requirement, digests in groups[EVERYTHING].items():
        pin = requirement.partition(" ")[0]  # each Python version has files of its own
        hashes[pin] = sorted({*hashes.get(pin, []), *digests})
    write_json(path, {**{group: sorted(groups[group]) for group in GROUPS}, "constraints": after})
    return fallen(before, after)


def patterns() -> list[str]:
    """The catalog's patterns: the manifests that stack layers."""
    manifests = sorted((ROOT / "templates" / "catalog").glob("*.yml"))
    return [path.stem for path in manifests if re.search(r"(?m)^layers:", path.read_text(encoding="utf-8"))]


def read_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """Parse the command line; all sets are the default."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pattern", action="append", choices=patterns())
    parser.add_argument("--python", action="append", choices=PYTHONS)
    parser.add_argument("--upgrade", action="store_true", help="free every pin")
    parser.add_argument("--upgrade-package", action="append", default=[], metavar="NAME", help="free one pin")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Pin the sets that the command line names."""
    given = read_arguments(argv)
    PINS.mkdir(exist_ok=True)
    hashes: dict[str, list[str]] = json.loads(HASHES.read_text(encoding="utf-8")) if HASHES.is_file() else {}
    write_json(HASHES, hashes)
    for pattern in given.pattern or patterns():
        for python in given.python or PYTHONS:
            path = PINS / f"{pattern}-py{python}.json"
            if not path.is_file():  # the render below reads it
                write_json(path, {key: [] for key in (*GROUPS, "constraints")})
            groups = resolve(pattern, python, None if given.upgrade else given.upgrade_package)
            for fall in store(path, groups, hashes):
                print(f"{path.name}: {fall} went down; give it a floor if that is not meant")
            print(f"{path.name}: {len(groups[EVERYTHING])} packages")
    sets = [json.loads(path.read_text(encoding="utf-8")) for path in PINS.glob("*-py*.json")]
    used = {pin.partition(" ")[0] for lists in sets for pin in lists["constraints"]}
    write_json(HASHES, {pin: hashes[pin] for pin in sorted(used)})
    return 0


if __name__ == "__main__":
    sys.exit(main())
