"""The model that scores: the champion, or a version by its number, from the registry."""

import tempfile
from pathlib import Path

from ..ops.errors import OpsError
from ..ops.registry import CHAMPION, ModelVersion, Registry
from . import bundle
from .bundle import Bundle


def chosen_version(registry: Registry, wanted: str) -> ModelVersion:
    """The champion, or a version by its number.

    Raises:
        OpsError: There is no champion, or no such version.
    """
    if wanted != CHAMPION:
        if not wanted.isdecimal():
            raise OpsError(f"{wanted!r} is no version of a model.", "Give champion or a number.")
        return registry.version(int(wanted))
    champion = registry.champion()
    if champion is None:
        raise OpsError(f"{registry.name} has no champion.", "Train, register and promote a model first.")
    return champion


def load_version(wanted: str) -> tuple[ModelVersion, Bundle]:
    """Find a version in the registry and load its model."""
    registry = Registry()
    version = chosen_version(registry, wanted)
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        return version, bundle.load(registry.download(version.number, Path(folder)))
