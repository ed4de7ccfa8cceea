"""Makes `generator/mlops_new/lint/data/azurerm-schemas.json.xz` from two published packages.

No registry of Terraform providers serves a schema by itself, but each release of `cdktn-provider-azurerm` on PyPI holds
TypeScript that was generated from the schema of one release of azurerm. This reads it back into the form of `terraform
providers schema -json`, for the oldest and the newest release that projects allow. Run it as
`python tools/azurerm_schema.py`; it downloads the packages with uv.
"""

import base64
import json
import lzma
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Release of azurerm: release of the package that holds its schema.
PACKAGES = {"4.81.0": "17.0.0", "5.10.0": "18.9.0"}
TARGET = Path(__file__).resolve().parents[1] / "generator" / "mlops_new" / "lint" / "data" / "azurerm-schemas.json.xz"

Block = dict[str, Any]
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=data:application/json;[^,]*base64,(\S+)", re.MULTILINE)
_TOP = re.compile(r"^export (?=class |function |interface )", re.MULTILINE)
_CLASS = re.compile(r"class (\w+) extends cdkt[nf]\.(\w+)")
_SETTINGS = re.compile(r"function (\w+)ToHclTerraform\(")
_TYPE_NAME = re.compile(r'static readonly tfResourceType = "(\w+)"')
_FLAGS = re.compile(
    r"^  // (\w+) - computed: (true|false), optional: (true|false), required: (true|false)$", re.MULTILINE
)
_ENTRY = re.compile(
    r'^ +(\w+): \{\n +value: (.*),\n +isBlock: (true|false),\n +type: "(\w+)",\n +storageClassType: "(\w+)",',
    re.MULTILINE,
)
_NESTED = re.compile(r"new (\w+)\(this, \"\w+\"(?:, (true|false))?\)")
_MAP = re.compile(r"new cdkt[nf]\.(String|Boolean|Number|Any)Map(List)?\(")
_GETTER = re.compile(r"this\.(get\w+Attribute|interpolationForAttribute)\(")
_SIMPLE = {
    "string": "string",
    "number": "number",
    "boolean": "bool",
    "any": "dynamic",
    "String": "string",
    "Number": "number",
    "Boolean": "bool",
    "Any": "dynamic",
}
_STORED = re.compile(r"(string|number|boolean|any)(List|Map)?(List)?")
_READ: dict[str, object] = {
    "getStringAttribute": "string",
    "getNumberAttribute": "number",
    "getBooleanAttribute": "bool",
    "getListAttribute": ["list", "string"],
    "getNumberListAttribute": ["list", "number"],
    "getStringMapAttribute": ["map", "string"],
}


@dataclass
class Struct:
    """A class of the TypeScript: what it stands for, and the text about each of its attributes."""

    name: str
    base: str
    type_name: str
    attributes: dict[str, tuple[dict[str, bool], str]] = field(default_factory=dict)
    settings: dict[str, tuple[bool, str, str]] = field(default_factory=dict)


def typescript(script: str) -> str:
    """The TypeScript that a script was compiled from, which the script carries along."""
    match = _SOURCE_MAP.search(script)
    if match is None:
        raise SystemExit("A script of the package carries no source map: read its TypeScript another way.")
    return str(json.loads(base64.b64decode(match[1]))["sourcesContent"][0])


def read_structs(source: str) -> tuple[dict[str, Struct], dict[str, dict[str, tuple[bool, str, str]]]]:
    """The classes of a source by name, and how each plain structure is written, by its name in small letters."""
    structs: dict[str, Struct] = {}
    written: dict[str, dict[str, tuple[bool, str, str]]] = {}
    for part in _TOP.split(source):
        if match := _CLASS.match(part):
            named = _TYPE_NAME.search(part)
            struct = Struct(match[1], match[2], named[1] if named else "")
            marks = list(_FLAGS.finditer(part))
            ends = [*(mark.start() for mark in marks), len(part)][1:]
            for mark, end in zip(marks, ends, strict=False):
                flags = {name: mark[n] == "true" for n, name in enumerate(("computed", "optional", "required"), 2)}
                struct.attributes[mark[1]] = (flags, part[mark.end() : end])
            struct.settings = read_settings(part)
            structs[struct.name] = struct
        elif match := _SETTINGS.match(part):
            written[match[1].lower()] = read_settings(part)
    return structs, written


def read_settings(part: str) -> dict[str, tuple[bool, str, str]]:
    """For each setting: whether it is a block, its kind, and how it is stored."""
    return {name: (block == "true", kind, stored) for name, _, block, kind, stored in _ENTRY.findall(part)}


