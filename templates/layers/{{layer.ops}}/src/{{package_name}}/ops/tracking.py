"""MLflow runs: the job's own run in Azure ML, a local run on sqlite otherwise.

Only calls that Azure ML's tracking server answers are used: `log_model` is not among them, because it goes
through MLflow 3's logged-models interface, which that server lacks.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from .errors import OpsError
from .project import project_name, project_root

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


def tracking_uri() -> str:
    """The tracking server by environment, else a sqlite file in the project."""
    given = os.environ.get("MLFLOW_TRACKING_URI")
    return given or f"sqlite:///{(project_root() / 'mlflow.db').as_posix()}"  # a cloud job has no project's root


def _experiment(uri: str) -> str:
    import mlflow  # noqa: PLC0415 - takes seconds, and most commands do without it

    name = project_name()
    known = mlflow.get_experiment_by_name(name)
    if known is not None and known.lifecycle_stage == "deleted":
        remedy = f"Restore it: mlflow experiments restore --experiment-id {known.experiment_id}"
        raise OpsError(f"The experiment {name} was deleted from the tracking server.", remedy)
    if known is not None:
        return str(known.experiment_id)
    is_local = uri.startswith("sqlite:")
    location = (Path(uri.removeprefix("sqlite:///")).parent / "mlartifacts").as_uri() if is_local else None
    return str(mlflow.create_experiment(name, artifact_location=location))


@contextmanager
def tracked_run(stage: str, tags: Mapping[str, str]) -> Iterator[str]:
    """A run that is open for the duration of a `with` block; gives its id, and marks it failed on an exception."""
    import mlflow  # noqa: PLC0415 - takes seconds, and most commands do without it

    logging.getLogger("mlflow").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    logging.getLogger("mlflow.utils.environment").setLevel(logging.ERROR)
    uri = tracking_uri()
    mlflow.set_tracking_uri(uri)
    joined = os.environ.get("MLFLOW_RUN_ID")
    experiment = None if joined else _experiment(uri)
    with mlflow.start_run(run_id=joined, experiment_id=experiment, run_name=None if joined else stage) as run:
        mlflow.set_tags({"stage": stage, **tags})
        yield str(run.info.run_id)


def log(
    params: Mapping[str, object] | None = None,
    metrics: Mapping[str, float] | None = None,
    model: Path | None = None,
) -> None:
    """Log parameters, metrics and a model's folder to the run that is open."""
    import mlflow  # noqa: PLC0415 - takes seconds, and most commands do without it

    mlflow.log_params(dict(params or {}))
    mlflow.log_metrics(dict(metrics or {}))
    if model is not None:
        mlflow.log_artifacts(str(model), "model")


def tag_job(tags: Mapping[str, str]) -> None:
    """Tag the run of the job in Azure ML, which its events carry along; on this machine there is none."""
    run_id = os.environ.get("MLFLOW_RUN_ID")
    if not run_id:
        return
    from mlflow import MlflowClient  # noqa: PLC0415 - takes seconds, and most commands do without it

    client = MlflowClient(tracking_uri=tracking_uri())
    for name, value in tags.items():
        client.set_tag(run_id, name, value)
