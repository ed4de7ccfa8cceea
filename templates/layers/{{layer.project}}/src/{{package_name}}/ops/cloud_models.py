"""Models in Azure: register, share, promote, validate, roll back, always the same bytes under the same number.

The roles are tags of a version: challenger, champion, former, rolled_back. `ops.registry` uses the same ones.
Each step looks first whether it is done, so that an interrupted one can be repeated.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from . import cloud_jobs
from .azure_cli import (
    AzureCliError,
    Cloud,
    Place,
    az,
    az_json,
    create_asset,
    download_model,
    list_models,
    share_model,
    tag_model,
)
from .errors import OpsError
from .files import read_mapping, sha256_of, write_text
from .project import project_root

PROMOTE = "promote"
_MODEL = "mlflow_model"


class RefusedError(Exception):
    """A check said no: the sentence says which and why; exit code 3."""


@dataclass(frozen=True)
class Model:
    """A registered version and its tags."""

    version: str
    tags: Mapping[str, str]

    @property
    def role(self) -> str:
        """Its role, or nothing."""
        return self.tags.get("role", "")


@dataclass(frozen=True)
class Actor:
    """Who does something, and why."""

    by: str
    reason: str


@dataclass(frozen=True)
class Policy:
    """The order of the environments, and the pipeline that validates a version: `promotion-policy.yml`."""

    order: tuple[str, ...]
    validation_pipeline: str

    def before(self, environment: str) -> str | None:
        """The environment that must have validated a version first; None for the first one."""
        if environment not in self.order:
            problem = f"The promotion policy does not name {environment}."
            raise OpsError(problem, "Add it to governance/promotion-policy.yml.")
        place = self.order.index(environment)
        return self.order[place - 1] if place else None


def read_policy() -> Policy:
    """Read `governance/promotion-policy.yml`."""
    path = project_root() / "governance" / "promotion-policy.yml"
    values = read_mapping(path)
    order = values.get("order")
    if not isinstance(order, list) or not order:
        raise OpsError(f"{path} lacks the order of the environments.", "Restore the file from the catalog.")
    return Policy(tuple(str(name) for name in order), str(values.get("validation_pipeline")))


def models(cloud: Cloud, place: Place) -> list[Model]:
    """All versions in a workspace or registry; none when the model does not exist there yet."""
    try:
        found = az_json(list_models(cloud.model, place))
    except AzureCliError as error:
        if error.is_not_found:
            return []
        raise
    return [
        Model(str(entry["version"]), {str(key): str(value) for key, value in (entry.get("tags") or {}).items()})
        for entry in (found if isinstance(found, list) else [])
    ]


def version_of(cloud: Cloud, version: str, place: Place) -> Model:
    """One version.

    Raises:
        OpsError: There is no such version.
    """
    for model in models(cloud, place):
        if model.version == version:
            return model
    problem = f"{place.name} has no version {version} of {cloud.model}."
    raise OpsError(problem, "Give the number that the training's summary names.")


def register(cloud: Cloud, job: str, place: Place) -> str:
    """Register a training job's model as challenger, once, with its lineage and the gate's decision."""
    for model in models(cloud, place):
        if model.tags.get("training_job") == job:
            return model.version
    decision = cloud_jobs.gate(job, place)
    tags = {
        **cloud.tags,
        "role": "challenger",
        "validation": "pending",
        "decision": decision.outcome,
        "decision_reasons": " ".join(decision.reasons)[:250],
        "training_job": job,
        "git_sha": cloud_jobs.commit(),
        "data": _training_data(),
        "content_sha256": sha256_of(cloud_jobs.download(job, "model", place)),
    }
    return _create(cloud, {"path": f"azureml://jobs/{job}/outputs/model", "tags": tags}, place)


def _training_data() -> str:
    inputs = read_mapping(cloud_jobs.pipeline_file("training")).get("inputs")
    entries = inputs.values() if isinstance(inputs, dict) else []
    paths = [str(entry.get("path")) for entry in entries if isinstance(entry, dict)]
    return " ".join(path for path in paths if path.startswith("azureml:"))


def _create(cloud: Cloud, values: Mapping[str, object], place: Place) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.yml"
        # JSON is YAML, and keeps a text such as "123" a text, which --set would not.
        write_text(file, json.dumps({"name": cloud.model, "type": _MODEL, **values}))
        made = az_json(create_asset("model", file, place))
    if not isinstance(made, dict) or "version" not in made:
        raise OpsError(f"{place.name} gave no version for the new model.", "Run the verb again.")
    return str(made["version"])


def share(cloud: Cloud, version: str, place: Place) -> str:
    """Copy a version that passed the gate to the registry, once."""
    model = version_of(cloud, version, place)
    _require_gate(model)
    if any(known.version == version for known in models(cloud, cloud.registry)):
        return f"version {version} is in {cloud.registry.name} already"
    az(share_model(cloud.model, version, cloud.registry, place))
    return f"version {version} was shared to {cloud.registry.name}"


def promote(cloud: Cloud, version: str, environment: str, actor: Actor) -> None:
    """Make a version the champion of an environment: what the gate passed, and the one before validated.

    Raises:
        RefusedError: The gate, the environment before or a rollback speaks against it.
        OpsError: The bytes in the registry are not those that were registered.
    """
    place = cloud.workspace(environment)
    before = read_policy().before(environment)
    if before is None:
        _require_gate(version_of(cloud, version, place))
    else:
        _require_validation(cloud, version, before)
        _bring(cloud, version, place)
    crown(cloud, version, place, actor, "former")


def _require_gate(model: Model) -> None:
    decision = model.tags.get("decision", "nothing")
    if decision != PROMOTE:
        raise RefusedError(f"Version {model.version} stays: the gate said {decision}.")


def _require_validation(cloud: Cloud, version: str, before: str) -> None:
    shared = version_of(cloud, version, cloud.registry)
    _require_gate(shared)
    there = version_of(cloud, version, cloud.workspace(before))
    if there.tags.get("validation") != "passed":
        state = there.tags.get("validation", "missing")
        raise RefusedError(f"Version {version} stays: its validation in {before} is {state}.")
    if there.tags.get("content_sha256") != shared.tags.get("content_sha256"):
        raise RefusedError(f"Version {version} stays: {before} validated another content than the registry holds.")


def _bring(cloud: Cloud, version: str, place: Place) -> None:
    shared = version_of(cloud, version, cloud.registry)
    expected = shared.tags.get("content_sha256", "")
    for known in models(cloud, place):
        if known.version == version:
            if known.tags.get("content_sha256") != expected:
                problem = f"{place.name} holds another model as version {version}."
                raise OpsError(problem, "Find out who registered it, and archive it.")
            return
    with tempfile.TemporaryDirectory() as folder:
        az(download_model(cloud.model, version, Path(folder), cloud.registry))
        model = _model_folder(Path(folder))
        if sha256_of(model) != expected:
            problem = f"The bytes of version {version} in {cloud.registry.name} are not those that were registered."
            raise OpsError(problem, "Do not use this version; open an incident.")
        tags = {**shared.tags, "role": "challenger", "validation": "pending"}
        _create(cloud, {"version": version, "path": str(model), "tags": tags}, place)


def _model_folder(folder: Path) -> Path:
    found = sorted(folder.rglob("MLmodel"), key=lambda path: len(path.parts))
    if not found:
        raise OpsError("The registry's download holds no MLflow model.", "Look at the version in the registry.")
    return found[0].parent


def crown(cloud: Cloud, version: str, place: Place, actor: Actor, role_of_previous: str) -> None:
    """Give a version the role of champion; the new one is crowned first, so that there always is one."""
    known = models(cloud, place)
    chosen = next(model for model in known if model.version == version)
    if chosen.role == "rolled_back":
        raise RefusedError(f"Version {version} stays: it was rolled back in {place.name}.")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if chosen.role != "champion":
        tags = {"role": "champion", "champion_since": now, "promoted_by": actor.by, "promotion_reason": actor.reason}
        az(tag_model(cloud.model, version, tags, place))
    for model in known:
        if model.role == "champion" and model.version != version:
            az(tag_model(cloud.model, model.version, {"role": role_of_previous, "champion_until": now}, place))


def validate(cloud: Cloud, version: str, environment: str, patience: cloud_jobs.Patience) -> None:
    """Run the validation pipeline on an environment's champion and record whether it completed.

    Raises:
        RefusedError: The version is not the champion there, or the pipeline failed.
    """
    place, pipeline = cloud.workspace(environment), read_policy().validation_pipeline
    if version_of(cloud, version, place).role != "champion":
        raise RefusedError(f"Version {version} is not the champion of {environment}: promote it there first.")
    job = cloud_jobs.submit(pipeline, place, [], {**cloud.tags, "purpose": "validation"})
    try:
        cloud_jobs.wait(job, place, patience)
    except OpsError as error:
        az(tag_model(cloud.model, version, {"validation": "failed", "validation_job": job}, place))
        raise RefusedError(f"Version {version} failed its validation in {environment}: {error}") from None
    az(tag_model(cloud.model, version, {"validation": "passed", "validation_job": job}, place))


def rollback(cloud: Cloud, environment: str, actor: Actor) -> str:
    """Give the role of champion back to the version that had it before, and give its number.

    Raises:
        OpsError: There is nothing to go back to.
    """
    place = cloud.workspace(environment)
    former = [model for model in models(cloud, place) if model.role == "former"]
    if not former:
        problem = f"{environment} has no champion before the one in use."
        raise OpsError(problem, "Disable the schedule instead, and follow the fallback of the model card.")
    previous = max(former, key=lambda model: model.tags.get("champion_until", ""))
    crown(cloud, previous.version, place, actor, "rolled_back")
    return previous.version
