"""What the files in `azureml/data` and `azureml/environments` define, and references to it."""

import re
from pathlib import Path
from typing import Final

from .azureml_yaml import CLOUD_ONLY, PATH_TYPES, Node, read_yaml

_REFERENCE: Final = re.compile(r"\Aazureml:(?P<name>[A-Za-z0-9._-]+):(?P<version>[A-Za-z0-9._-]+)\Z")
_REMOTE: Final = re.compile(r"\A[a-z][a-z0-9+.-]+:")


def _folder(node: Node, folder: str) -> Path:
    for parent in node.path.resolve().parents:
        if parent.name == "azureml":
            return parent / folder
    raise node.fail("the file stands in no folder named azureml", "Move it under azureml/.")


def _asset(node: Node, reference: str, folder: str) -> Node:
    if not _REFERENCE.match(reference):
        raise node.fail(f"{reference!r} is not azureml:<name>:<version>", "Name an asset and its version.")
    known: dict[str, Node] = {}
    for path in sorted(_folder(node, folder).glob("*.yml")):
        asset = read_yaml(path)
        name = f"azureml:{asset.text('name')}:{asset.text('version')}"
        if name in known:
            raise asset.fail(f"{name} is defined in {known[name].path} too", "Raise one of the two versions.")
        known[name] = asset
    if reference not in known:
        remedy = f"Name one of {', '.join(known)}." if known else f"Define it in azureml/{folder}/."
        raise node.fail(f"{reference} is defined by no file in azureml/{folder}", remedy)
    return known[reference]


def check_environment_file(asset: Node) -> None:
    """Refuse an environment that is defined in two ways or none, or from files that do not exist."""
    asset.only({"name", "build", "image", "conda_file"}, CLOUD_ONLY | {"inference_config", "os_type"})
    _reference_of(asset)
    if ("image" in asset.values) == ("build" in asset.values):
        raise asset.fail("an environment has either image or build", "Keep one of the two.")
    if "image" in asset.values:
        asset.text("image")
        if isinstance(asset.values.get("conda_file"), str):
            asset.relative("conda_file")
        return
    build = asset.child("build")
    build.only({"path", "dockerfile_path"})
    dockerfile = build.relative("path") / build.text("dockerfile_path", "Dockerfile")
    if "conda_file" in asset.values or not dockerfile.is_file():
        raise build.fail(f"build needs {dockerfile} and no conda_file", "Correct the environment.")


def check_data_file(asset: Node) -> None:
    """Refuse a data asset without a version, of an unknown type, or with a key that is unknown."""
    asset.only({"name", "path"}, CLOUD_ONLY)
    _reference_of(asset)
    asset.text("path")
    if asset.text("type", "uri_folder") not in PATH_TYPES:
        raise asset.fail(f"the type {asset.text('type')!r} is unknown here", f"Use one of {', '.join(PATH_TYPES)}.")


def _reference_of(asset: Node) -> str:
    reference = f"azureml:{asset.text('name')}:{asset.text('version')}"
    if not _REFERENCE.match(reference):
        raise asset.fail(f"{reference!r} is no name and version", "Use letters, digits, '.', '_' and '-'.")
    return reference


def check_environment(node: Node, reference: str) -> None:
    """Refuse a reference to an environment that the project does not define properly."""
    check_environment_file(_asset(node, reference, "environments"))


def check_path(node: Node, kind: str, text: str) -> None:
    """Refuse a path that leads nowhere, or a data asset that is not defined; its data need not be here."""
    if _REMOTE.match(text):
        _data_asset(node, kind, text)
    else:
        node.relative("path")


def local_path(node: Node, kind: str, text: str) -> Path:
    """The file or folder on this machine that a path or `azureml:<name>:<version>` leads to.

    Args:
        node: Where the text stands: errors name it, and a path is relative to its file.
        kind: The type of the input, such as `uri_folder`.
        text: The path or reference.

    Raises:
        OpsError: It leads nowhere, into the cloud, or to a file where a folder is wanted.
    """
    base = node.path
    if _REMOTE.match(text):
        asset = _data_asset(node, kind, text)
        base, text = asset.path, asset.text("path")
        if _REMOTE.match(text):
            raise asset.fail(f"path is {text}, in the cloud", "Override the input with --set inputs.<name>.path=...")
    found = (base.parent / text).resolve()
    if not (found.is_file() if kind == "uri_file" else found.is_dir()):
        wanted = "file" if kind == "uri_file" else "folder"
        raise node.fail(f"{text} leads to {found}, where no {wanted} is", f"Put the {wanted} there, or correct it.")
    return found


def _data_asset(node: Node, kind: str, reference: str) -> Node:
    asset = _asset(node, reference, "data")
    check_data_file(asset)
    if asset.text("type", "uri_folder") != kind:
        raise node.fail(
            f"{reference} is a {asset.text('type', 'uri_folder')}, not a {kind}", "Make the types the same."
        )
    return asset
