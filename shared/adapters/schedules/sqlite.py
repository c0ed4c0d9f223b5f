"""Schedules in one SQLite file: what is due, handed out once to several processes."""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from shared.adapters.schedules import rules
from shared.adapters.schedules.rules import DueRun
from shared.errors import ConfigError, RetryLater
from shared.ports import Options, Schedule

LOGGER = logging.getLogger("geminivideo.schedules")
BUSY_TIMEOUT_SECONDS = 10.0
CLOCK_TOLERANCE = timedelta(days=1)
"""A clock that went back by more was wrong before: its future is forgotten."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS schedules (
    name TEXT PRIMARY KEY,
    cron TEXT NOT NULL,
    topic TEXT NOT NULL,
    paused INTEGER NOT NULL DEFAULT 0,
    given_until INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS requests (
    sequence INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    name TEXT NOT NULL REFERENCES schedules (name) ON DELETE CASCADE
);
"""
MAY_PASS = tuple(f"SQLITE_{name}" for name in ("BUSY", "IO", "FULL", "READONLY", "CANTOPEN"))
_SELECT = "SELECT name, cron, topic, paused FROM schedules"


def connect(url: str, options: Options) -> "SqliteSchedules":
    """Schedules in `sqlite://FILE` (relative) or `sqlite:///FILE` (absolute)."""
    name = url.removeprefix("sqlite://")
    if not url.startswith("sqlite://") or not name or name.startswith(":"):
        raise ConfigError(f"{url!r}: expected sqlite://FILE, such as sqlite://.local/schedules.db")
    return SqliteSchedules(Path(name).absolute(), options)


class SqliteSchedules:
    """`declare` says which schedules there are; `due` hands out what is to be published."""

    def __init__(self, path: Path, options: Options) -> None:
        self._path = path
        self._now = options.now
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ConfigError(f"schedules in {path}: {problem.strerror}") from problem
        with self._database() as sql:
            sql.executescript(_SCHEMA)

    def list(self) -> Sequence[Schedule]:
        """Every schedule, by name."""
        with self._database() as sql:
            return [_schedule(row) for row in sql.execute(f"{_SELECT} ORDER BY name")]

    def declare(self, schedules: Sequence[Schedule]) -> None:
        """Make the stored schedules these, keeping what is paused and what was given.

        A new one starts with its next slot, paused as declared. Raises ConfigError, and changes
        nothing, when a name, a double name or a cron expression is wrong.
        """
        rules.check_schedules(schedules)
        with self._transaction() as sql:
            known = {row[0] for row in sql.execute("SELECT name FROM schedules")}
            gone = known - {schedule.name for schedule in schedules}
            sql.executemany("DELETE FROM schedules WHERE name = ?", [(name,) for name in gone])
            sql.executemany(
                "INSERT INTO schedules VALUES (:name, :cron, :topic, :paused, :now)"
                " ON CONFLICT (name) DO UPDATE SET cron = :cron, topic = :topic",
                [{**vars(schedule), "now": _seconds(self._now())} for schedule in schedules],
            )

    def due(self, now: datetime) -> Sequence[DueRun]:
        """What is to be published at `now` (with a time zone); nothing is given twice.

        Each schedule gives its newest slot that passed since the last one, however many passed,
        and each `run_now` gives its request. Taken is taken: a process that dies before it
        publishes loses the slot.
        """
        with self._transaction() as sql:
            return [*self._take_slots(sql, now), *self._take_requests(sql)]

    def pause(self, name: str) -> None:
        """No slots until resumed; raises ScheduleMissing."""
        self._update(name, "paused = 1")

    def resume(self, name: str) -> None:
        """Slots again, from the next one on; raises ScheduleMissing."""
        self._update(
            name, "given_until = iif(paused, max(given_until, :now), given_until), paused = 0"
        )

    def run_now(self, name: str) -> None:
        """Queue one run beside the slots, paused or not; raises ScheduleMissing."""
        with self._transaction() as sql:
            self._check_known(sql, name)
            sql.execute("INSERT INTO requests (id, name) VALUES (?, ?)", (uuid4().hex, name))

    def _take_slots(self, sql: sqlite3.Connection, now: datetime) -> Iterator[DueRun]:
        rows = sql.execute(
            "SELECT name, cron, topic, paused, given_until FROM schedules"
            " WHERE NOT paused ORDER BY name"
        ).fetchall()
        for *row, given_until in rows:
            schedule = _schedule(row)
            given = self._forget_future(sql, schedule.name, given_until, now)
            slot = rules.last_slot(schedule.cron, now)
            if _seconds(slot) > given:
                _set_given(sql, schedule.name, _seconds(slot))
                yield DueRun(schedule, slot=slot)

    def _forget_future(
        self, sql: sqlite3.Connection, name: str, given_until: int, now: datetime
    ) -> int:
        if given_until <= _seconds(now + CLOCK_TOLERANCE):
            return given_until
        wrong = datetime.fromtimestamp(given_until, UTC)
        LOGGER.warning("schedule %s: the clock went back from %s; it starts anew", name, wrong)
        _set_given(sql, name, _seconds(now))
        return _seconds(now)

    def _take_requests(self, sql: sqlite3.Connection) -> Iterator[DueRun]:
        rows = sql.execute(
            "SELECT name, cron, topic, paused, id FROM requests"
            " JOIN schedules USING (name) ORDER BY sequence"
        ).fetchall()
        sql.execute("DELETE FROM requests")
        for *row, request_id in rows:
            yield DueRun(_schedule(row), request_id=request_id)

    def _update(self, name: str, change: str) -> None:
        with self._transaction() as sql:
            self._check_known(sql, name)
            sql.execute(
                f"UPDATE schedules SET {change} WHERE name = :name",  # noqa: S608 - ours alone
                {"name": name, "now": _seconds(self._now())},
            )

    def _check_known(self, sql: sqlite3.Connection, name: str) -> None:
        known = [_schedule(row) for row in sql.execute(_SELECT)]
        if name not in {schedule.name for schedule in known}:
            raise rules.missing(name, known)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, one process at a time."""
        with self._database() as sql, sql:
            sql.execute("BEGIN IMMEDIATE")
            yield sql

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        # A connection each time: threads and forked processes need no care, and calls are rare.
        try:
            opened = sqlite3.connect(self._path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None)
            with closing(opened) as sql:
                sql.execute("PRAGMA foreign_keys = ON")
                yield sql
        except sqlite3.DatabaseError as problem:
            cause = getattr(problem, "sqlite_errorname", "")
            message = f"schedules in {self._path}: {problem}"
            if cause.startswith(MAY_PASS):
                raise RetryLater(
                    f"{message}; check free space, permissions and other programs"
                ) from problem
            raise ConfigError(f"{message}; move the file away to start anew") from problem


def _schedule(row: Sequence[object]) -> Schedule:
    name, cron, topic, paused = row
    return Schedule(str(name), str(cron), str(topic), bool(paused))


def _set_given(sql: sqlite3.Connection, name: str, seconds: int) -> None:
    sql.execute("UPDATE schedules SET given_until = ? WHERE name = ?", (seconds, name))


def _seconds(moment: datetime) -> int:
    """Seconds since 1970, whole: slots have no fractions."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment!r} has no time zone; give UTC")
    return int(moment.timestamp())
