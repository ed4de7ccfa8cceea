"""The house rules of `generator/mlops_new`, read from its source."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "generator" / "mlops_new"
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix(): ast.parse(path.read_text()) for path in PACKAGE.rglob("*.py")
}
# Each module may import those of its own row and of the rows above it.
ROWS = (
    ("__init__", "errors", "model"),
    ("yaml_nodes", "git"),
    ("catalog", "answers", "answers_file", "engine", "store"),
    ("support", "project", "verify"),
    ("cookiecutter_door",),
    ("lint",),
    ("check", "rehearse"),
    ("cli", "__main__"),
)


def imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def kit_imports(tree: ast.AST) -> set[str]:
    paths = {
        name.removeprefix("mlops_new.").replace(".", "/") for name in imported(tree) if name.startswith("mlops_new")
    }
    return {path for path in paths if path in MODULES}


def row_of(module: str) -> int:
    top = module.split("/", maxsplit=1)[0]
    return next(number for number, row in enumerate(ROWS) if top in row)


def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    found = [(name, node) for name, tree in MODULES.items() for node in ast.walk(tree)]
    return [(name, node) for name, node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.mark.parametrize("module", sorted(MODULES))
def test_imports_point_down(module: str) -> None:
    upward = [name for name in kit_imports(MODULES[module]) if row_of(name) > row_of(module)]
    assert not upward, f"{module} imports {upward}, which stand above it"


def test_there_is_no_import_cycle() -> None:
    graph = {name: kit_imports(tree) - {name} for name, tree in MODULES.items()}
    assert list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(("package", "owner"), [("copier", "engine"), ("ruamel", None)])
def test_a_package_has_the_importers_that_the_design_names(package: str, owner: str | None) -> None:
    importers = {name for name, tree in MODULES.items() if any(i.split(".")[0] == package for i in imported(tree))}
    assert importers == ({owner} if owner else {"yaml_nodes", "answers_file"})


def test_only_the_git_module_runs_git() -> None:
    for name, tree in MODULES.items():
        texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
        assert name == "git" or "git" not in texts or "subprocess" not in imported(tree), name


LINT_PROGRAMS = ("azure_pipelines", "azureml", "bicep", "rendered", "terraform", "terraform_provider")
# The console, and the modules that are started as programs whose output another module reads.
PRINTING = {"cli/console", "cookiecutter_door", "rehearse/azure_devops", *(f"lint/{name}" for name in LINT_PROGRAMS)}


def test_only_the_console_prints() -> None:
    for name, tree in MODULES.items():
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        prints = [node for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"]
        assert name in PRINTING or not prints, f"{name} prints at line {prints[0].lineno}"


def test_functions_are_short_and_take_few_parameters() -> None:
    for name, node in functions():
        assert node.end_lineno - node.lineno < 45, (
            f"{name}.{node.name} is {node.end_lineno - node.lineno + 1} lines long"
        )
        if not name.startswith("cli/"):
            assert len(node.args.args) + len(node.args.kwonlyargs) <= 6, f"{name}.{node.name}"


def test_modules_are_short() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text().splitlines()) <= 300, path.name
