"""An environment's resources: `poe infra-setup`, `infra-check`, `-preflight`, `-plan`, `-apply`, `-destroy`.

Exit codes: 0 done, 1 failed with a sentence that says what to do, 2 wrong arguments, 3 a check said no,
130 interrupted.
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import infra_language
from .azure_cli import az, az_json
from .errors import DONE, REFUSED, OpsError, run_main
from .infra_cost import Prices, estimate, lacking, read_quotas
from .infra_run import Change, Job
from .infra_values import Values, missing, read_values
from .project import project_root


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="infra", description="An environment's resources in Azure.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help=f"install {infra_language.NAME} where it is missing")
    commands.add_parser("check", help="check the files and run their tests; needs no account")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--environment", required=True, metavar="E", help="as in azureml/workspaces.yml")
    place.add_argument("--offline", action="store_true", help="do not ask Azure for its quota")
    commands.add_parser("preflight", parents=[place], help="say what is missing, and what it will cost")
    commands.add_parser("plan", parents=[place], help="show what would change")
    applies = commands.add_parser("apply", parents=[place], help="change it")
    applies.add_argument("--allow-loss", action="store_true", help="also where what holds data would go")
    destroys = commands.add_parser("destroy", parents=[place], help="remove everything")
    destroys.add_argument("--confirm", required=True, metavar="NAME", help="the name of the resource group")
    return parser


def problems(values: Values, prices: Path, *, offline: bool) -> Iterator[str]:
    """Why an environment cannot be made as its values say; tells the estimate on the way."""
    unfilled = list(missing(values))
    yield from unfilled
    if unfilled:
        return
    costs = estimate(values, Prices(prices))
    total, budget = sum(cost.amount for cost in costs), values.number("monthly_budget")
    for cost in costs:
        print(f"{cost.amount:10.2f}  {cost.what}")
    print(f"{total:10.2f}  in a month, estimated; the budget is {budget:.2f}", flush=True)
    if total > budget:
        yield f"The estimate of {total:.2f} is above the budget of {budget:.2f}: raise {values.file} monthly_budget."
    if not offline:
        place = ("--location", values.location, "--subscription", str(values.settings["subscription_id"]))
        usage = az_json(["vm", "list-usage", *place, "--output", "json"])
        if lack := lacking(values, read_quotas(usage)):
            yield lack


def lost(changes: Sequence[Change]) -> list[str]:
    """What holds data and would go, as sentences."""
    return [
        f"{change.name} would be {change.action}d, and what it holds would be gone."
        for change in changes
        if change.holds_data and change.action in ("delete", "replace")
    ]


def _apply(job: Job, *, allow_loss: bool) -> int:
    changes = infra_language.plan(job, destroying=False)
    gone = lost(changes)
    if gone and not allow_loss:
        print("\n".join([*gone, "Keep it, or a person runs this verb with --allow-loss."]))
        return REFUSED
    infra_language.carry_out(job, destroying=False)
    print(f"{job.values.environment} is as its values say: {len(changes)} changes.")
    return DONE


def _destroy(job: Job, confirmed: str) -> int:
    group = job.values.resource_group
    if confirmed != group:
        print(f"Nothing was removed: --confirm is {confirmed!r}, and the resource group is {group}.")
        return REFUSED
    infra_language.plan(job, destroying=True)
    infra_language.carry_out(job, destroying=True)
    subscription = str(job.values.settings["subscription_id"])
    if az(["group", "exists", "--name", group, "--subscription", subscription, "--output", "tsv"]) != "false":
        raise OpsError(f"{group} is still there.", "See what holds it in the portal, and run the verb again.")
    print(f"{group} is gone, with everything in it.")
    return DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command."""
    given = _parser().parse_args(argv)
    root = project_root()
    if given.command == "setup":
        print(infra_language.install(root))
        return DONE
    if given.command == "check":
        infra_language.check(root)
        return DONE
    values = read_values(root, given.environment)
    found = list(
        missing(values)
        if given.command == "destroy"
        else problems(values, root / "infra" / "prices.yml", offline=given.offline)
    )
    if found:
        print("\n".join(found))
        return REFUSED
    job = Job(root, values)
    match given.command:
        case "plan":
            changes = infra_language.plan(job, destroying=False)
            print(
                "\n".join([*(f"{change.action:8} {change.name}" for change in changes), *lost(changes)]) or "No change."
            )
        case "apply":
            return _apply(job, allow_loss=given.allow_loss)
        case "destroy":
            return _destroy(job, given.confirm)
    return DONE


if __name__ == "__main__":
    run_main(main)
