"""Who is champion, and how that changes: `poe promote`, `poe rollback`, `poe status`."""

import argparse
import getpass
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from .errors import DONE, REFUSED, OpsError, run_main
from .gate import Outcome
from .registry import ModelVersion, Registry


def promote(registry: Registry, number: int | None, by: str, override: str | None) -> ModelVersion | None:
    """Make the challenger, or a version by number, the champion; None when the gate's decision forbids it.

    An override needs a reason, which is recorded with the name of who took it.
    """
    version = registry.challenger() if number is None else registry.version(number)
    if version is None:
        raise OpsError(f"{registry.name} has no challenger.", "Train and register a model first.")
    decision = version.tags.get("decision", "")
    if decision != Outcome.PROMOTE and not override:
        reasons = version.tags.get("decision_reasons", "No decision is on record.")
        print(f"Version {version.number} is not promoted: the gate said {decision or 'nothing'}. {reasons}")
        return None
    reason = f"override: {override}" if decision != Outcome.PROMOTE else "the gate said promote"
    return registry.promote(version.number, by, reason)


def _print_status(registry: Registry, moment: str | None, *, as_json: bool) -> int:
    if moment is not None:
        on_that_day = datetime.fromisoformat(moment)
        on_that_day = on_that_day if on_that_day.tzinfo else on_that_day.replace(tzinfo=UTC)
        found = registry.champion_on(on_that_day)
        print(json.dumps(asdict(found), indent=2) if found and as_json else found.number if found else "none")
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
    promotes.add_argument("--override", metavar="REASON", help="promote against the gate; the reason is recorded")
    promotes.add_argument("--by", default=getpass.getuser(), help="who promotes (default: you)")
    rollback = commands.add_parser("rollback", help="give the role back to the champion before")
    rollback.add_argument("--reason", default="no reason given")
    rollback.add_argument("--by", default=getpass.getuser(), help="who rolls back (default: you)")
    status = commands.add_parser("status", help="who is champion, and who was")
    status.add_argument("--on", metavar="DATE", help="who was champion then, such as 2026-03-31")
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
