"""Who is champion, and how that changes: `poe promote`, `poe rollback`, `poe status`."""

import argparse
import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from .errors import DONE, REFUSED, OpsError, run_main
from .gate import Outcome
from .registry import CHAMPION, ROLLED_BACK, ModelVersion, Registry


def promote(registry: Registry, number: int | None, by: str, override: str | None) -> ModelVersion | None:
    """Make the challenger, or a version by number, the champion; None when that is refused, with the reason printed.

    The gate's decision must be `promote`. Where the gate took none, a person may approve with an override: a
    reason, which is recorded with the name of who took it. Promoting the champion again changes nothing.

    Raises:
        OpsError: There is no such version, or nothing to promote.
    """
    version = registry.challenger() or registry.champion() if number is None else registry.version(number)
    if version is None:
        raise OpsError(f"{registry.name} has no challenger.", "Train and register a model first.")
    approval = (override or "").strip()
    problem = _objection(version, approval)
    if problem:
        print(f"Version {version.number} is not promoted: {problem}")
        return None
    is_decided = version.tags.get("decision") == Outcome.PROMOTE
    return registry.promote(version.number, by, "the gate said promote" if is_decided else f"override: {approval}")


def _objection(version: ModelVersion, approval: str) -> str:
    decision = version.tags.get("decision", "")
    if version.role == ROLLED_BACK:
        return "it was rolled back. Train and register another."
    if version.role == CHAMPION or decision == Outcome.PROMOTE or (decision == Outcome.NO_DECISION and approval):
        return ""
    reasons = version.tags.get("decision_reasons", "No decision is on record.")
    remedy = " To approve it, give --override and the reason." if decision == Outcome.NO_DECISION else ""
    return f"the gate said {decision or 'nothing'}. {reasons}{remedy}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return "unknown"


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        problem = f"{text!r} is no date: give one such as 2026-03-31 or 2026-03-31T12:00"
        raise argparse.ArgumentTypeError(problem) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _print_status(registry: Registry, moment: datetime | None, *, as_json: bool) -> int:
    if moment is not None:
        found = registry.champion_on(moment)
        if as_json:
            print(json.dumps(asdict(found) if found else None, indent=2))
        else:
            print(found.number if found else "none")
        return DONE
    versions = registry.versions()
    if as_json:
        print(json.dumps([asdict(version) for version in versions], indent=2))
        return DONE
    champion = registry.champion()
    print(f"champion of {registry.name}: {f'version {champion.number}' if champion else 'none'}")
    for version in versions:
        periods = "; ".join(f"{p.since[:19]} to {p.until[:19] or 'now'} by {p.by}: {p.reason}" for p in version.periods)
        decision = version.tags.get("decision", "-")
        print(f"  version {version.number}  {version.role:12} gate: {decision:12} {periods}")
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Show and move the role of champion.")
    commands = parser.add_subparsers(dest="command", required=True)
    promotes = commands.add_parser("promote", help="make the challenger the champion, if the gate said so")
    promotes.add_argument("--version", type=int, help="a version instead of the challenger")
    promotes.add_argument("--override", metavar="REASON", help="promote although the gate took no decision")
    promotes.add_argument("--by", default=_user(), help="who promotes (default: you)")
    rollback = commands.add_parser("rollback", help="give the role back to the champion before")
    rollback.add_argument("--reason", default="no reason given")
    rollback.add_argument("--by", default=_user(), help="who rolls back (default: you)")
    status = commands.add_parser("status", help="who is champion, and who was")
    status.add_argument("--on", type=_moment, metavar="DATE", help="who was champion then, such as 2026-03-31 (UTC)")
    status.add_argument("--json", action="store_true")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Promote, roll back or show."""
    arguments = _parser().parse_args(argv)
    registry = Registry()
    match arguments.command:
        case "promote":
            version = promote(registry, arguments.version, arguments.by, arguments.override)
            if version is None:
                return REFUSED
            print(f"Version {version.number} of {registry.name} is the champion.")
        case "rollback":
            version = registry.rollback(arguments.by, arguments.reason)
            print(f"Version {version.number} of {registry.name} is the champion again.")
        case "status":
            return _print_status(registry, arguments.on, as_json=arguments.json)
    return DONE


if __name__ == "__main__":
    run_main(main)
