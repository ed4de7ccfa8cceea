"""The model registry: the one place that registers models and moves the role of champion.

Works on MLflow's sqlite store and on Azure ML. A role is an alias where the store has aliases, and a version
tag everywhere, so that a store without aliases gives the same answers. Each version keeps the periods in
which it was champion; that is the audit trail, and what a rollback reads.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import OpsError
from .project import model_name
from .tracking import tracking_uri

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion

CHAMPION = "champion"
CHALLENGER = "challenger"
FORMER = "former"
ROLLED_BACK = "rolled_back"
_NOT_FOUND = 404  # what Azure ML answers for an interface that it lacks


@dataclass(frozen=True)
class Period:
    """A time during which a version was champion; ISO 8601 in UTC, `until` is empty while it lasts."""

    since: str
    until: str
    by: str
    reason: str


@dataclass(frozen=True)
class ModelVersion:
    """A registered version, the run that made it, its role and the periods in which it was champion."""

    name: str
    number: int
    run_id: str
    role: str
    tags: Mapping[str, str]
    periods: tuple[Period, ...]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


class Registry:
    """The versions of one model."""

    def __init__(self, name: str | None = None) -> None:
        """Open the registry of the tracking server; `name` defaults to the project's model."""
        from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds, and most commands do without it

        logging.getLogger("alembic").setLevel(logging.WARNING)
        self.name = name or model_name()
        self._client = MlflowClient(tracking_uri=tracking_uri(), registry_uri=tracking_uri())
        self._has_aliases = True

    def register(self, run_id: str, tags: Mapping[str, str]) -> ModelVersion:
        """Register the model that a run logged, as challenger; the same run is registered once."""
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

        for known in self.versions():
            if known.run_id == run_id:
                return known
        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        source = f"{self._client.get_run(run_id).info.artifact_uri}/model"
        made = self._client.create_model_version(self.name, source, run_id, tags={**tags, "role": CHALLENGER})
        self._set_alias(CHALLENGER, int(made.version))
        return self.version(int(made.version))

    def versions(self) -> tuple[ModelVersion, ...]:
        """All versions, oldest first."""
        found = self._client.search_model_versions(f"name='{self.name}'")
        return tuple(sorted((self._read(version) for version in found), key=lambda version: version.number))

    def version(self, number: int) -> ModelVersion:
        """One version by its number.

        Raises:
            OpsError: There is no such version.
        """
        for version in self.versions():
            if version.number == number:
                return version
        known = ", ".join(str(version.number) for version in self.versions()) or "none"
        raise OpsError(f"{self.name} has no version {number}.", f"Registered versions: {known}.")

    def champion(self) -> ModelVersion | None:
        """The version that scores, if there is one."""
        return self._with_role(CHAMPION)

    def challenger(self) -> ModelVersion | None:
        """The version that was registered last and awaits a decision, if there is one."""
        return self._with_role(CHALLENGER)

    def champion_on(self, moment: datetime) -> ModelVersion | None:
        """The version that was champion at a moment in time, if there was one."""
        for version in self.versions():
            for period in version.periods:
                begun = datetime.fromisoformat(period.since) <= moment
                if begun and (not period.until or moment < datetime.fromisoformat(period.until)):
                    return version
        return None

    def promote(self, number: int, by: str, reason: str) -> ModelVersion:
        """Make a version the champion; the one before keeps its history and becomes a former champion."""
        return self._crown(self.version(number), FORMER, by, reason)

    def rollback(self, by: str, reason: str) -> ModelVersion:
        """Give the role of champion back to the version that had it before.

        Raises:
            OpsError: There is no champion, or none before it.
        """
        current = self.champion()
        if current is None:
            raise OpsError(f"{self.name} has no champion.", "Promote a version first.")
        former = [v for v in self.versions() if v.role == FORMER and v.number != current.number and v.periods]
        if not former:
            problem = f"{self.name} has no champion before version {current.number}."
            raise OpsError(problem, "There is nothing to go back to.")
        previous = max(former, key=lambda version: version.periods[-1].until)
        return self._crown(previous, ROLLED_BACK, by, reason)

    def download(self, number: int, target: Path) -> Path:
        """Download a version's model folder into an existing folder; gives the model's path."""
        import mlflow  # noqa: PLC0415 - as above

        source = self._client.get_model_version_download_uri(self.name, str(number))
        return Path(mlflow.artifacts.download_artifacts(source, dst_path=str(target), tracking_uri=tracking_uri()))

    def _crown(self, version: ModelVersion, role_of_previous: str, by: str, reason: str) -> ModelVersion:
        current, now = self.champion(), _now()
        if current is not None and current.number == version.number:
            raise OpsError(f"Version {version.number} of {self.name} is the champion already.", "Nothing to do.")
        opened = (*version.periods, Period(now, "", by, reason))
        # The alias moves first: it decides, and whatever is interrupted after it only lacks history.
        self._set_alias(CHAMPION, version.number)
        self._write(version, CHAMPION, opened)
        if current is not None:
            closed = tuple(p if p.until else Period(p.since, now, p.by, p.reason) for p in current.periods)
            self._write(current, role_of_previous, closed)
        return self.version(version.number)

    def _write(self, version: ModelVersion, role: str, periods: tuple[Period, ...]) -> None:
        text = json.dumps([asdict(period) for period in periods])
        self._client.set_model_version_tag(self.name, str(version.number), "champion_periods", text)
        self._client.set_model_version_tag(self.name, str(version.number), "role", role)

    def _read(self, version: "MlflowVersion") -> ModelVersion:
        tags = dict(version.tags)
        periods = tuple(Period(**period) for period in json.loads(tags.pop("champion_periods", "[]")))
        role = tags.pop("role", "")
        return ModelVersion(self.name, int(version.version), str(version.run_id), role, tags, periods)

    def _with_role(self, role: str) -> ModelVersion | None:
        number = self._aliased(role)
        holders = [v for v in self.versions() if (v.number == number if number is not None else v.role == role)]
        return holders[-1] if holders else None

    def _set_alias(self, role: str, number: int) -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

        try:
            self._client.set_registered_model_alias(self.name, role, str(number))
        except MlflowException as error:
            if error.get_http_status_code() != _NOT_FOUND:  # type: ignore[no-untyped-call]
                raise
            self._has_aliases = False

    def _aliased(self, role: str) -> int | None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

        if not self._has_aliases:
            return None
        try:
            return int(self._client.get_model_version_by_alias(self.name, role).version)
        except MlflowException:
            return None  # no such model, no such alias, or a store without aliases: the tags answer
