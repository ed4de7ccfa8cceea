"""The names of a Bicep file: what it declares, what it uses, and what nobody knows."""

from collections.abc import Iterator
from typing import Final

from mlops_new.lint.bicep_tree import Node, first, inner, line_of, meant, text_of, walk

Fault = tuple[int, str]

_FUNCTIONS: Final = """
any array base64 base64ToJson base64ToString bool buildUri cidrHost cidrSubnet coalesce concat contains createObject
dataUri dataUriToString dateTimeAdd dateTimeFromEpoch dateTimeToEpoch deployer deployment empty endsWith environment
extensionResourceId externalInput fail filter first flatten format getSecret groupBy guid indexOf int intersection
items join json last lastIndexOf length list listAccountSas listKeys listSecrets listServiceSas loadDirectoryFileInfo
loadFileAsBase64 loadJsonContent loadTextContent loadYamlContent managementGroup managementGroupResourceId map
mapValues max min nameof newGuid objectKeys padLeft parseCidr parseUri pickZones providers range
readEnvironmentVariable reduce reference replace resourceGroup resourceId shallowMerge skip sort split startsWith
string subscription subscriptionResourceId substring take tenant tenantResourceId this toLogicalZone toLogicalZones
toLower toObject toPhysicalZone toPhysicalZones toUpper trim tryGet tryIndexFromEnd union uniqueString uri
uriComponent uriComponentToString utcNow
"""
_DECORATORS: Final = """
allowed batchSize description discriminator export maxLength maxValue metadata minLength minValue onlyIfNotExists
retryOn sealed secure userDefinedConstraint validate waitUntil
"""
FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
DECORATORS: Final = frozenset(_DECORATORS.split())
TYPES: Final = frozenset(["any", "array", "bool", "int", "object", "string", "resourceInput", "resourceOutput"])
_NAMESPACES: Final = frozenset(["az", "sys", "this"])
_DECLARING: Final = frozenset(
    [
        "parameter_declaration",
        "variable_declaration",
        "resource_declaration",
        "module_declaration",
        "type_declaration",
        "user_defined_function",
        "metadata_declaration",
        "output_declaration",
    ]
)
# What cannot be named by an expression, or shares no name with what can.
_APART: Final = frozenset(["output_declaration", "metadata_declaration"])
_TYPED: Final = frozenset(["type", "primitive_type", "nullable_type", "array_type", "union_type", "type_declaration"])


def declarations(root: Node) -> Iterator[tuple[str, Node]]:
    """The name and the node of each declaration, resources inside of resources included."""
    for node in walk(root):
        if node.type in _DECLARING:
            name = first(node, "identifier")
            if name is not None:
                yield text_of(name), node


def imported(root: Node) -> set[str]:
    """The names that come from other files."""
    kinds = ("import_functionality", "import_statement", "import_with_statement")
    return {
        text_of(node)
        for top in root.children
        if top.type in kinds
        for node in walk(top)
        if node.type in {"identifier", "property_identifier"}
    }


def name_faults(root: Node) -> Iterator[Fault]:
    """Names that are declared twice, that nobody declares, or that nobody uses."""
    declared: dict[str, Node] = {}
    for name, node in declarations(root):
        if node.type in _APART:
            continue
        if name in declared:
            yield line_of(node), f"{name!r} is declared twice: rename one."
        declared.setdefault(name, node)
    known, used = declared.keys() | imported(root), set[str]()
    for node in walk(root):
        if node.type != "identifier" or _is_no_use(node):
            continue
        name = text_of(node)
        used.add(name)
        yield from _use_faults(node, name, known)
    for name, node in declared.items():
        if (
            node.type in {"parameter_declaration", "variable_declaration"}
            and name not in used
            and not _is_exported(node)
        ):
            yield line_of(node), f"Nobody uses {name!r}: remove it."


def _is_exported(node: Node) -> bool:
    before = node.prev_named_sibling
    return before is not None and before.type == "decorators" and "export" in text_of(before)


def _is_no_use(node: Node) -> bool:
    """Whether an identifier is a declared name, a key, or part of an import."""
    parent = node.parent
    if parent.type in _DECLARING:
        return bool(first(parent, "identifier") == node)
    if parent.type == "object_property":
        return bool(parent.children[0] == node)
    return parent.type in {"parameter", "for_loop_parameters", "import_functionality", "import_statement"} or (
        parent.type == "for_statement" and parent.child_by_field_name("initializer") == node
    )


def _use_faults(node: Node, name: str, known: set[str]) -> Iterator[Fault]:
    if _in(node, "decorator") and _is_called(node) and node.parent.parent.type == "decorator":
        if name not in DECORATORS:
            yield line_of(node), f"There is no decorator {name!r}. {meant(name, DECORATORS)}"
    elif _in(node, *_TYPED) and not _in_value(node):
        if name not in TYPES and name not in known and name not in _NAMESPACES:
            yield line_of(node), f"There is no type {name!r}. {meant(name, TYPES | known)}"
    elif _is_called(node):
        if name not in FUNCTIONS and name not in known:
            yield line_of(node), f"There is no function {name!r}. {meant(name, FUNCTIONS)}"
    elif name not in known and name not in _NAMESPACES and name not in _local(node):
        yield line_of(node), f"Nobody declares {name!r}. {meant(name, known | _local(node))}"


def _in(node: Node, *kinds: str) -> bool:
    while node is not None:
        if node.type in kinds:
            return True
        node = node.parent
    return False


def _in_value(node: Node) -> bool:
    """Whether a name stands in the value of a declaration, and not in its type."""
    while node.parent is not None and node.parent.type not in _DECLARING:
        node = node.parent
    if node.parent is None or node.parent.type == "type_declaration":
        return False
    return node.type not in _TYPED


def _is_called(node: Node) -> bool:
    """Whether a parenthesis follows at once; the grammar tears calls in lists apart."""
    after = node.next_sibling
    return after is not None and after.start_byte == node.end_byte and after.text.startswith(b"(")


def _local(node: Node) -> set[str]:
    """The names that loops, lambdas and functions around a node give to what they go through."""
    found: set[str] = set()
    while node is not None:
        if node.type == "for_statement":
            named = [node.child_by_field_name("initializer"), first(node, "for_loop_parameters")]
            found |= {
                text_of(item) for part in named if part for item in walk(part) if item.is_named and not item.children
            }
        elif node.type == "lambda_expression":
            found |= {text_of(item) for part in inner(node)[:-1] for item in walk(part) if item.type == "identifier"}
        elif node.type == "user_defined_function":
            parameters = first(node, "parameters")
            found |= {text_of(inner(item)[0]) for item in inner(parameters)} if parameters else set()
        node = node.parent
    return found
