"""Tables in a folder: one create-once file of JSON lines an append, read by DuckDB in memory.

`<root>/<table>/<tenant>/<hash>.jsonl` holds one append, `merged-<hash>.jsonl` what many of them
held. A file appears whole by one rename after it is on disk, so a process that dies leaves nothing
or all of its append. DuckDB's own database file would admit one process only.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, BinaryIO, Self

from shared.adapters.tables import rules
from shared.errors import ConfigError, RetryLater
from shared.events import LOCAL_TENANT
from shared.ports import Appended, JsonObject, Options
from shared.tables import QUARANTINE, TABLES, Table

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MERGE_FILES = 256
"""So many small files of a table are merged into one when they are next read."""
SMALL_BYTES = 16_000_000
STALE_SECONDS = 2 * 3600
"""No append runs this long: a draft of this age belongs to a process that died."""
COLUMN_TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
    "NUMERIC(38,9)": "DECIMAL(38,9)",
    "JSON": "JSON",
}
READ_AS_TEXT = ("NUMERIC(38,9)", "JSON")
"""Read through a number or an object, digits or spelling could change."""


def connect(url: str, options: Options) -> "DuckDbTables":
    """Tables of the tenant `local`; `duckdb://FOLDER` relative, `duckdb:///FOLDER` absolute."""
    folder = url.removeprefix("duckdb://")
    if not url.startswith("duckdb://") or not folder:
        raise ConfigError(f"{url!r}: expected duckdb://FOLDER, such as duckdb://.local/tables")
    root = Path(folder).absolute()
    remove_stale_drafts(root)
    return DuckDbTables(root, LOCAL_TENANT, options.now, _Memories(root))


class DuckDbTables:
    """Appends write files without DuckDB; the first query of a process loads it and the rows."""

    def __init__(
        self, root: Path, tenant_id: str, now: Callable[[], datetime], memories: "_Memories"
    ) -> None:
        self._root = root
        self._tenant_id = rules.check_tenant(tenant_id)
        self._now = now
        self._memories = memories

    def for_tenant(self, tenant_id: str) -> Self:
        """The same folder, seen by one tenant."""
        return type(self)(self._root, tenant_id, self._now, self._memories)

    def append(self, table: str, rows: Sequence[JsonObject]) -> Appended:
        """Keep rows in a file named by their content; appended again, it is there already."""
        into = rules.table_of(table)
        checked = rules.checked_rows(into, self._tenant_id, rows, self._now())
        # The bad ones first: a crash between the two leaves work to repeat, not rows to miss.
        self._write(QUARANTINE, checked.quarantine)
        self._write(into, checked.rows)
        return Appended(len(checked.rows), checked.quarantined)

    def query(self, name: str, parameters: JsonObject) -> Sequence[JsonObject]:
        """The rows that a named query finds in this tenant's files."""
        query = rules.named_query(name)
        checked = rules.checked_parameters(query, self._tenant_id, parameters)
        values = {name: value for name, (_, value) in checked.items()}
        return self._memories.of(self._tenant_id).run(query, values)

    def _write(self, table: Table, rows: Sequence[rules.WireRow]) -> None:
        if not rows:
            return
        digests = sorted((row["row_id"], row["row_digest"]) for row in rows)
        folder = self._root / table.name / self._tenant_id
        target = folder / f"{rules.hash_of(digests)}.jsonl"
        with _disk_errors(target):
            if target.exists():
                return
            with _draft(self._root) as draft:
                with draft.open("x", encoding="utf-8") as file:
                    file.writelines(f"{rules.canonical(row)}\n" for row in rows)
                    file.flush()
                    os.fsync(file.fileno())
                _publish(draft, target)


class _Memories:
    """The rows in memory, one DuckDB a tenant, shared by all who use one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = Lock()
        self._made: dict[str, _Memory] = {}
        # DuckDB complains on stderr of what is still open when Python ends.
        weakref.finalize(self, _close, self._made)

    def of(self, tenant_id: str) -> "_Memory":
        """This tenant's rows."""
        with self._lock:
            if tenant_id not in self._made:
                self._made[tenant_id] = _Memory(self._root, tenant_id)
            return self._made[tenant_id]


def _close(memories: Mapping[str, "_Memory"]) -> None:
    for memory in memories.values():
        memory.close()


