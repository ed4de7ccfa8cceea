"""Makes a project: plans it as data, renders it beside its target, and moves it into place whole."""

import os
import re
import shutil
import stat
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mlops_new import git
from mlops_new.answers import check_known, check_legal, with_organization
from mlops_new.catalog import load_catalog, load_organization
from mlops_new.errors import AnswersError, TargetError
from mlops_new.model import Answers, AnswerValue, Catalog, Organization, RenderedFile, Rendering, Tree
from mlops_new.store import Release, open_release

_RESERVED = re.compile(r"(?i)\A(aux|con|nul|prn|com[0-9]|lpt[0-9])(\..*)?\Z")
_LONGEST_NAME = 255
_RUN_SECONDS = 600
_STAGING = ".mlops-new-"
_UNUSABLE = re.compile(r'[<>:"|?*\\\x00-\x1f\ud800-\udfff]|[. ]\Z')


@dataclass(frozen=True, slots=True)
class Request:
    """What a user asked for; a value of None was not given."""

    target: Path | None = None
    pattern: str | None = None
    catalog: str | None = None
    version: str | None = None
    organization: Path | None = None
    answers: Answers | None = None
    use_defaults: bool = False
    interactive: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class ProjectPlan:
    """A project that was rendered, and not written yet."""

    target: Path
    rendering: Rendering
    release: Release
    overwrites: bool


def plan_project(request: Request) -> ProjectPlan:
    """Check everything that was asked for, and render the project in memory.

    Raises:
        KitError: Answers that are refused, a target that cannot be used, or a catalog that cannot be read.
    """
    from mlops_new.engine import Renderer  # noqa: PLC0415 - copier takes most of a second to import

    target = settled(request.target) if request.target is not None else None
    release = open_release(request.catalog, request.version)
    if target is not None:  # before any question is asked
        check_target(target, release, force=request.force)
    catalog = load_catalog(release.root)
    organization = load_organization(request.organization) if request.organization else catalog.organization
    answers = _answers(catalog, organization, request, target)
    renderer = Renderer(release.root, release.source, release.version)
    if request.interactive:
        presets = {name: value for name, value in organization.defaults.items() if name not in (request.answers or {})}
        told = {name: value for name, value in answers.items() if name not in presets}
        rendering = renderer.render(told, offered=presets, interactive=True)
    else:
        _check_complete(catalog, answers, use_defaults=request.use_defaults)
        rendering = renderer.render(answers)
    check_legal(catalog, organization, rendering.answers)
    target = target or settled(Path(str(rendering.answers["project_name"])))
    overwrites = check_target(target, release, force=request.force)
    if overwrites:
        check_restorable(target, rendering.tree)
    return ProjectPlan(target, rendering, release, overwrites)


def create_project(plan: ProjectPlan, *, with_git: bool = True) -> Path:
    """Write a planned project; it appears whole or not at all.

    With `--force` the files are put into the target's clean working tree instead, all of them or none, and nothing
    is committed.
    """
    parent = plan.target.parent
    try:
        if plan.overwrites:
            write_over(plan.rendering.tree, plan.target)
            return plan.target
        parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(plan.target)
        staging = parent / f".{plan.target.name}.mlops-new-{os.getpid()}"
        try:
            write_tree(plan.rendering.tree, staging)
            if with_git:
                git.commit_everything(staging, f"Start from {plan.rendering.answers['pattern']} {plan.release.version}")
            if plan.target.is_dir():
                plan.target.rmdir()  # it is empty; Windows cannot rename over it
            staging.rename(plan.target)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise TargetError(f"{plan.target} cannot be written: {error.strerror}.", "Choose another folder.") from error
    return plan.target


def _answers(
    catalog: Catalog, organization: Organization, request: Request, target: Path | None
) -> dict[str, AnswerValue]:
    given = dict(request.answers or {})
    if request.pattern is not None:
        given["pattern"] = request.pattern
    check_known(catalog, given, "The command")
    answers = with_organization(catalog, organization, given)
    if target is not None:
        answers.setdefault("project_name", target.name)
    check_legal(catalog, organization, answers)
    return answers


def _check_complete(catalog: Catalog, answers: Mapping[str, object], *, use_defaults: bool) -> None:
    if use_defaults:
        return
    pattern = catalog.patterns.get(str(answers.get("pattern", "")))
    asked = pattern.questions if pattern else ()
    missing = [
        question.name
        for question in catalog.questions.values()
        if question.is_asked and question.name not in answers
        if not question.is_conditional or question.name in asked
    ]
    if missing:
        remedy = "Give them with -d name=value or --answers-file, or take the rest from --defaults."
        raise AnswersError(f"There is no terminal to ask on, and no answer to {', '.join(missing)}.", remedy)


def settled(target: Path) -> Path:
    """The absolute path of a folder, without `..`; refuses one that some operating system cannot carry.

    Raises:
        TargetError: The name that cannot be used.
    """
    absolute = target.absolute()
    made = [absolute, *(parent for parent in absolute.parents if not os.path.lexists(parent))]
    for name in (folder.name for folder in made if folder is absolute or folder.name != ".."):
        if not name or _RESERVED.match(name) or _UNUSABLE.search(name) or len(name.encode()) > _LONGEST_NAME:
            raise TargetError(f"{name!r} is no usable name for a folder.", "Choose letters, digits and dashes.")
    return absolute.parent.resolve() / absolute.name


