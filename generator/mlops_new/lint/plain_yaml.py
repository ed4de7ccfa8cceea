"""YAML as tools read it, and the line that a dotted path such as `jobs.train.inputs` leads to."""

import yaml  # type: ignore[import-untyped, unused-ignore]

ParseError: type[Exception] = yaml.YAMLError


def parse(text: str) -> object:
    """What a YAML text says.

    Raises:
        ParseError: It is not YAML.
    """
    return yaml.safe_load(text)


def line_of(text: str, path: str) -> int:
    """The line, counted from 1, of the last key of a path that exists; 1 where none does, 0 where nothing parses."""
    try:
        node: yaml.Node | None = yaml.compose(text)
    except ParseError:
        return 0
    line = 1
    for name in path.split("."):
        if isinstance(node, yaml.SequenceNode) and name.isdecimal() and int(name) < len(node.value):
            node = node.value[int(name)]
            line = node.start_mark.line + 1
            continue
        entries = node.value if isinstance(node, yaml.MappingNode) else []
        found = [(key, value) for key, value in entries if getattr(key, "value", None) == name]
        if not found:
            break
        line, node = found[0][0].start_mark.line + 1, found[0][1]
    return line
