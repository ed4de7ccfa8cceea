"""What CI does in Azure Machine Learning, as one command line: `poe cloud COMMAND`.

    submit PIPELINE      submit a pipeline, and with --wait wait for it
    download JOB         download a named output
    gate JOB             what the gate decided in a training job
    register JOB         register its model as challenger
    evidence JOB         write the model card and the evidence of its model here
    share VERSION        copy a version that passed the gate to the registry
    promote VERSION      make a version the champion of an environment
    validate VERSION     run the validation pipeline on it, and record the result
    rollback             give the role of champion back to the version before
    apply [KIND ...]     create the environment and the data assets that a workspace lacks; `apply schedule` starts
                         the schedules, which cost money, and `apply component` lends components to others
    verify               check that the schedules ran

Exit codes: 0 done, 1 failed with a sentence that says what to do, 2 wrong arguments, 3 a check said no,
130 interrupted.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import ci, cloud_assets, cloud_jobs, cloud_models
from .azure_cli import Cloud, prepare, read_cloud
from .cloud_models import Actor, RefusedError
from .errors import DONE, REFUSED, run_main
from .project import project_root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloud", description="Work with Azure Machine Learning.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--environment", required=True, metavar="E", help="as in azureml/workspaces.yml")
    patience = argparse.ArgumentParser(add_help=False)
    patience.add_argument("--limit", type=float, default=300, metavar="MINUTES", help="wait at most so long")
    patience.add_argument("--poll", type=float, default=30, metavar="SECONDS", help="look so often")
    actor = argparse.ArgumentParser(add_help=False)
    actor.add_argument("--by", default=ci.actor(), help="who acts (default: you)")

    submits = commands.add_parser("submit", parents=[place, patience], help="submit a pipeline")
    submits.add_argument("pipeline")
    submits.add_argument("--set", action="append", default=[], metavar="inputs.X=V", help="an input or a tag")
    submits.add_argument("--wait", action="store_true", help="wait until it has completed")
    downloads = commands.add_parser("download", parents=[place], help="download an output of a job")
    downloads.add_argument("job")
    downloads.add_argument("--output", default="evaluation")
    downloads.add_argument("--target", type=Path)
    for name, text in (("gate", "exit with 3 unless the gate said promote"), ("register", "register as challenger")):
        commands.add_parser(name, parents=[place], help=text).add_argument("job")
    proves = commands.add_parser("evidence", parents=[place], help="write the evidence of its model")
    proves.add_argument("job")
    shares = commands.add_parser("share", parents=[place], help="copy a version to the registry")
    shares.add_argument("version")
    promotes = commands.add_parser("promote", parents=[place, actor], help="make a version the champion")
    promotes.add_argument("version")
    promotes.add_argument("--reason", default="the gate said promote")
    validates = commands.add_parser("validate", parents=[place, patience], help="validate the champion")
    validates.add_argument("version")
    rollback = commands.add_parser("rollback", parents=[place, actor], help="back to the champion before")
    rollback.add_argument("--reason", required=True)
    applies = commands.add_parser("apply", parents=[place], help="create assets that are missing")
    kinds = f"{', '.join(cloud_assets.KINDS)} (default: environment data)"
    applies.add_argument("kinds", nargs="*", metavar="KIND", help=kinds)
    verifies = commands.add_parser("verify", parents=[place], help="exit with 3 unless the schedules ran")
    verifies.add_argument("--grace", type=float, default=2, metavar="HOURS", help="how late a run may be (default: 2)")
    return parser


def _job_command(given: argparse.Namespace, cloud: Cloud) -> int:
    place = cloud.workspace(given.environment)
    match given.command:
        case "submit":
            job = cloud_jobs.submit(given.pipeline, place, given.set, cloud.tags)
            ci.report("job", job)
            if given.wait:
                cloud_jobs.wait(job, place, cloud_jobs.Patience(given.limit, given.poll))
        case "download":
            ci.report("folder", str(cloud_jobs.download(given.job, given.output, place, given.target)))
        case "gate":
            result = cloud_jobs.gate(given.job, place)
            ci.report("outcome", result.outcome)
            print("\n".join(result.reasons))
            return DONE if result.outcome == cloud_models.PROMOTE else REFUSED
        case "evidence":
            ci.report("evidence", str(cloud_jobs.evidence(given.job, place)))
        case "apply":
            print("\n".join(cloud_assets.apply(given.kinds, place, cloud.tags)))
        case "verify":
            problems = cloud_jobs.overdue(place, timedelta(hours=given.grace), datetime.now(UTC))
            print("\n".join(problems) or "Every schedule ran.")
            return REFUSED if problems else DONE
    return DONE


def _model_command(given: argparse.Namespace, cloud: Cloud) -> int:
    place = cloud.workspace(given.environment)
    match given.command:
        case "register":
            ci.report("version", cloud_models.register(cloud, given.job, place))
        case "share":
            print(cloud_models.share(cloud, given.version, place))
        case "promote":
            cloud_models.promote(cloud, given.version, given.environment, Actor(given.by, given.reason))
            print(f"version {given.version} is the champion of {given.environment}")
        case "validate":
            patience = cloud_jobs.Patience(given.limit, given.poll)
            cloud_models.validate(cloud, given.version, given.environment, patience)
            print(f"version {given.version} is validated in {given.environment}")
        case "rollback":
            version = cloud_models.rollback(cloud, given.environment, Actor(given.by, given.reason))
            print(f"version {version} is the champion of {given.environment} again")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    parser = _parser()
    given = parser.parse_args(argv)
    if given.command == "apply":
        unknown = sorted(set(given.kinds) - set(cloud_assets.KINDS))
        if unknown:
            parser.error(f"unknown KIND {', '.join(unknown)}: use {', '.join(cloud_assets.KINDS)}")
        given.kinds = given.kinds or ["environment", "data"]
    cloud = read_cloud(project_root() / "azureml" / "workspaces.yml")
    cloud.workspace(given.environment)
    prepare()
    is_model = given.command in {"register", "share", "promote", "validate", "rollback"}
    try:
        return (_model_command if is_model else _job_command)(given, cloud)
    except RefusedError as refusal:
        print(refusal)
        return REFUSED


if __name__ == "__main__":
    run_main(main)
