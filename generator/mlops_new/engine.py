"""Renders projects in memory, by copier's own questionnaire and renderer; the only importer of copier.

Copier's private interface is used here and nowhere else: `Worker`, with its template, its Jinja environment and
its file writer replaced, so that a render neither clones, nor compiles the same Jinja twice, nor touches the
disk. `tests/unit/test_engine_contract.py` fails first when a release of copier changes it.
"""

import pickle
import stat
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, cast

import jinja2
from copier._jinja_ext import get_yield_context
from copier._main import Worker, _operation
from copier._subproject import Subproject
from copier._template import Template
from copier._types import Phase
from copier._user_data import CAST_STR_TO_NATIVE, parse_yaml_string
from copier.errors import CopierAnswersInterrupt, InteractiveSessionError, UserMessageError

from mlops_new.errors import AnswersError, CatalogError
from mlops_new.model import Answers, AnswerValue, RenderedFile, Rendering

ANSWERS_FILE = ".copier-answers.yml"
_NOWHERE = Path("/nonexistent/project")


class _UnparsableError(ValueError):
    def __init__(self, text: str, problem: str) -> None:
        super().__init__(problem)
        self.text = text


@lru_cache(maxsize=1024)
def _parsed(text: str) -> bytes:
    try:
        return pickle.dumps(parse_yaml_string(text))
    except (ValueError, LookupError, RecursionError) as error:
        raise _UnparsableError(text, " ".join(str(error).split())) from None


def _parse_yaml(text: Any) -> Any:
    """What copier does with the text of a YAML answer, once for each text: that is half of a render's time."""
    return pickle.loads(_parsed(text)) if isinstance(text, str) else text  # noqa: S301 - made above


cast(dict[str, Any], CAST_STR_TO_NATIVE)["yaml"] = _parse_yaml


class _MemoryWorker(Worker):
    """Copier's worker, which keeps the files that it renders instead of writing them."""

    def attach(self, renderer: "Renderer") -> None:
        """Use a renderer's template and Jinja environment, and start with no files."""
        self._renderer = renderer
        self.files: dict[str, RenderedFile] = {}
        self._context: dict[str, Any] | None = None
        self._parts: dict[str, str] = {}

    @property
    def template(self) -> Template:
        return self._renderer.template

    @property
    def jinja_env(self) -> Any:
        return self._renderer.environment(self)

    @cached_property
    def subproject(self) -> Subproject:
        project = Subproject(local_abspath=_NOWHERE, answers_relpath=Path(ANSWERS_FILE))
        project.__dict__["last_answers"] = {}
        return project

    @property
    def answers_relpath(self) -> Path:
        return Path(ANSWERS_FILE)

    def _render_context(self) -> Any:
        if Phase.current() is not Phase.RENDER:
            return super()._render_context()
        if self._context is None:  # answers no longer change, so one context serves every file
            self._context = dict(super()._render_context())
        return self._context

    def _render_string(self, string: str, extra_context: Any = None) -> str:
        """Parts of paths come again with each file: one that yields no further parts is rendered once."""
        if Phase.current() is not Phase.RENDER or "yield" in string or extra_context:
            return super()._render_string(string, extra_context)
        if string not in self._parts:
            self._parts[string] = super()._render_string(string) if "{" in string else string
        yielded = get_yield_context(self.jinja_env)
        yielded.yield_name = yielded.yield_iterable = None
        return self._parts[string]

    def _render_path(self, relpath: Path) -> Any:
        """A layer that is off is seen by its name, and not path by path."""
        return super()._render_path(relpath) if self._render_string(relpath.parts[0]) else ()

    def _render_file(self, src_relpath: Path, dst_relpath: Path, extra_context: Any = None) -> None:
        source, path = self.template.local_abspath / src_relpath, dst_relpath.as_posix()
        if src_relpath.name.endswith(self.template.templates_suffix):
            template = self.jinja_env.get_template(src_relpath.as_posix())
            try:
                content = template.render(**self._render_context(), **(extra_context or {})).encode()
            except jinja2.TemplateError as error:
                raise CatalogError(f"{src_relpath}: {error}.", "Mend the file in the catalog.") from error
        else:
            content = source.read_bytes()
        self.files[path] = RenderedFile(content, bool(source.stat().st_mode & stat.S_IXUSR))

    def _render_folder(self, dst_relpath: Path) -> None:
        """Folders come with their files."""

    def _render_symlink(self, src_relpath: Path, dst_relpath: Path) -> None:  # noqa: ARG002 - copier's signature
        raise CatalogError(f"{src_relpath} is a symbolic link.", "Put a file into the layer.")


