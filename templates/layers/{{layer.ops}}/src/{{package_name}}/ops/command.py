"""The command line of a component: checked when it is read, filled in when it runs.

Azure ML gives the text to bash. Here no shell takes part, so that a value is one argument whatever it holds;
a command that needs a shell is refused.
"""

import re
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from .azureml_yaml import Node

_REFERENCE: Final = re.compile(r"\$\{\{\s*([^{}]*?)\s*\}\}")
_OPTIONAL: Final = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_QUOTED: Final = re.compile(r"""'[^']*'|"[^"$`\\!]*\"""")
_SHELL: Final = re.compile(r"[|&;<>`$\\*?~#!(){}\[\]\n]")


def normal_command(text: str) -> str:
    """A command on one line, with references spelt in one way."""
    joined = re.sub(r"\\\n\s*", " ", text.strip())
    return _REFERENCE.sub(lambda match: "${{" + match.group(1) + "}}", joined)


def check_command(node: Node, command: str, code: Path, inputs: Mapping[str, bool], outputs: Collection[str]) -> None:
    """Refuse a command that needs a shell, names what is not declared, leaves out what is, or has no such script.

    Args:
        node: The component, which errors name.
        command: The command, as `normal_command` gives it.
        code: The folder in which it will run.
        inputs: For each declared input, whether it is optional.
        outputs: The declared outputs.
    """
    declared = {f"inputs.{name}" for name in inputs} | {f"outputs.{name}" for name in outputs}
    named = set(_REFERENCE.findall(command))
    for reference in sorted(named - declared):
        raise node.fail(f"the command names {reference}, which is not declared", "Declare it, or correct it.")
    for reference in sorted(declared - named):
        raise node.fail(f"the command makes no use of {reference}", "Hand it to the program, or remove it.")
    bare = _OPTIONAL.sub("", command)
    for reference in _REFERENCE.findall(bare):
        if inputs.get(reference.removeprefix("inputs."), False) and reference.startswith("inputs."):
            remedy = f"Write $[[... ${{{{{reference}}}}}]] around its flag."
            raise node.fail(f"the optional {reference} stands outside $[[ ]]", remedy)
    for part in _OPTIONAL.findall(command):
        if not _REFERENCE.search(part):
            raise node.fail(f"the optional part {part!r} names no input", "Take it out of $[[ ]].")
    _check_words(node, command, code)


def _check_words(node: Node, command: str, code: Path) -> None:
    plain = _REFERENCE.sub("x", _OPTIONAL.sub(r"\1", command))
    found = _SHELL.search(_QUOTED.sub("", plain))
    if found:
        shown = "a line end" if found.group() == "\n" else found.group()
        problem = f"the command needs a shell for {shown}"
        raise node.fail(problem, "Call one program, quote what is meant literally, and put the rest into a module.")
    try:
        words = shlex.split(plain)
    except ValueError as error:
        raise node.fail(f"the command cannot be read: {error}", "Close the quotation.") from None
    if re.match(r"\A\w+=", words[0]):
        raise node.fail(f"the command begins with {words[0]}", "Set it in environment_variables of the step.")
    if words[0] in ("python", "python3"):
        _check_script(node, words[1:], code)


def _check_script(node: Node, words: list[str], code: Path) -> None:
    if words[:1] == ["-m"] and len(words) > 1:
        module = code / Path(*words[1].split("."))
        found = module.with_suffix(".py").is_file() or (module / "__main__.py").is_file()
    else:
        found = bool(words) and (words[0] == "-c" or (code / words[0]).is_file())
    if not found:
        raise node.fail(f"the command runs no module or script of {code}", "Correct the command or the code.")


def fill_command(command: str, values: Mapping[str, str]) -> list[str]:
    """The words of a command, with each `inputs.x` and `outputs.y` of `values` in place.

    A value stays within one word whatever it holds. An optional part, `$[[...]]`, falls away when an input that
    it names has no value.
    """

    def optional(match: re.Match[str]) -> str:
        return match.group(1) if all(name in values for name in _REFERENCE.findall(match.group(1))) else ""

    words = shlex.split(_OPTIONAL.sub(optional, command))
    return [_REFERENCE.sub(lambda match: values[match.group(1)], word) for word in words]
