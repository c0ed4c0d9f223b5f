"""Documents in one SQLite file: several threads and processes of one machine."""

import json
import os
import sqlite3
import threading
import time
from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from heapq import nsmallest
from operator import mul
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from shared.adapters.documents import rules
from shared.errors import ConfigError, Conflict, RetryLater
from shared.events import LOCAL_TENANT
from shared.ports import (
    ABSENT,
    Delete,
    Document,
    JsonObject,
    Merge,
    Options,
    Page,
    Put,
    Where,
    Write,
)

BUSY_TIMEOUT_SECONDS = 10.0
PURGE_AT_ONCE = 100

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    tenant TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    version TEXT NOT NULL,
    expires_at INTEGER,
    vector BLOB,
    PRIMARY KEY (tenant, kind, id)
);
CREATE INDEX IF NOT EXISTS expiring ON documents (expires_at) WHERE expires_at IS NOT NULL;
"""
_SELECT = "SELECT id, data, version FROM documents WHERE"
_LIVE = "(expires_at IS NULL OR expires_at > ?)"
_RANK = (
    "CASE json_type(data, ?) WHEN 'null' THEN 0 WHEN 'true' THEN 1 WHEN 'false' THEN 1"
    " WHEN 'integer' THEN 2 WHEN 'real' THEN 2 WHEN 'text' THEN 3 END"
)
# A null has no order of its own in SQL; within its rank any constant will do.
_VALUE = "ifnull(json_extract(data, ?), 0)"
_OPERAND = "json_extract(?, '$')"
_OPERATORS = {"==": "=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


def connect(url: str, options: Options) -> "SqliteDocuments":
    """Documents of the tenant `local`; `sqlite://FILE` relative, `sqlite:///FILE` absolute."""
    name = url.removeprefix("sqlite://")
    if not url.startswith("sqlite://") or not name or name.startswith(":"):
        raise ConfigError(f"{url!r}: expected sqlite://FILE, such as sqlite://.local/documents.db")
    return SqliteDocuments(_Database(Path(name).absolute()), options, LOCAL_TENANT)


class _Connection:
    """One thread's connection, closed with the thread."""

    def __init__(self, path: Path) -> None:
        self.process = os.getpid()
        self.sql = sqlite3.connect(
            path, timeout=BUSY_TIMEOUT_SECONDS, isolation_level=None, check_same_thread=False
        )
        # FULL: a commit that was answered outlives a power cut, not only a crash.
        self.sql.execute("PRAGMA synchronous = FULL")

    def __del__(self) -> None:
        if hasattr(self, "sql") and self.process == os.getpid():
            self.sql.close()


class _Database:
    """The file, with a connection per thread and process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = threading.local()
        self._inherited: list[_Connection] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise ConfigError(f"{path.parent}: {problem.strerror}; name another") from problem
        with self.translated():
            self._use_wal()
            with self.transaction() as sql:
                for statement in _SCHEMA.split(";"):
                    sql.execute(statement)

    def _use_wal(self) -> None:
        """Processes that make the file together fail here at once, whatever the timeout."""
        deadline = time.monotonic() + BUSY_TIMEOUT_SECONDS
        while True:
            try:
                self.sql.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)

    @property
    def sql(self) -> sqlite3.Connection:
        """This thread's connection; one from before a fork must not be used."""
        held: _Connection | None = getattr(self._local, "held", None)
        if held is not None and held.process != os.getpid():
            # Closing an inherited connection would drop the locks of the parent.
            self._inherited.append(held)
            held = None
        if held is None:
            held = self._local.held = _Connection(self._path)
        return held.sql

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Everything inside or nothing, one writer at a time."""
        sql = self.sql
        sql.execute("BEGIN IMMEDIATE")
        with sql:
            yield sql

    @contextmanager
    def translated(self) -> Iterator[None]:
        """SQLite's errors as ours: full, locked, read-only and I/O may pass, damage does not."""
        try:
            yield
        except sqlite3.OperationalError as problem:
            raise RetryLater(
                f"{self._path}: {problem}; check free space, permissions and other programs"
            ) from problem
        except sqlite3.DatabaseError as problem:
            raise ConfigError(
                f"{self._path}: {problem}; restore a backup or move the file away"
            ) from problem


