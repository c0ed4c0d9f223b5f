"""The bus in one SQLite file: durable, for many processes and threads of one machine."""

import json
import secrets
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared.adapters.bus import rules
from shared.errors import ConfigError, PipelineError, RetryLater
from shared.events import Message
from shared.ports import Delivery, Options

SCHEMA_VERSION = 1
SCHEMA = (
    """CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL,
        data BLOB NOT NULL, attributes TEXT NOT NULL, published_at REAL NOT NULL)""",
    """CREATE TABLE subscriptions (name TEXT PRIMARY KEY, topic TEXT NOT NULL,
        dead_letter_topic TEXT)""",
    """CREATE TABLE deliveries (message INTEGER NOT NULL, subscription TEXT NOT NULL,
        due_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, receipt TEXT,
        PRIMARY KEY (message, subscription)) WITHOUT ROWID""",
    "CREATE INDEX deliveries_due ON deliveries (subscription, due_at, message)",
    "CREATE TABLE clock (latest REAL NOT NULL, ahead REAL NOT NULL)",
    "INSERT INTO clock VALUES (0, 0)",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)
PENDING = """SELECT message, subscription, topic, data, attributes, published_at, attempts,
    receipt FROM deliveries JOIN messages ON messages.id = deliveries.message """
BUSY_SECONDS = 30.0
WAYS_OUT = {
    sqlite3.SQLITE_FULL: "the disk is full; free some space",
    sqlite3.SQLITE_BUSY: "another process keeps it locked; end that one, or wait",
    sqlite3.SQLITE_PROTOCOL: "too many processes opened it at the same time; wait",
    sqlite3.SQLITE_READONLY: "it is read-only; make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its folder exists and is writable",
    sqlite3.SQLITE_IOERR: "the disk refuses reads or writes; check its space, quota and health",
}
"""These may pass: nothing is lost, the same call works when the cause is gone."""
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


@dataclass(frozen=True)
class Backlog:
    """What a subscription has before it; `oldest_seconds` since the oldest was published."""

    waiting: int
    leased: int
    oldest_seconds: float


def connect(url: str, options: Options) -> "SqliteBus":
    """The bus at `sqlite://FILE`, relative to the working folder, or `sqlite:///FILE`.

    Raises ConfigError for a URL, a file or waits that cannot work, RetryLater when the file
    cannot be used now.
    """
    scheme, _, name = url.partition("://")
    if scheme != "sqlite" or not name or name.endswith("/") or name == ":memory:":
        raise ConfigError(f"{url!r} is not a bus: expected sqlite://FILE, like sqlite://bus.db")
    rules.check_waits(options.retry_min_seconds, options.retry_max_seconds)
    path = Path(name).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise ConfigError(f"{path.parent} cannot be the bus's folder: {problem}") from problem
    return SqliteBus(path, options)