class Renderer:
    """Renders projects from one release of a catalog.

    Args:
        root: The catalog's files.
        source: What a project records as the place of its catalog.
        version: What a project records as its catalog's version.
    """

    def __init__(self, root: Path, source: str, version: str) -> None:
        """Read the questionnaire once."""
        self.root = root
        self.template = Template(url=source)
        self.template.__dict__.update(vcs=None, local_abspath=root, git_index_modes={}, commit=version)
        self._environment: Any = None

    def environment(self, worker: Worker) -> Any:
        """Copier's Jinja environment, which compiles each text once."""
        if self._environment is None:
            environment = Worker.jinja_env.func(worker)  # type: ignore[attr-defined]
            compile_text, compiled = environment.from_string, {}

            def from_string(source: str) -> Any:
                yielded = get_yield_context(environment)
                yielded.yield_name = yielded.yield_iterable = None
                if source not in compiled:
                    compiled[source] = compile_text(source)
                return compiled[source]

            environment.from_string = from_string
            environment.filters["from_yaml"] = _parse_yaml
            environment.auto_reload = False
            self._environment = environment
        return self._environment

    def render(self, answers: Answers, *, offered: Answers | None = None, interactive: bool = False) -> Rendering:
        """Render a project from answers; questions without one are asked, or get their default.

        Args:
            answers: Answers that stand; their questions are not asked.
            offered: Defaults that go before the questionnaire's own.
            interactive: Whether to ask, on the terminal.

        Raises:
            AnswersError: An answer that a question's validator refuses.
            CatalogError: A file of the catalog that cannot be rendered.
        """
        worker = _MemoryWorker(
            src_path=str(self.root),
            dst_path=_NOWHERE,
            data=dict(answers),
            user_defaults=dict(offered or {}),
            defaults=not interactive,
            quiet=True,
        )
        worker.attach(self)
        operation = _operation.set("copy")
        try:
            with Phase.use(Phase.PROMPT):
                worker._ask()
            with Phase.use(Phase.RENDER):
                worker._render_template()
        except CopierAnswersInterrupt:
            raise KeyboardInterrupt from None
        except InteractiveSessionError as error:
            raise AnswersError(f"{error}", "Give --defaults or the missing answers with -d.") from None
        except (ValueError, UserMessageError) as error:
            raise _as_refusal(error, answers) from None
        finally:
            _operation.reset(operation)
        return Rendering(dict(sorted(worker.files.items())), _recorded(worker))

    def defaults(self) -> Mapping[str, AnswerValue]:
        """The answer that each question gets when none is given."""
        return self.render({}).answers


def _recorded(worker: Worker) -> dict[str, AnswerValue]:
    hidden = worker.answers.hidden
    return {
        name: value
        for name, value in worker.answers.combined.items()
        if name in worker.answers.user and name not in hidden
    }


def _as_refusal(error: Exception, answers: Answers) -> AnswersError:
    if isinstance(error, _UnparsableError):
        names = [name for name, value in answers.items() if value == error.text]
        problem = f"{' or '.join(names) or 'A text'} cannot be parsed as YAML: {error}"
        return AnswersError(f"{problem.rstrip('.')}.", "Put each text of it in double quotes.")
    text = " ".join(str(error).split())
    _, _, reason = text.partition(": ") if text.startswith("Validation error") else ("", "", text)
    sentence, _, remedy = reason.partition(": ")
    if not remedy:
        return AnswersError(f"{reason.rstrip('.')}.", "See `mlops-new project --help` and the questions' reference.")
    return AnswersError(f"{sentence}.", remedy[:1].upper() + remedy[1:])