class _Memory:
    """One tenant's rows in DuckDB: each file is read once, when a query needs its table."""

    def __init__(self, root: Path, tenant_id: str) -> None:
        self._root = root
        self._tenant_id = tenant_id
        self._lock = Lock()
        self._connection: DuckDBPyConnection | None = None
        self._loaded: dict[str, set[str]] = {}

    def run(self, query: rules.NamedQuery, values: Mapping[str, Any]) -> Sequence[JsonObject]:
        """The rows that a query finds in what is on disk now."""
        sql, tables = _in_duckdb(query.sql)
        with self._lock, _duckdb_errors(query.name):
            connection = self._connection = self._connection or _connection(self._root)
            for name in sorted(tables):
                self._load(connection, rules.table_of(name))
            found = connection.execute(sql, dict(values))
            columns = [(one[0], str(one[1])) for one in found.description or ()]
            return [
                {name: _value(kind, one) for (name, kind), one in zip(columns, row, strict=True)}
                for row in found.fetchall()
            ]

    def close(self) -> None:
        """Forget the rows; the next query reads them again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection, self._loaded = None, {}

    def _load(self, connection: "DuckDBPyConnection", table: Table) -> None:
        folder = self._root / table.name / self._tenant_id
        if table.name not in self._loaded:
            for statement in _statements(table):
                connection.execute(statement)
            self._loaded[table.name] = set()
        loaded = self._loaded[table.name]
        with _disk_errors(folder):
            merge_small_files(self._root, folder)
            with paused_merging(self._root):
                there = {path.name for path in _row_files(folder)}
                if there != loaded:
                    with _all_or_nothing(connection):
                        _exchange(connection, table, loaded - there, folder, there - loaded)
                    self._loaded[table.name] = there


def _exchange(
    connection: "DuckDBPyConnection", table: Table, gone: set[str], folder: Path, new: set[str]
) -> None:
    """Replace the rows of files that are gone by those of new ones."""
    import duckdb

    if gone:
        connection.execute(
            f"DELETE FROM {table.rows_name} WHERE file_name IN (SELECT UNNEST($1))",  # noqa: S608
            [sorted(gone)],
        )
    paths = [_no_pattern(str(folder / name)) for name in sorted(new)]
    try:
        if paths:
            connection.execute(_insert(table), [paths])
    except (duckdb.InvalidInputException, duckdb.ConversionException) as problem:
        said = str(problem)[:300]
        raise ConfigError(f"{folder}: not what an append wrote; restore it: {said}") from problem


@contextmanager
def _all_or_nothing(connection: "DuckDBPyConnection") -> Iterator[None]:
    connection.begin()
    done = False
    try:
        yield
        connection.commit()
        done = True
    finally:
        if not done:
            connection.rollback()


def _connection(root: Path) -> "DuckDBPyConnection":
    """DuckDB that reaches no file but ours and loads no extension."""
    import duckdb

    # More threads make no query here faster and all of them slower beside other work.
    connection = duckdb.connect(
        ":memory:",
        config={
            "threads": "1",
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "temp_directory": str(root / ".state" / "drafts" / "spilled"),
        },
    )
    quoted = str(root).replace("'", "''")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"SET allowed_directories = ['{quoted}', '{_no_pattern(quoted)}']")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _statements(table: Table) -> Iterator[str]:
    """What makes a table and its view; that view finds the rows of `rules.view_sql` faster."""
    columns = ", ".join(f"{c.name} {COLUMN_TYPES[c.type]}" for c in table.stored_columns)
    yield f"CREATE TABLE {table.rows_name} ({columns}, file_name VARCHAR)"
    first = "arg_min(rowid, ROW(appended_at, row_digest))"
    latest = f"arg_max(rowid, ROW({table.latest_by}, row_digest))"
    yield (
        f"CREATE VIEW {table.name} AS SELECT * EXCLUDE (file_name) FROM {table.rows_name} "  # noqa: S608
        f"WHERE rowid IN (SELECT {latest if table.latest_by else first} "
        f"FROM {table.rows_name} GROUP BY tenant_id, row_id)"
    )


def _insert(table: Table) -> str:
    kinds = {
        c.name: "VARCHAR" if c.type in READ_AS_TEXT else COLUMN_TYPES[c.type]
        for c in table.stored_columns
    }
    columns = ", ".join(f"{name}: '{kind}'" for name, kind in kinds.items())
    names = ", ".join(kinds)
    return (
        f"INSERT INTO {table.rows_name} SELECT {names}, parse_filename(filename) "  # noqa: S608
        f"FROM read_json($1, columns = {{{columns}}}, format = 'newline_delimited', "
        "filename = true)"
    )


@cache
def _in_duckdb(sql: str) -> tuple[str, frozenset[str]]:
    """A query of the BigQuery dialect in DuckDB's, and the tables that it reads."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(sql, read="bigquery")
    for kind in tree.find_all(exp.DataType):
        if kind.is_type("decimal") and not kind.expressions:
            # DuckDB would keep 3 decimals.
            kind.replace(exp.DataType.build("DECIMAL(38, 9)", dialect="duckdb"))
    tables = {table.name for table in tree.find_all(exp.Table)} & set(TABLES)
    return tree.sql(dialect="duckdb"), frozenset(tables)