class SqliteDocuments:
    """The Documents port on SQLite; expired rows are deleted by later commits."""

    def __init__(self, database: _Database, options: Options, tenant_id: str) -> None:
        self._database = database
        self._options = options
        self._tenant = tenant_id

    def for_tenant(self, tenant_id: str) -> Self:
        """The same file, seen by one tenant."""
        return type(self)(self._database, self._options, rules.check_tenant(tenant_id))

    def tenants(self) -> Sequence[str]:
        """Every tenant that has a document here, by name."""
        with self._database.translated():
            rows = self._database.sql.execute("SELECT DISTINCT tenant FROM documents ORDER BY 1")
            return [str(row[0]) for row in rows]

    def get(self, kind: str, id: str) -> Document | None:
        """One document; None when there is none or it has expired."""
        rules.check_name(kind, id)
        with self._database.translated():
            return self._read(self._database.sql, kind, id, self._now())

    def put(self, kind: str, id: str, data: JsonObject, *, expect: str | None = None) -> str:
        """Write one document, return its new version; raises Conflict when `expect` is not met."""
        return self.commit([Put(kind, id, data, expect)])[0]

    def commit(self, writes: Sequence[Write]) -> Sequence[str]:
        """All writes or none; raises Conflict or DocumentInvalid."""
        rules.check_writes(writes)
        if not writes:
            return []
        now = self._now()
        with self._database.translated(), self._database.transaction() as sql:
            sql.execute(
                "DELETE FROM documents WHERE rowid IN"
                " (SELECT rowid FROM documents WHERE expires_at <= ? LIMIT ?)",
                (now, PURGE_AT_ONCE),
            )
            return [self._apply(sql, write, now) for write in writes]

    def query(
        self,
        kind: str,
        where: Sequence[Where] = (),
        *,
        order_by: str | None = None,
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Documents that meet every condition; see `rules.checked_query` for the order."""
        query = rules.checked_query(
            kind, where, order_by=order_by, descending=descending, limit=limit, cursor=cursor
        )
        now = self._now()
        keys = [_RANK, _VALUE, "id"] if query.order else ["id"]
        paths = [_path(query.order)] * 2 if query.order else []
        conditions, values = self._conditions(kind, where, now)
        if query.order:
            conditions.append(f"{_RANK} IS NOT NULL")
            values.append(paths[0])
        if query.after is not None:
            value, id = query.after
            sign, last = "<" if descending else ">", [_rank(value), json.dumps(value), id]
            marks = ["?", f"ifnull({_OPERAND}, 0)", "?"]
            conditions.append(f"({', '.join(keys)}) {sign} ({', '.join(marks[-len(keys) :])})")
            values += [*paths, *last[-len(keys) :]]
        order = ", ".join(f"{key} {'DESC' if descending else 'ASC'}" for key in keys)
        text = f"{_SELECT} {' AND '.join(conditions)} ORDER BY {order} LIMIT ?"
        with self._database.translated():
            rows = self._database.sql.execute(text, [*values, *paths, limit + 1]).fetchall()
        return rules.page_of(query, [_document(kind, row) for row in rows])

    def nearest(
        self, kind: str, vector: Sequence[float], where: Sequence[Where] = (), *, limit: int = 10
    ) -> Sequence[tuple[Document, float]]:
        """The closest documents by cosine distance (0-2), closest first; every vector is read."""
        rules.check_kind(kind)
        rules.check_conditions(where)
        rules.check_limit(limit)
        unit = array("d", rules.unit_vector(vector))
        now = self._now()
        conditions, values = self._conditions(kind, where, now)
        text = f"SELECT id, vector FROM documents WHERE {' AND '.join(conditions)}"  # noqa: S608
        with self._database.translated():
            sql = self._database.sql
            sql.execute("BEGIN")
            try:
                rows = sql.execute(
                    f"{text} AND length(vector) = ?", [*values, unit.itemsize * len(unit)]
                )
                closest = nsmallest(limit, ((_distance(unit, blob), id) for id, blob in rows))
                found = [(self._read(sql, kind, id, now), far) for far, id in closest]
            finally:
                sql.execute("ROLLBACK")
        return [(document, far) for document, far in found if document is not None]

    def _now(self) -> int:
        return rules.microseconds(self._options.now())

    def _read(self, sql: sqlite3.Connection, kind: str, id: str, now: int) -> Document | None:
        row = sql.execute(
            f"{_SELECT} tenant = ? AND kind = ? AND id = ? AND {_LIVE}",
            (self._tenant, kind, id, now),
        ).fetchone()
        return _document(kind, row) if row else None

    def _conditions(
        self, kind: str, where: Sequence[Where], now: int
    ) -> tuple[list[str], list[Any]]:
        conditions = ["tenant = ?", "kind = ?", _LIVE]
        values: list[Any] = [self._tenant, kind, now]
        for w in where:
            options = w.value if w.op == "in" else [w.value]
            sign = _OPERATORS["==" if w.op == "in" else w.op]
            either = [
                f"({_RANK} = {_rank(v)} AND {_VALUE} {sign} ifnull({_OPERAND}, 0))" for v in options
            ]
            conditions.append(f"({' OR '.join(either)})")
            for value in options:
                values += [_path(w.field), _path(w.field), json.dumps(value)]
        return conditions, values

    def _apply(self, sql: sqlite3.Connection, write: Write, now: int) -> str:
        key = (self._tenant, write.kind, write.id)
        stored = self._read(sql, write.kind, write.id, now)
        if not isinstance(write, Merge) and write.expect is not None:
            version = stored.version if stored else ABSENT
            if version != write.expect:
                raise Conflict(
                    f"{write.kind}/{write.id} is at {version}, expected {write.expect}; read again"
                )
        if isinstance(write, Delete):
            sql.execute("DELETE FROM documents WHERE tenant = ? AND kind = ? AND id = ?", key)
            return ""
        version = uuid4().hex
        if isinstance(write, Merge) and stored is not None:
            data = rules.encoded(write.kind, write.id, rules.merged(stored.data, write))
            sql.execute(
                "UPDATE documents SET data = ?, version = ?"
                " WHERE tenant = ? AND kind = ? AND id = ?",
                (data, version, *key),
            )
            return version
        put = write if isinstance(write, Put) else Put(*key[1:], rules.merged({}, write))
        expires_at = rules.microseconds(put.expires_at) if put.expires_at else None
        vector = (
            array("d", rules.unit_vector(put.vector)).tobytes() if put.vector is not None else None
        )
        sql.execute(
            "INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*key, rules.encoded(put.kind, put.id, put.data), version, expires_at, vector),
        )
        return version


def _path(field: str) -> str:
    """A checked field as a JSON path, which is bound and never part of the SQL text."""
    return "$" + "".join(f'."{key}"' for key in field.split("."))


def _rank(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    return 3 if isinstance(value, str) else 2


def _distance(unit: "array[float]", blob: bytes) -> float:
    stored = array("d")
    stored.frombytes(blob)
    return min(2.0, max(0.0, 1.0 - float(sum(map(mul, unit, stored)))))


def _document(kind: str, row: Sequence[str]) -> Document:
    return Document(kind, row[0], json.loads(row[1]), row[2])