class Schema:
    """Builds the schemas of one source."""

    def __init__(self, source: str) -> None:
        """Read the source."""
        self.structs, self._written = read_structs(source)

    def block(self, struct: Struct) -> Block:
        """The schema of a resource, or of a block in it."""
        settings = struct.settings or self._written.get(re.sub(r"OutputReference\Z", "", struct.name).lower(), {})
        attributes: dict[str, Block] = {}
        blocks: dict[str, Block] = {}
        for name, (flags, text) in struct.attributes.items():
            is_block, kind, stored = settings.get(name, (False, "", ""))
            inner, is_single = self._inner(text)
            if is_block and inner is not None:
                mode = "single" if kind == "struct" else kind
                nested: Block = {"nesting_mode": mode, "block": self.block(inner)}
                if flags["required"]:
                    nested["min_items"] = 1
                if is_single and mode != "single":
                    nested["max_items"] = 1
                blocks[name] = nested
            else:
                found = {flag: True for flag, is_set in flags.items() if is_set} or {"optional": True}
                attributes[name] = {"type": self._type(text, kind, stored, inner), **found}
        return {key: value for key, value in (("attributes", attributes), ("block_types", blocks)) if value}

    def provider(self) -> Block:
        """The schema of the provider's own settings, which the source holds as plain structures alone."""
        struct = next(struct for struct in self.structs.values() if struct.base == "TerraformProvider")
        return self._plain(struct.settings)

    def _plain(self, settings: dict[str, tuple[bool, str, str]]) -> Block:
        attributes, blocks = {}, {}
        for name, (is_block, kind, stored) in settings.items():
            if is_block:
                inner = self._written.get(re.sub(r"List\Z", "", stored).lower(), {})
                blocks[name] = {"nesting_mode": "list", "block": self._plain(inner)}
            else:
                attributes[name] = {"type": stored_type(kind, stored) or "dynamic", "optional": True}
        return {key: value for key, value in (("attributes", attributes), ("block_types", blocks)) if value}

    def _inner(self, text: str) -> tuple[Struct | None, bool]:
        match = _NESTED.search(text)
        struct = self.structs.get(match[1]) if match else None
        if struct is None or struct.base not in ("ComplexList", "ComplexMap"):
            return struct, True
        return self.structs.get(re.sub(r"(List|Map)\Z", "OutputReference", struct.name)), False

    def _type(self, text: str, kind: str, stored: str, inner: Struct | None) -> object:
        if inner is not None:
            return ["set" if kind == "set" else "list", self._object(inner)]
        if plain := stored_type(kind, stored):
            return plain
        if match := _MAP.search(text):
            inside = ["map", _SIMPLE[match[1]]]
            return ["list", inside] if match[2] else inside
        getter = _GETTER.search(text)
        read = _READ.get(getter[1] if getter else "", "dynamic")
        return ["set", read[1]] if isinstance(read, list) and read[0] == "list" and "Fn.tolist" in text else read

    def _object(self, struct: Struct) -> object:
        block = self.block(struct)
        members = {name: attribute["type"] for name, attribute in block.get("attributes", {}).items()}
        for name, nested in block.get("block_types", {}).items():
            members[name] = [
                "list",
                ["object", {k: v["type"] for k, v in nested["block"].get("attributes", {}).items()}],
            ]
        return ["object", members]


def stored_type(kind: str, stored: str) -> object:
    """The type of a value by how it is stored, or None for a structure."""
    match = _STORED.fullmatch(stored)
    if match is None:
        return None
    plain = _SIMPLE[match[1]]
    if not match[2]:
        return plain
    several = "map" if match[2] == "Map" else "set" if kind == "set" else "list"
    return ["list", [several, plain]] if match[3] else [several, plain]


def scripts(package: Path) -> Iterator[tuple[str, str]]:
    """Each script of a package, by the folder that it stands in."""
    archive = next(package.rglob("*.jsii.tgz"))
    with tarfile.open(archive) as files:
        for member in files:
            if re.fullmatch(r"package/lib/[\w-]+/index\.js", member.name):
                content = files.extractfile(member)
                yield member.name.split("/")[2], content.read().decode() if content else ""


def provider_schema(package: Path) -> Block:
    """The schema of the provider that a package was generated from."""
    found: Block = {"provider": {}, "resource_schemas": {}, "data_source_schemas": {}}
    kinds = {"TerraformResource": "resource_schemas", "TerraformDataSource": "data_source_schemas"}
    for folder, script in scripts(package):
        if folder == "provider-functions":
            continue
        schema = Schema(typescript(script))
        if folder == "provider":
            found["provider"] = schema.provider()
        for struct in schema.structs.values():
            if struct.base in kinds:
                found[kinds[struct.base]][struct.type_name] = schema.block(struct)
    return found


def main() -> int:
    """Download the packages, read them, and write the file."""
    schemas = {}
    for release, package in PACKAGES.items():
        with tempfile.TemporaryDirectory() as folder:
            target = sys.argv[1] + "/" + package if len(sys.argv) > 1 else folder
            if len(sys.argv) <= 1:
                command = ["uv", "pip", "install", "--quiet", "--no-deps", "--target", folder]
                subprocess.run([*command, f"cdktn-provider-azurerm=={package}"], check=True)
            schemas[release] = provider_schema(Path(target))
        counts = {kind: len(found) for kind, found in schemas[release].items()}
        print(f"azurerm {release}: {counts}")
    TARGET.parent.mkdir(exist_ok=True)
    text = json.dumps(schemas, sort_keys=True, separators=(",", ":"))
    TARGET.write_bytes(lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME))
    print(f"{TARGET.name}: {TARGET.stat().st_size // 1000} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
