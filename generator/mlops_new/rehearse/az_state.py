"""What the stand-in for Azure knows: one sqlite file, and beside it the bytes of models and of jobs' outputs.

Every change is one transaction, so that a run that is killed leaves a whole state, as the service does.
"""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TABLES = """
create table if not exists assets (
  place text, kind text, name text, version text, tags text, body text, content text, created text,
  primary key (place, kind, name, version));
create table if not exists jobs (
  place text, name text primary key, status text, pipeline text, body text, by text, created text);
create table if not exists faults (
  id integer primary key, command text, place text, effect text, says text, remaining integer);
create table if not exists events (id integer primary key, time text, kind text, data text);
create table if not exists resources (environment text, address text, primary key (environment, address));
create table if not exists facts (name text primary key, value text);
"""


@dataclass(frozen=True, slots=True)
class Asset:
    """A version of a model, an environment, a data asset or a component; a schedule has the version 1."""

    place: str
    kind: str
    name: str
    version: str
    tags: Mapping[str, str]
    body: Mapping[str, Any]
    content: str
    created: str


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job of a workspace."""

    place: str
    name: str
    status: str
    pipeline: str
    body: Mapping[str, Any]
    by: str
    created: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that was told to go wrong: at which command, and how."""

    effect: str
    says: str


def now() -> str:
    """This moment, in UTC."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


class State:
    """The stand-in's knowledge, in a folder."""

    def __init__(self, folder: Path) -> None:
        """Open it, or start with nothing."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with self._connected() as connection:
            connection.executescript(_TABLES)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.folder / "state.db", timeout=60, isolation_level=None)
        connection.row_factory = sqlite3.Row
        try:
            yield connection
        finally:
            connection.close()

    @contextmanager
    def changing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that is alone, and whole or nothing."""
        with self._connected() as connection:
            connection.execute("begin immediate")
            try:
                yield connection
            except BaseException:
                connection.execute("rollback")
                raise
            connection.execute("commit")

    def _rows(self, query: str, values: Mapping[str, Any]) -> list[sqlite3.Row]:
        with self._connected() as connection:
            return list(connection.execute(query, values))

    def assets(self, place: str, kind: str, name: str = "") -> list[Asset]:
        """The assets of a place, oldest first."""
        query = "select * from assets where place=:p and kind=:k and (:n='' or name=:n) order by created"
        rows = self._rows(query, {"p": place, "k": kind, "n": name})
        return [
            Asset(**{**dict(row), "tags": json.loads(row["tags"]), "body": json.loads(row["body"])}) for row in rows
        ]

    def add_asset(self, asset: Asset) -> bool:
        """Add a version; False where there is one already."""
        values = {n: getattr(asset, n) for n in ("place", "kind", "name", "version", "content", "created")}
        values |= {"tags": json.dumps(dict(asset.tags)), "body": json.dumps(dict(asset.body))}
        with self.changing() as connection:
            done = connection.execute(
                "insert or ignore into assets values "
                "(:place, :kind, :name, :version, :tags, :body, :content, :created)",
                values,
            )
            return done.rowcount == 1

    def set_tags(self, asset: Asset, tags: Mapping[str, str]) -> None:
        """Set some tags of a version, and leave the others."""
        key = (asset.place, asset.kind, asset.name, asset.version)
        where = "where place=? and kind=? and name=? and version=?"
        with self.changing() as connection:
            row = connection.execute(f"select tags from assets {where}", key).fetchone()  # noqa: S608 - a constant
            text = json.dumps({**json.loads(row["tags"]), **tags})
            connection.execute(f"update assets set tags=? {where}", (text, *key))  # noqa: S608 - a constant

    def remove_assets(self, place: str) -> None:
        """Forget everything of a workspace."""
        with self.changing() as connection:
            connection.execute("delete from assets where place=?", (place,))
            connection.execute("delete from jobs where place=?", (place,))

    def jobs(self, place: str = "") -> list[JobRecord]:
        """The jobs of a workspace, or all, oldest first."""
        rows = self._rows("select * from jobs where :p='' or place=:p order by created", {"p": place})
        return [JobRecord(**{**dict(row), "body": json.loads(row["body"])}) for row in rows]

    def put_job(self, job: JobRecord) -> None:
        """Add a job, or write its new status."""
        values = (job.place, job.name, job.status, job.pipeline, json.dumps(dict(job.body)), job.by, job.created)
        with self.changing() as connection:
            connection.execute("insert or replace into jobs values (?, ?, ?, ?, ?, ?, ?)", values)

    def plan_failure(self, command: str, place: str, effect: str, says: str) -> None:
        """Let the next command of a kind fail, at a place or at any."""
        with self.changing() as connection:
            values = (command, place, effect, says)
            connection.execute("insert into faults values (null, ?, ?, ?, ?, 1)", values)

    def failure(self, command: str, place: str) -> Failure | None:
        """What was told to go wrong at this command, which then is used up."""
        with self.changing() as connection:
            query = "select * from faults where command=? and place in (?, '') and remaining > 0 order by id"
            row = connection.execute(query, (command, place)).fetchone()
            if row is None:
                return None
            connection.execute("update faults set remaining = remaining - 1 where id=?", (row["id"],))
            return Failure(row["effect"], row["says"])

    def event(self, kind: str, **data: object) -> None:
        """Write down that something happened."""
        with self.changing() as connection:
            connection.execute("insert into events values (null, ?, ?, ?)", (now(), kind, json.dumps(data)))

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """What happened, in order, of some kinds or of all."""
        rows = self._rows("select * from events order by id", {})
        found = [{"time": row["time"], "kind": row["kind"], **json.loads(row["data"])} for row in rows]
        return [event for event in found if not kinds or event["kind"] in kinds]

    def resources(self, environment: str) -> list[str]:
        """The addresses of the resources that stand in an environment."""
        rows = self._rows("select address from resources where environment=:e order by address", {"e": environment})
        return [str(row["address"]) for row in rows]

    def set_resources(self, environment: str, addresses: list[str]) -> None:
        """Write down which resources stand in an environment."""
        with self.changing() as connection:
            connection.execute("delete from resources where environment=?", (environment,))
            values = [(environment, address) for address in sorted(set(addresses))]
            connection.executemany("insert into resources values (?, ?)", values)

    def fact(self, name: str) -> str | None:
        """Something that was remembered, or None."""
        rows = self._rows("select value from facts where name=:n", {"n": name})
        return str(rows[0]["value"]) if rows else None

    def remember(self, name: str, value: str) -> None:
        """Remember something."""
        with self.changing() as connection:
            connection.execute("insert or replace into facts values (?, ?)", (name, value))