def check_target(target: Path, release: Release, *, force: bool) -> bool:
    """Refuse a folder in which a project would destroy or hide something; gives whether it is written over.

    What a killed run left in a folder that may be written over is taken back first.

    Raises:
        TargetError: The folder, and why.
    """
    for folder in (target, *target.parents):
        if folder == release.root or (_is_catalog(folder) and not git.ignores(folder, target)):
            raise TargetError(f"{target} lies in a catalog.", "Choose a folder outside, or one that its git ignores.")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise TargetError(f"{target} exists and is no folder.", "Choose another folder.")
    if not target.is_dir() or not any(target.iterdir()):
        return False
    if not force:
        raise TargetError(f"{target} is not empty.", "Choose another folder, or commit its content and give --force.")
    is_repository = git.is_repository(target)
    if is_repository:
        take_back_killed(target)
    if not is_repository or not git.is_clean(target):
        problem = f"{target} is not the top of a git repository with a clean working tree"
        raise TargetError(f"{problem}, so --force could destroy work.", "Commit everything in it first.")
    return True


def check_restorable(target: Path, tree: Tree) -> None:
    """Refuse to write over what git could not bring back: ignored files, and what a link leads to.

    Raises:
        TargetError: What stands in the way.
    """
    tracked = git.tracked_files(target)
    for path in tree:
        parents = [target / parent for parent in Path(path).parents if parent != Path()]
        occupied = [parent for parent in parents if parent.is_symlink() or (parent.exists() and not parent.is_dir())]
        file = target / path
        if occupied or file.is_dir() or (os.path.lexists(file) and path not in tracked):
            culprit = occupied[0] if occupied else file
            raise TargetError(f"{culprit} stands in the way, and git could not restore it.", "Move it away first.")


def _is_catalog(folder: Path) -> bool:
    return (folder / "copier.yml").is_file() and (folder / "templates" / "layers").is_dir()


def remove_leftovers(target: Path) -> None:
    """Remove what killed runs left beside the target."""
    for leftover in _leftovers(target.parent, f".{target.name}.mlops-new-"):
        shutil.rmtree(leftover, ignore_errors=True)


def take_back_killed(target: Path) -> None:
    """Undo what killed runs with `--force` had begun in a working tree."""
    for leftover in _leftovers(target, _STAGING):
        _take_back(leftover, target)


def _leftovers(folder: Path, prefix: str) -> list[Path]:
    named = [(path, path.name.removeprefix(prefix)) for path in folder.iterdir() if path.name.startswith(prefix)]
    return [path for path, pid in named if pid.isdecimal() and not _is_used(path, int(pid))]


def _is_used(staging: Path, pid: int) -> bool:
    """Whether the run that made a staging folder may still be at work."""
    if pid == os.getpid():
        return False
    if os.name == "nt":  # there, signal 0 would reach the process
        return time.time() - staging.stat().st_mtime < _RUN_SECONDS
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_tree(tree: Tree, folder: Path) -> None:
    """Write rendered files into a folder."""
    for path, file in tree.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        temporary.write_bytes(file.content)
        temporary.chmod(0o755 if file.executable else 0o644)
        temporary.replace(target)


def write_over(tree: Tree, target: Path) -> None:
    """Put rendered files into a working tree: all of them, or none.

    They are first written into a folder of their own, which git does not see, beside copies of what they replace.
    While that folder holds `ready`, whatever was put into place can be taken back: here, or by the next run.
    """
    staging = target / f"{_STAGING}{os.getpid()}"
    changed = {path: file for path, file in tree.items() if not _holds(target / path, file)}
    try:
        write_tree({".gitignore": RenderedFile(b"*\n")}, staging)
        write_tree(changed, staging / "new")
        for path in (path for path in changed if os.path.lexists(target / path)):
            kept = staging / "old" / path
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(target / path, kept, follow_symlinks=False)
        (staging / "new").mkdir(exist_ok=True)
        (staging / "new").rename(staging / "ready")
        for path in changed:
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(staging / "ready" / path, staging / "next")
            (staging / "next").replace(target / path)
        (staging / "ready").rename(staging / "done")
    finally:
        _take_back(staging, target)


def _take_back(staging: Path, target: Path) -> None:
    ready = staging / "ready"
    for placed in (path for path in ready.rglob("*") if path.is_file()):
        path = placed.relative_to(ready)
        kept, file = staging / "old" / path, target / path
        if _holds(file, RenderedFile(placed.read_bytes(), _is_executable(placed))):  # in place, and nobody changed it
            if os.path.lexists(kept):
                kept.replace(file)
            else:
                file.unlink()
        with suppress(OSError):  # up to a folder that is not empty
            for folder in path.parents[:-1]:
                (target / folder).rmdir()
    shutil.rmtree(staging, ignore_errors=True)


def _holds(path: Path, file: RenderedFile) -> bool:
    if path.is_symlink() or not path.is_file() or path.read_bytes() != file.content:
        return False
    return os.name == "nt" or _is_executable(path) == file.executable  # Windows keeps no such mode


def _is_executable(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXUSR)
