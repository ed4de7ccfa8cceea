"""The value of an expression, for the values that are known when it is asked."""

from collections.abc import Callable, Mapping, Sequence

from mlops_new.rehearse.azure_pipelines_expressions import Call, Expression, Literal
from mlops_new.rehearse.azure_pipelines_functions import FUNCTIONS, Data, words

Status = Callable[[str, Sequence[str]], bool]


def no_status(_name: str, _arguments: Sequence[str]) -> bool:
    """For expressions that have no functions of the status."""
    return False


def entry(data: Data, name: Data) -> Data:
    """What stands under a name, whatever its capitals, or at a place of a list; nothing where nothing does."""
    if isinstance(data, Mapping):
        wanted = words(name).lower()
        return next((value for key, value in data.items() if key.lower() == wanted), None)
    if isinstance(data, list | tuple) and isinstance(name, float) and 0 <= name < len(data):
        found: Data = data[int(name)]
        return found
    return None


def evaluate(expression: Expression, roots: Mapping[str, Data], status: Status = no_status) -> Data:
    """The value of an expression; `roots` has the values by their root in small letters."""
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, Call):
        values = [evaluate(argument, roots, status) for argument in expression.arguments]
        if expression.name in FUNCTIONS:
            return FUNCTIONS[expression.name][1](*values)
        return status(expression.name, [words(value) for value in values])
    data = roots.get(expression.root)
    for part in expression.path:
        data = entry(data, evaluate(part, roots, status))
    return data
