"""Changes a module's source in one place at a time, and runs tests against each change.

    python mutation.py PROJECT MODULE TESTS...

Run by the project's own Python, in which numpy and pytest are imported once; each mutant lives in a forked
process. Prints, as JSON, how many mutants there were and which of them no test noticed.
"""

import ast
import copy
import importlib
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

FLIPS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
WORKERS = 2
SURVIVED = 0


def changes(node: ast.AST) -> Iterator[tuple[str, Callable[[ast.AST], ast.AST | None]]]:
    """What can be changed at a node: a description, and a function from a copy of the node to its replacement."""
    if isinstance(node, ast.Compare):
        yield from _comparisons(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield f"{type(node.op).__name__} becomes {other.__name__}", lambda n: ast.BoolOp(other(), n.values)
        for index, value in enumerate(node.values):
            yield f"`{ast.unparse(value)}` is dropped", _without(index)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
        yield f"{type(node.op).__name__} is dropped", lambda n: n.operand
    elif isinstance(node, ast.IfExp):
        yield "the condition is always true", lambda n: n.body
        yield "the condition is always false", lambda n: n.orelse
    elif isinstance(node, ast.If) and isinstance(node.body[-1], ast.Return | ast.Raise | ast.Continue):
        yield "the early exit is dropped", lambda _: ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield "the call is dropped", lambda _: ast.Pass()


def _comparisons(node: ast.Compare) -> Iterator[tuple[str, Callable[[ast.AST], ast.AST]]]:
    for index, operator in enumerate(node.ops):
        for other in FLIPS[type(operator)]:
            yield f"{type(operator).__name__} becomes {other.__name__}", _operator(index, other)
    for index, value in enumerate(node.comparators):
        if isinstance(value, ast.Constant) and isinstance(value.value, int | float):
            yield f"{value.value} becomes {value.value + 1}", _constant(index, value.value + 1)


def _operator(index: int, other: type[ast.cmpop]) -> Callable[[ast.AST], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        node.ops[index] = other()
        return node

    return change


def _constant(index: int, value: float) -> Callable[[ast.AST], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        node.comparators[index] = ast.Constant(value)
        return node

    return change


def _without(index: int) -> Callable[[ast.AST], ast.AST]:
    def change(node: ast.AST) -> ast.AST:
        kept = [value for place, value in enumerate(node.values) if place != index]
        return kept[0] if len(kept) == 1 else ast.BoolOp(node.op, kept)

    return change


class _Replacer(ast.NodeTransformer):
    def __init__(self, target: int, change: Callable[[ast.AST], ast.AST | None]) -> None:
        self.target, self.change = target, change

    def visit(self, node: ast.AST) -> ast.AST | None:
        if getattr(node, "mutation_id", None) == self.target:
            return ast.copy_location(self.change(node), node)
        return self.generic_visit(node)


def mutants(source: str) -> Iterator[tuple[str, ast.Module]]:
    """Every mutant of a module, with a sentence that says what was changed and where."""
    tree = ast.parse(source)
    lines = source.splitlines()
    for number, node in enumerate(ast.walk(tree)):
        node.mutation_id = number
    for node in ast.walk(tree):
        for description, change in changes(node):
            mutant = _Replacer(node.mutation_id, change).visit(copy.deepcopy(tree))
            where = f"line {node.lineno}, `{lines[node.lineno - 1].strip()}`"
            yield f"{where}: {description}", ast.fix_missing_locations(mutant)


def run(module: str, tree: ast.Module, path: Path, tests: list[str]) -> bool:
    """Whether the tests notice the mutant; they run in a forked process."""
    process = os.fork()
    if process:
        return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) != SURVIVED
    code = 1
    try:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        os.dup2(quiet, 2)
        spec = importlib.util.spec_from_file_location(module, path)
        made = importlib.util.module_from_spec(spec)
        sys.modules[module] = made
        parent, _, name = module.rpartition(".")
        setattr(importlib.import_module(parent), name, made)
        exec(compile(tree, str(path), "exec"), made.__dict__)  # noqa: S102 - that is what a mutant is for
        import pytest  # noqa: PLC0415 - imported by the parent already

        code = int(pytest.main([*tests, "-x", "-q", "-p", "no:cacheprovider", "-o", "filterwarnings=ignore"]))
    finally:
        os._exit(code)


def main(project: Path, module: str, tests: list[str]) -> None:
    """Run all mutants of a module, two at a time."""
    os.chdir(project)
    sys.path.insert(0, str(project / "src"))
    for name in ("numpy", "pytest", "hypothesis.strategies", "_pytest.assertion.rewrite"):
        importlib.import_module(name)
    path = project / "src" / Path(*module.split(".")).with_suffix(".py")
    found = list(mutants(path.read_text(encoding="utf-8")))
    with ThreadPoolExecutor(WORKERS) as pool:
        noticed = list(pool.map(lambda mutant: run(module, mutant[1], path, tests), found))
    survivors = [description for (description, _), was in zip(found, noticed, strict=True) if not was]
    unchanged = run(module, ast.parse(path.read_text(encoding="utf-8")), path, tests)
    verdict = {"mutants": len(found), "survivors": survivors, "unchanged_source_fails": unchanged}
    sys.stdout.write(json.dumps(verdict) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), sys.argv[2], sys.argv[3:])
