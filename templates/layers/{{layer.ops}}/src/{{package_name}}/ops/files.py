"""Files that are whole or absent, and hashes of what they hold."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import yaml

from .errors import OpsError

_CHUNK = 1 << 20
_IGNORED = {"__pycache__", ".DS_Store"}


def write_text(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8", newline="\n")
        os.replace(temporary, path)
    finally:
        remove(temporary)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON with sorted keys; numbers that are not finite are refused."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> object:
    """Read a JSON file, or say which one is missing or broken."""
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise OpsError(f"{path} does not exist.", "Run the stage that writes it.") from None
    except ValueError as error:
        raise OpsError(f"{path} is not valid JSON: {error}.", "Run the stage that writes it again.") from None
    return value


def read_mapping(path: Path) -> dict[str, object]:
    """Read a JSON or YAML file that holds a mapping, or say what is wrong with it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise OpsError(f"{path} does not exist.", "Restore it, or give the right path.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise OpsError(f"{path} cannot be read: {error}.", "Give a text file in UTF-8.") from None
    try:
        value = json.loads(text) if path.suffix == ".json" else _parse_yaml(text)
    except (ValueError, yaml.YAMLError) as error:
        problem = " ".join(str(error).split())
        raise OpsError(f"{path} cannot be parsed: {problem}.", "Mend the file.") from None
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise OpsError(f"{path} does not hold a mapping with text keys.", "Mend the file.")
    return value


def _parse_yaml(text: str) -> object:
    """The value of a YAML text; a key that stands twice is refused, where YAML would keep the last silently."""
    pending = [yaml.compose(text, Loader=yaml.SafeLoader)]
    seen: set[int] = set()  # an anchor's node stands in several places
    while pending:
        node = pending.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
            twice = sorted({key for key in keys if keys.count(key) > 1})
            if twice:
                raise ValueError(f"line {node.start_mark.line + 1}: the key {twice[0]!r} stands twice")
            pending += [inner for pair in node.value for inner in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
    value: object = yaml.safe_load(text)
    return value


def files_of(path: Path) -> Iterator[Path]:
    """Every file under a folder, in a stable order, without caches; a file gives itself."""
    if path.is_file():
        yield path
        return
    walk = os.walk(path, onerror=_unreadable, followlinks=True)  # a link into a shared drive is data too
    found = [Path(folder, name) for folder, _, names in walk for name in names]
    for file in sorted(found, key=lambda file: file.relative_to(path).as_posix()):
        if file.is_file() and not _IGNORED.intersection(file.relative_to(path).parts):
            yield file


def _unreadable(error: OSError) -> None:
    raise OpsError(f"{error.filename} cannot be read: {error.strerror}.", "Give yourself the right to read it.")


def sha256_of(path: Path) -> str:
    """The hash of a file's bytes, or of the names and bytes of all files in a folder.

    Raises:
        OpsError: The path does not exist.
    """
    if not path.exists():
        raise OpsError(f"{path} does not exist.", "Give the path of an existing file or folder.")
    digest = hashlib.sha256()
    for found in files_of(path):
        if path.is_dir():
            digest.update(found.relative_to(path).as_posix().encode() + b"\0")
            digest.update(found.stat().st_size.to_bytes(8, "big"))
        with found.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
    return digest.hexdigest()


def copy(source: Path, target: Path) -> None:
    """Copy a file or folder to a path that does not exist yet, whole or not at all."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        if source.is_dir():
            shutil.copytree(source, temporary)
        else:
            shutil.copyfile(source, temporary)
        os.replace(temporary, target)
    finally:
        remove(temporary)


def remove(path: Path) -> None:
    """Remove a file or folder, if there is one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
