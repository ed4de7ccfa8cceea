"""Where a catalog comes from, and what a project records about it.

A release of a catalog is checked out once per machine, into the user's cache. The catalog that comes with the
package is a git bundle; it is put at one fixed place in the user's home, because a project's record of its
catalog must mean the same on every machine of a team.
"""

import hashlib
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from mlops_new import git
from mlops_new.errors import CatalogError, ToolError, nearest

BUNDLE = Path(__file__).resolve().parent / "catalog.bundle"
CHECKOUT = Path(__file__).resolve().parents[2]
HOME_BUNDLE = Path(".mlops-new") / "catalog.bundle"
VARIABLE = "MLOPS_NEW_CATALOG"
_ADDRESS = re.compile(r"\A(?:git\+|[a-z][a-z0-9+.-]*://|gh:|gl:|[\w.-]+@[\w.-]+:)")
_PASSWORD = re.compile(r"\A((?:git\+)?https?://)[^/]*@")
# What copier takes for the address of a repository without `git+` in front of it.
_COPIER_ADDRESS = re.compile(r"\A(?:git@|git://|git\+|gh:|gl:|https://(?:github|gitlab)\.com/)|\.git\Z")


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a catalog: its files, and the source and version that a project records."""

    root: Path
    source: str
    version: str


def cache_folder() -> Path:
    """Where checked-out releases are kept; safe to delete."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "mlops-new"


def open_release(source: str | None, version: str | None) -> Release:
    """Find a release of a catalog and check it out.

    Args:
        source: A folder, a git bundle or a git address; by default the environment variable
            `MLOPS_NEW_CATALOG`, else the catalog that comes with the package.
        version: A tag, branch or commit; by default the newest release that is no pre-release, else the last commit.

    Raises:
        CatalogError: There is no such catalog or version.
    """
    chosen = source or os.environ.get(VARIABLE)
    if chosen is None:
        chosen = str(CHECKOUT) if not BUNDLE.is_file() else str(_install_bundle())
    repository = _mirrored(chosen) if _is_address(chosen) else _local_repository(chosen)
    commit, recorded_version = _resolve(repository, version, chosen)
    return Release(
        _checked_out(repository, commit), _recorded_source(chosen, repository, recorded_version), recorded_version
    )


def catalog_root(source: str | None) -> Path:
    """The files of a catalog as they stand, for reading and checking: a folder is taken with its changes.

    A source of None stands for the current folder if it holds a catalog, else for the default catalog.
    """
    if source is None and (Path.cwd() / "copier.yml").is_file():
        return Path.cwd()
    chosen = source or os.environ.get(VARIABLE)
    if chosen is None and not BUNDLE.is_file():
        return CHECKOUT
    if chosen is not None and Path(chosen).expanduser().is_dir():
        return Path(chosen).expanduser().resolve()
    return open_release(source, None).root


def _is_address(source: str) -> bool:
    return bool(_ADDRESS.match(source))


def _install_bundle() -> Path:
    """Put the package's bundle at its place in the user's home, unless that has the same already."""
    target = Path.home() / HOME_BUNDLE
    content = BUNDLE.read_bytes()
    if not target.is_file() or target.read_bytes() != content:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_bytes(content)
        temporary.replace(target)
    return target


def _expanded(address: str) -> str:
    for short, full in (("gh:", "https://github.com/"), ("gl:", "https://gitlab.com/")):
        if address.startswith(short):
            return f"{full}{address.removeprefix(short).removesuffix('.git')}.git"
    return address.removeprefix("git+")


def _mirrored(address: str) -> Path:
    target = cache_folder() / "mirrors" / hashlib.sha256(address.encode()).hexdigest()[:24]
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        git.mirror(_expanded(address), target)
    except ToolError as error:
        raise CatalogError(f"The catalog {_public(address)} cannot be read: {error.message}", error.remedy) from None
    return target


def _local_repository(source: str) -> Path:
    path = Path(source).expanduser().resolve()
    if path.is_file():
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:24]
        target = cache_folder() / "bundles" / digest
        if not target.is_dir():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                git.mirror(str(path), target)
            except ToolError:
                raise CatalogError(f"{source} is no git bundle.", "Give a folder, a bundle or an address.") from None
        return target
    if not path.is_dir():
        raise CatalogError(f"The catalog {source} does not exist.", "Give a folder, a bundle or a git address.")
    if not (path / "copier.yml").is_file():
        raise CatalogError(f"{path} holds no catalog: it has no copier.yml.", "Give the folder of a catalog.")
    if not git.is_repository(path):
        raise CatalogError(f"{path} is no git repository, so it has no versions.", "Run git init and commit it.")
    return path


def release_tags(repository: Path) -> dict[str, Version]:
    """The tags that are versions, newest last; a tag with another form is no release."""
    found: dict[str, Version] = {}
    for tag in git.tags(repository):
        try:
            found[tag] = Version(tag)
        except InvalidVersion:
            continue
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _resolve(repository: Path, version: str | None, source: str) -> tuple[str, str]:
    releases = release_tags(repository)
    stable = [tag for tag, parsed in releases.items() if not parsed.is_prerelease]
    wanted = version or (stable[-1] if stable else "HEAD")
    try:
        commit = git.commit_of(repository, wanted)
    except ToolError:
        remedy = nearest(wanted, releases) if releases else "The catalog has no release yet; give a commit."
        raise CatalogError(f"The catalog {_public(source)} has no version {wanted!r}.", remedy) from None
    return commit, git.describe(repository, commit)


def _checked_out(repository: Path, commit: str) -> Path:
    target = cache_folder() / "trees" / commit
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=target.parent, prefix=".tree-"))
        try:
            git.extract(repository, commit, staging)
            if not (staging / "copier.yml").is_file():
                raise CatalogError(f"The commit {commit} holds no catalog: it has no copier.yml.", "Give another one.")
            git.move_into_place(staging, target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    return target


def _recorded_source(source: str, repository: Path, version: str) -> str:
    if _is_address(source):
        return _as_copier_reads(source)
    path = Path(source).expanduser().resolve()
    if path == Path.home() / HOME_BUNDLE:
        return f"~/{HOME_BUNDLE.as_posix()}"
    if path.is_file():
        return str(path)
    # A teammate has not this clone, but has what it was cloned from.
    origin = git.origin_with_tag(repository, version)
    if origin is None or not (_is_address(origin) or Path(origin).is_absolute()):
        return str(path)
    return _as_copier_reads(origin) if _is_address(origin) else origin


def _as_copier_reads(address: str) -> str:
    """An address that `copier update` takes for one of a repository, without the user and password."""
    public = _public(address)
    return public if _COPIER_ADDRESS.search(public) else f"git+{public}"


def _public(address: str) -> str:
    return _PASSWORD.sub(r"\1", address)
