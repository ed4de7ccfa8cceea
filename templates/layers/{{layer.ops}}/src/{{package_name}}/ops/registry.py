"""The model registry: the one place that registers models and moves the role of champion.

Works on MLflow's sqlite store and on Azure ML. A role is an alias where the store has aliases, and a version
tag everywhere, so that a store without aliases gives the same answers. Each version keeps the periods in
which it was champion; that is the audit trail, and what a rollback reads.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import OpsError
from .project import model_name
from .tracking import tracking_uri

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion as MlflowVersion
    from mlflow.exceptions import MlflowException

CHAMPION = "champion"
CHALLENGER = "challenger"
FORMER = "former"
ROLLED_BACK = "rolled_back"
_NOT_FOUND = 404  # also what Azure ML answers for an interface that it lacks
_REASON_LENGTH = 500  # characters; a store refuses a tag that is too long, and that would be halfway


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


def _crowned(version: ModelVersion) -> str:
    return version.periods[-1].since if version.periods else ""


def _is_not_found(error: "MlflowException") -> bool:
    return bool(error.get_http_status_code() == _NOT_FOUND)  # type: ignore[no-untyped-call]


def _verify_reason(reason: str) -> None:
    if len(reason) > _REASON_LENGTH:
        problem = f"The reason has {len(reason)} characters, and {_REASON_LENGTH} fit into the record."
        raise OpsError(problem, "Shorten it, for example to the number of the incident.")


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
        """Register the model that a run logged, as challenger; the same run is registered once.

        Raises:
            OpsError: There is no such run, or it logged no model.
        """
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

        for known in self.versions():
            if known.run_id == run_id:
                return known
        source = self._model_of(run_id)
        try:
            self._client.create_registered_model(self.name)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = self._client.create_model_version(self.name, source, run_id, tags={**tags, "role": CHALLENGER})
        self._set_alias(CHALLENGER, int(made.version))
        return self.version(int(made.version))

    def versions(self) -> tuple[ModelVersion, ...]:
        """All versions, oldest first."""
        page = self._client.search_model_versions(f"name='{self.name}'")
        found = list(page)
        while page.token:
            page = self._client.search_model_versions(f"name='{self.name}'", page_token=page.token)
            found += page
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
        number, versions = self._aliased(CHAMPION), self.versions()
        if number is not None:
            return next((version for version in versions if version.number == number), None)
        holders = [version for version in versions if version.role == CHAMPION]
        # Two hold the role where a promotion was interrupted: the newer one was meant.
        return max(holders, key=_crowned, default=None)

    def challenger(self) -> ModelVersion | None:
        """The version that was registered last, if it awaits a decision."""
        versions = self.versions()
        return versions[-1] if versions and versions[-1].role == CHALLENGER else None

    def champion_on(self, moment: datetime) -> ModelVersion | None:
        """The version that was champion at a moment in time, which has a time zone, if there was one."""
        for version in self.versions():
            for period in version.periods:
                begun = datetime.fromisoformat(period.since) <= moment
                if begun and (not period.until or moment < datetime.fromisoformat(period.until)):
                    return version
        return None

    def promote(self, number: int, by: str, reason: str) -> ModelVersion:
        """Make a version the champion; the one before keeps its history and becomes a former champion.

        A second time changes nothing, and completes a promotion that was interrupted.

        Raises:
            OpsError: There is no such version, or the reason is too long.
        """
        _verify_reason(reason)
        return self._crown(self.version(number), by, reason)

    def rollback(self, by: str, reason: str) -> ModelVersion:
        """Give the role of champion back to the version that had it before.

        Raises:
            OpsError: There is no champion, or none before it, or the reason is too long.
        """
        _verify_reason(reason)
        current = self.champion()
        number = current.number if current else None
        before = [v for v in self.versions() if v.role in (FORMER, CHAMPION) and v.periods and v.number != number]
        if not before and current is None:
            raise OpsError(f"{self.name} has no champion.", "Promote a version first.")
        if not before:
            problem = f"{self.name} has no champion before version {number}."
            raise OpsError(problem, "There is nothing to go back to: train and promote another version.")
        now = _now()
        if current is not None:  # marked first: interrupted after it, a repetition still knows which one is bad
            self._close(current, ROLLED_BACK, now)
        return self._crown(max(before, key=lambda version: version.periods[-1].until or now), by, reason)

    def download(self, number: int, target: Path) -> Path:
        """Download a version's model folder into an existing folder; gives the model's path.

        Raises:
            OpsError: There is no such version, or its files are gone.
        """
        import mlflow  # noqa: PLC0415 - as above

        self.version(number)
        source = self._client.get_model_version_download_uri(self.name, str(number))
        try:
            found = mlflow.artifacts.download_artifacts(source, dst_path=str(target), tracking_uri=tracking_uri())
        except (OSError, mlflow.exceptions.MlflowException) as error:
            problem = f"The files of version {number} of {self.name} cannot be downloaded: {error}."
            raise OpsError(problem, f"Restore {source}, or use another version.") from None
        return Path(found)

    def _model_of(self, run_id: str) -> str:
        import mlflow  # noqa: PLC0415 - as above

        try:
            run = self._client.get_run(run_id)
        except mlflow.exceptions.MlflowException as error:
            if not _is_not_found(error):
                raise
            problem = f"The tracking server has no run {run_id}."
            raise OpsError(problem, "Register a model where it was trained, or train it again.") from None
        source = f"{run.info.artifact_uri}/model"
        # By the place, not by the run: MLflow 3 looks for a run's artifacts among its logged models too.
        if not mlflow.artifacts.list_artifacts(artifact_uri=source, tracking_uri=tracking_uri()):
            raise OpsError(f"The run {run_id} logged no model.", "Train again, and register that run.")
        return source

    def _crown(self, version: ModelVersion, by: str, reason: str) -> ModelVersion:
        now = _now()
        # The alias moves first: it decides, and a repetition completes what is interrupted after it.
        self._set_alias(CHAMPION, version.number)
        is_open = bool(version.periods) and not version.periods[-1].until
        if not is_open or version.role != CHAMPION:
            opened = version.periods if is_open else (*version.periods, Period(now, "", by, reason))
            self._write(version, CHAMPION, opened)
        for other in self.versions():
            if other.role == CHAMPION and other.number != version.number:
                self._close(other, FORMER, now)
        if self._aliased(CHALLENGER) == version.number:
            self._client.delete_registered_model_alias(self.name, CHALLENGER)
        return self.version(version.number)

    def _close(self, version: ModelVersion, role: str, now: str) -> None:
        periods = tuple(period if period.until else replace(period, until=now) for period in version.periods)
        self._write(version, role, periods)

    def _write(self, version: ModelVersion, role: str, periods: tuple[Period, ...]) -> None:
        text = json.dumps([asdict(period) for period in periods])
        self._client.set_model_version_tag(self.name, str(version.number), "champion_periods", text)
        self._client.set_model_version_tag(self.name, str(version.number), "role", role)

    def _read(self, version: "MlflowVersion") -> ModelVersion:
        tags = dict(version.tags)
        periods = tuple(Period(**period) for period in json.loads(tags.pop("champion_periods", "[]")))
        role = tags.pop("role", "")
        return ModelVersion(self.name, int(version.version), str(version.run_id), role, tags, periods)

    def _set_alias(self, role: str, number: int) -> None:
        from mlflow.exceptions import MlflowException  # noqa: PLC0415 - as above

        try:
            self._client.set_registered_model_alias(self.name, role, str(number))
        except MlflowException as error:
            if not _is_not_found(error):
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