def _value(kind: str, value: Any) -> Any:
    """A value as BigQuery's client gives it; a moment without a zone was truncated in UTC."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if kind == "JSON" and value is not None:
        return json.loads(value)
    return value


def _no_pattern(path: str) -> str:
    """A path whose own brackets, stars and question marks DuckDB takes for nothing else."""
    return re.sub(r"([\[*?])", r"[\1]", path)


def _row_files(folder: Path) -> Iterator[os.DirEntry[str]]:
    with suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from (entry for entry in entries if entry.name.endswith(".jsonl"))


def merge_small_files(root: Path, folder: Path) -> None:
    """Make one file of many small ones, unless somebody reads just now.

    Killed in between it leaves rows twice, which no query shows.
    """
    if sum(1 for _ in _row_files(folder)) < MERGE_FILES:
        return
    with _merging(root) as free:
        entries = _row_files(folder) if free else ()
        small = sorted(e.name for e in entries if e.stat().st_size < SMALL_BYTES)
        if len(small) < MERGE_FILES:
            return
        with _draft(root) as draft:
            with draft.open("xb") as merged:
                for name in small:
                    with (folder / name).open("rb") as file:
                        shutil.copyfileobj(file, merged)
                merged.flush()
                os.fsync(merged.fileno())
            _publish(draft, folder / f"merged-{secrets.token_hex(16)}.jsonl")
        for name in small:
            (folder / name).unlink()


@contextmanager
def paused_merging(root: Path) -> Iterator[None]:
    """Until the end no file is merged into another: what is listed is still there when read."""
    with _lock_file(root) as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        yield


@contextmanager
def _merging(root: Path) -> Iterator[bool]:
    """Whether nobody reads or merges; then none does until the end."""
    with _lock_file(root) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True


def _lock_file(root: Path) -> BinaryIO:
    (root / ".state").mkdir(0o700, parents=True, exist_ok=True)
    return (root / ".state" / "merging").open("ab")


@contextmanager
def _draft(root: Path) -> Iterator[Path]:
    """A path where nothing is yet, on the file system of the store; empty again at the end."""
    folder = root / ".state" / "drafts"
    folder.mkdir(0o700, parents=True, exist_ok=True)
    path = folder / secrets.token_hex(16)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _publish(draft: Path, target: Path) -> None:
    """Let a draft that is on disk appear under its name, also after a power cut."""
    made = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    draft.replace(target)
    for folder in {target.parent, *(folder.parent for folder in made)}:
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def remove_stale_drafts(root: Path) -> None:
    """Remove what processes that died have left behind."""
    for draft in (root / ".state" / "drafts").glob("*"):
        with suppress(FileNotFoundError, IsADirectoryError, PermissionError):
            if time.time() - draft.stat().st_mtime > STALE_SECONDS:
                draft.unlink()


@contextmanager
def _disk_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (PermissionError, NotADirectoryError) as problem:
        raise ConfigError(
            f"{path}: {problem.strerror}; expected a folder of this user"
        ) from problem
    except OSError as problem:
        raise RetryLater(f"{path}: {problem.strerror or problem}; mend the disk") from problem


@contextmanager
def _duckdb_errors(name: str) -> Iterator[None]:
    import duckdb

    try:
        yield
    except (duckdb.IOException, duckdb.OutOfMemoryException) as problem:
        raise RetryLater(f"query {name}: {str(problem)[:300]}") from problem
    except duckdb.Error as problem:
        raise rules.TablesInvalid(f"query {name}: {str(problem)[:300]}") from problem
