"""What finished steps wrote, by all that it depends on, so that an unchanged step need not run again."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from .errors import OpsError
from .files import copy, read_mapping, sha256_of, write_json
from .settings import from_mapping


@dataclass(frozen=True)
class Entry:
    """The outputs of a finished step: paths and content hashes by name.

    `tracking` is the tracking server that knows the step's MLflow run, empty where there was none.
    """

    outputs: dict[str, str]
    hashes: dict[str, str]
    tracking: str

    @classmethod
    def of(cls, outputs: Mapping[str, Path], tracking: str) -> Self:
        """Take down outputs that are complete."""
        paths = {name: str(path) for name, path in outputs.items()}
        return cls(paths, {name: sha256_of(path) for name, path in outputs.items()}, tracking)

    def is_intact(self, tracking: str) -> bool:
        """Whether every output still stands there as it was written, and the run is known to the server."""
        return self.tracking in ("", tracking) and all(
            Path(path).exists() and sha256_of(Path(path)) == self.hashes.get(name)
            for name, path in self.outputs.items()
        )


class StepCache:
    """Entries in a folder, one file for each step and key."""

    def __init__(self, folder: Path) -> None:
        """Use a folder, which need not exist."""
        self.folder = folder

    def _file(self, step: str, key: Mapping[str, str]) -> Path:
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()
        return self.folder / f"{step}-{digest[:32]}.json"

    def remember(self, step: str, key: Mapping[str, str], entry: Entry) -> None:
        """Keep what a step wrote."""
        write_json(self._file(step, key), asdict(entry))

    def restore(self, step: str, key: Mapping[str, str], targets: Mapping[str, Path], tracking: str) -> bool:
        """Copy the outputs of an earlier run to `targets`; gives whether there were any that are intact."""
        try:
            entry = from_mapping(Entry, read_mapping(self._file(step, key)), "cache")
        except OpsError:
            return False  # absent, cut off or of another release: all mean that the step has to run
        if set(entry.outputs) != set(targets) or not entry.is_intact(tracking):
            return False
        for name, target in targets.items():
            copy(Path(entry.outputs[name]), target)
        self.remember(step, key, Entry.of(targets, entry.tracking))
        return True
