"""copier's private interface, as `engine.py` uses it; a new release of copier fails here first."""

import inspect

import copier
from copier._jinja_ext import get_yield_context
from copier._main import Worker, _operation
from copier._subproject import Subproject
from copier._template import Template
from copier._types import Phase
from copier._user_data import CAST_STR_TO_NATIVE, parse_yaml_string


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_copier_is_the_pinned_release() -> None:
    assert copier.__version__ == "9.19.1"


def test_the_worker_has_the_methods_that_are_replaced_and_called() -> None:
    assert parameters(Worker._render_file) == ["self", "src_relpath", "dst_relpath", "extra_context"]
    assert parameters(Worker._render_folder) == ["self", "dst_relpath"]
    assert parameters(Worker._render_symlink) == ["self", "src_relpath", "dst_relpath"]
    assert parameters(Worker._render_context) == ["self"]
    assert parameters(Worker._render_string) == ["self", "string", "extra_context"]
    assert parameters(Worker._render_path) == ["self", "relpath"]
    assert parameters(Worker._ask) == ["self"]
    assert parameters(Worker._render_template) == ["self"]
    assert callable(Worker.__dict__["jinja_env"].func)


def test_the_template_has_the_attributes_that_are_preset() -> None:
    for name in ("vcs", "local_abspath", "git_index_modes", "commit", "templates_suffix"):
        assert name in vars(Template), name
    assert "last_answers" in vars(Subproject)


def test_yaml_answers_are_cast_through_a_table_that_can_be_changed() -> None:
    assert CAST_STR_TO_NATIVE["yaml"]("{a: 1}") == parse_yaml_string("{a: 1}")


def test_phases_and_the_operation_are_context_variables() -> None:
    token = _operation.set("copy")
    _operation.reset(token)
    with Phase.use(Phase.RENDER):
        assert Phase.current() is Phase.RENDER
    assert callable(get_yield_context)