class SqliteBus:
    """At-least-once delivery over one file; every method is one transaction.

    A topic exists by its subscriptions: a message to a topic without any is dropped, as Pub/Sub
    drops it. What was acknowledged everywhere is deleted. Time inside never runs backwards, see
    `_tick`. Each thread at work has a connection of its own; idle ones are kept for the next.
    """

    def __init__(self, path: Path, options: Options) -> None:
        self._path = path
        self._options = options
        self._idle: list[sqlite3.Connection] = []
        self._make_tables()

    def publish(self, messages: Sequence[Message]) -> Sequence[str]:
        """Store all messages or none, one delivery for each subscription of their topics.

        Returns when they are on the disk. A message whose topic has no subscription is dropped
        (its id is real). Raises MessageInvalid for what Pub/Sub would refuse, RetryLater.
        """
        rules.check_messages(messages)
        with self._transaction() as (database, now):
            return [str(self._store(database, message, now)[0]) for message in messages]

    def pull(self, subscription: str, *, limit: int = 1) -> Sequence[Delivery]:
        """At most `limit` (1-1000) due messages, longest due first; raises ConfigError.

        The caller has `lease_seconds`; then the next pull hands the message out again with a new
        receipt and a higher attempt, or makes it a dead letter when it had its last one.
        """
        rules.check_limit(limit)
        if not self._anything_due(subscription):
            return []
        deliveries: list[Delivery] = []
        with self._transaction() as (database, now):
            while rows := self._due(database, subscription, now, limit - len(deliveries)):
                deliveries += [
                    self._lease(database, row, now)
                    for row in rows
                    if not self._bury(database, row, now)
                ]
        return deliveries

    def ack(self, delivery: Delivery) -> None:
        """Forget this delivery; nothing happens when its lease went to somebody else."""
        with self._transaction() as (database, _):
            self._finish(
                database, int(delivery.message_id), delivery.subscription, delivery.receipt
            )

    def nack(self, delivery: Delivery) -> None:
        """Let this delivery come again after a wait, or make it a dead letter after its last one.

        Nothing happens when its lease went to somebody else.
        """
        with self._transaction() as (database, now):
            row = database.execute(
                PENDING + "WHERE message = ? AND subscription = ? AND receipt = ?",
                (int(delivery.message_id), delivery.subscription, delivery.receipt),
            ).fetchone()
            if row is None or self._bury(database, row, now):
                return
            wait = rules.backoff_seconds(
                row["attempts"], self._options.retry_min_seconds, self._options.retry_max_seconds
            )
            database.execute(
                "UPDATE deliveries SET receipt = NULL, due_at = ? "
                "WHERE message = ? AND subscription = ?",
                (now + wait, row["message"], row["subscription"]),
            )

    def subscribe(
        self, subscription: str, topic: str, *, dead_letter_topic: str | None = None
    ) -> None:
        """Let a subscription have every message published to a topic from now on.

        What Terraform does for Pub/Sub; saying it again changes nothing, saying it differently
        changes it. Without `dead_letter_topic` a message comes again until it is acknowledged.
        """
        rules.check_name("subscription", subscription)
        rules.check_name("topic", topic)
        rules.check_name("topic", dead_letter_topic or topic)
        with self._transaction() as (database, _):
            database.execute(
                "INSERT INTO subscriptions VALUES (?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
                "topic = excluded.topic, dead_letter_topic = excluded.dead_letter_topic",
                (subscription, topic, dead_letter_topic),
            )

    def recover(self) -> int:
        """Make everything due now and return how many leases that ended.

        Only for who knows that nobody else uses the bus: the local stack when it starts. An
        interrupted delivery keeps its attempt, so that it counts once.
        """
        leased = "SELECT count(*) FROM deliveries WHERE receipt IS NOT NULL"
        with self._transaction() as (database, now):
            interrupted: int = database.execute(leased).fetchone()[0]
            database.execute("UPDATE deliveries SET receipt = NULL, due_at = ?", (now,))
        return interrupted

    def counts(self) -> Mapping[str, Backlog]:
        """The backlog of every subscription, by name."""
        with self._connection() as database:
            rows = database.execute(
                """SELECT name, count(message) AS pending, min(published_at) AS oldest,
                    count(CASE WHEN due_at > ? THEN receipt END) AS leased
                FROM subscriptions LEFT JOIN deliveries ON subscription = name
                LEFT JOIN messages ON messages.id = message GROUP BY name ORDER BY name""",
                (self._read_clock(database)[0],),
            ).fetchall()
        wall = self._wall()
        return {
            name: Backlog(pending - leased, leased, max(0.0, wall - (oldest or wall)))
            for name, pending, oldest, leased in rows
        }

    def close(self) -> None:
        """Close the idle connections; the next call opens a new one."""
        while self._idle:
            self._idle.pop().close()

    def _anything_due(self, subscription: str) -> bool:
        """Spares an idle consumer the write lock and the disk; True when only a writer can say."""
        with self._connection() as database:
            named = "SELECT 1 FROM subscriptions WHERE name = ?"
            if database.execute(named, (subscription,)).fetchone() is None:
                raise ConfigError(
                    f"subscription {subscription!r} does not exist in {self._path}: "
                    "start the local stack, which subscribes every stage of functions/stages.yaml"
                )
            now, behind = self._read_clock(database)
            due = database.execute(
                "SELECT 1 FROM deliveries WHERE subscription = ? AND due_at <= ? LIMIT 1",
                (subscription, now),
            ).fetchone()
            return behind > 0 or due is not None

    def _due(
        self, database: sqlite3.Connection, subscription: str, now: float, limit: int
    ) -> list[sqlite3.Row]:
        """What is due, longest due first; also what had its last attempt and got no answer."""
        return database.execute(
            PENDING + "WHERE subscription = ? AND due_at <= ? ORDER BY due_at, message LIMIT ?",
            (subscription, now, limit),
        ).fetchall()

    def _store(self, database: sqlite3.Connection, message: Message, now: float) -> tuple[int, int]:
        """The message's id, and how many subscriptions get it."""
        inserted = database.execute(
            "INSERT INTO messages (topic, data, attributes, published_at) VALUES (?, ?, ?, ?)",
            (message.topic, message.data, json.dumps(dict(message.attributes)), self._wall()),
        )
        message_id = int(inserted.lastrowid or 0)
        copies = database.execute(
            "INSERT INTO deliveries (message, subscription, due_at) "
            "SELECT ?, name, ? FROM subscriptions WHERE topic = ?",
            (message_id, now, message.topic),
        ).rowcount
        if not copies:
            database.execute("DELETE FROM messages WHERE id = ?", (message_id,))
        return message_id, copies

    def _lease(self, database: sqlite3.Connection, row: sqlite3.Row, now: float) -> Delivery:
        receipt = secrets.token_hex(16)
        database.execute(
            "UPDATE deliveries SET receipt = ?, due_at = ?, attempts = attempts + 1 "
            "WHERE message = ? AND subscription = ?",
            (receipt, now + self._options.lease_seconds, row["message"], row["subscription"]),
        )
        return Delivery(
            message=_message(row),
            message_id=str(row["message"]),
            published_at=_published_at(row),
            attempt=row["attempts"] + 1,
            receipt=receipt,
            subscription=row["subscription"],
        )

    def _finish(
        self, database: sqlite3.Connection, message_id: int, subscription: str, receipt: str | None
    ) -> None:
        """Delete this delivery when its receipt is the newest, and a message without deliveries."""
        database.execute(
            "DELETE FROM deliveries WHERE message = ? AND subscription = ? AND receipt IS ?",
            (message_id, subscription, receipt),
        )
        database.execute(
            "DELETE FROM messages WHERE id = ?1 "
            "AND NOT EXISTS (SELECT 1 FROM deliveries WHERE message = ?1)",
            (message_id,),
        )

    def _bury(self, database: sqlite3.Connection, row: sqlite3.Row, now: float) -> bool:
        """Move a delivery that had its last attempt to the dead-letter topic; False: it stays.

        It also stays where nobody subscribes to the dead letters: Pub/Sub would lose it there.
        """
        if row["attempts"] < self._options.max_delivery_attempts:
            return False
        query = "SELECT dead_letter_topic FROM subscriptions WHERE name = ?"
        topic = database.execute(query, (row["subscription"],)).fetchone()[0]
        if topic is None:
            return False
        letter = rules.dead_letter(
            topic,
            _message(row),
            subscription=row["subscription"],
            deliveries=row["attempts"],
            published_at=_published_at(row),
        )
        if not self._store(database, letter, now)[1]:
            return False
        self._finish(database, row["message"], row["subscription"], row["receipt"])
        return True

    def _wall(self) -> float:
        return self._options.now().timestamp()

    def _read_clock(self, database: sqlite3.Connection) -> tuple[float, float]:
        """The bus's time, and by how much the wall clock fell behind it since the last writer."""
        latest, ahead = database.execute("SELECT latest, ahead FROM clock").fetchone()
        now = self._wall() + float(ahead)
        return max(now, latest), max(0.0, latest - now)

    def _tick(self, database: sqlite3.Connection) -> float:
        """The bus's time in seconds, which goes on from where it was when the wall clock goes back.

        A lease or a wait taken before the clock was set back would otherwise last that much
        longer; like this it ends at most as late as if the time since the last transaction had
        not passed. Read under the write lock: two processes cannot see it in another order.
        """
        now, behind = self._read_clock(database)
        database.execute("UPDATE clock SET latest = ?, ahead = ahead + ?", (now, behind))
        return now

    @contextmanager
    def _transaction(self) -> Iterator[tuple[sqlite3.Connection, float]]:
        """The write lock and the bus's time; everything is on the disk after the context."""
        with self._connection() as database:
            database.execute("BEGIN IMMEDIATE")
            yield database, self._tick(database)
            database.execute("COMMIT")

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """A connection for one thread; after any error it is closed, which rolls back."""
        database: sqlite3.Connection | None = None
        try:
            database = self._take()
            yield database
            self._idle.append(database)
            database = None
        except sqlite3.Error as problem:
            translated = self._translated(problem)
            if translated is None:
                raise
            raise translated from problem
        finally:
            if database is not None:
                database.close()

    def _take(self) -> sqlite3.Connection:
        with suppress(IndexError):
            return self._idle.pop()
        database = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        database.row_factory = sqlite3.Row
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA journal_size_limit = 67108864")
        return database

    def _make_tables(self) -> None:
        with self._connection() as database:
            self._use_wal(database)
            database.execute("BEGIN IMMEDIATE")
            version = database.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                for statement in SCHEMA:
                    database.execute(statement)
            elif version != SCHEMA_VERSION:
                raise ConfigError(
                    f"{self._path} has version {version} of the bus, this program reads "
                    f"{SCHEMA_VERSION}: finish its messages with the program that made it, "
                    "or throw them away with scripts/gv reset"
                )
            database.execute("COMMIT")

    def _use_wal(self, database: sqlite3.Connection) -> None:
        """Others may do this too; then SQLite fails at once, or keeps the old mode in silence."""
        deadline = time.monotonic() + BUSY_SECONDS
        while time.monotonic() < deadline:
            try:
                if database.execute("PRAGMA journal_mode = WAL").fetchone()[0] == "wal":
                    return
            except sqlite3.OperationalError as problem:
                if _cause(problem) != sqlite3.SQLITE_BUSY:
                    raise
            time.sleep(0.01)
        raise RetryLater(f"{self._path}: {WAYS_OUT[sqlite3.SQLITE_BUSY]} (no write-ahead log)")

    def _translated(self, problem: sqlite3.Error) -> PipelineError | None:
        """Our error for SQLite's; None for one that only a mistake of ours can cause."""
        cause = _cause(problem)
        if cause in DAMAGED:
            return ConfigError(
                f"{self._path} is damaged or no bus: {problem}; restore it from a backup, or throw "
                "it away with scripts/gv reset"
            )
        if cause in WAYS_OUT:
            return RetryLater(f"{self._path}: {WAYS_OUT[cause]} ({problem})")
        return None


def _cause(problem: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 when the error does not come from SQLite itself."""
    return int(getattr(problem, "sqlite_errorcode", 0)) & 0xFF


def _message(row: sqlite3.Row) -> Message:
    return Message(row["topic"], row["data"], json.loads(row["attributes"]))


def _published_at(row: sqlite3.Row) -> datetime:
    return datetime.fromtimestamp(row["published_at"], UTC)
