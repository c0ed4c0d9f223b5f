"""A small BigQuery over DuckDB: rows streamed in and questions answered, for the real client.

Its tables and views are made of what Terraform reads. It forgets every insertId at once, as
BigQuery may. What it leaves out: access control, jobs that take long, cost, partitions.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import RLock, Thread
from typing import TYPE_CHECKING, Any

import sqlglot

from scripts.tables import DATASET, tables_json

if TYPE_CHECKING:
    import duckdb

Resource = dict[str, Any]
PROJECT, DATASET_ID = "tables-test", "geminivideo"
DUCKDB_TYPES = {
    "STRING": "VARCHAR",
    "INT64": "BIGINT",
    "FLOAT64": "DOUBLE",
    "BOOL": "BOOLEAN",
    "TIMESTAMP": "TIMESTAMPTZ",
    "DATE": "DATE",
    "NUMERIC": "DECIMAL(38,9)",
    "JSON": "JSON",
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_REQUEST_BYTES = 10_000_000


class Refused(Exception):
    """An answer with a status of its own."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason


@dataclass
class Fault:
    """What goes wrong with the next calls whose path ends so; `row` refuses only that row."""

    path: str
    status: int
    reason: str
    times: int = 1
    row: int | None = None


@dataclass
class BigQueryServer:
    """The state: tables in DuckDB, the faults to come, and what was asked."""

    schemas: dict[str, dict[str, Resource]]
    database: "duckdb.DuckDBPyConnection"
    url: str = ""
    page_rows: int = 1000
    faults: list[Fault] = field(default_factory=list)
    requests: list[tuple[str, Resource]] = field(default_factory=list)
    results: dict[str, Resource] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)

    def fault_for(self, path: str) -> Fault | None:
        """The first fault that this call meets; it is used up."""
        for fault in self.faults:
            if path.endswith(fault.path) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def insert_all(self, table: str, body: Resource, fault: Fault | None) -> Resource:
        """tabledata.insertAll: rows that fit are kept, each that does not is answered for."""
        if table not in self.schemas:
            raise Refused(404, "notFound", f"Not found: Table {PROJECT}:{DATASET_ID}.{table}")
        problems = {
            at: problem
            for at, row in enumerate(body["rows"])
            if (problem := self.problem_of(table, row["json"]))
        }
        if fault and fault.row is not None:
            problems[fault.row] = {"reason": fault.reason, "location": "", "message": "injected"}
        if problems and not body.get("skipInvalidRows"):
            stopped = {"reason": "stopped", "location": "", "message": ""}
            problems = {at: problems.get(at, stopped) for at in range(len(body["rows"]))}
        for at, row in enumerate(body["rows"]):
            if at not in problems:
                self.keep(table, row["json"])
        errors = [{"index": at, "errors": [one]} for at, one in sorted(problems.items())]
        answer: Resource = {"kind": "bigquery#tableDataInsertAllResponse"}
        return answer | ({"insertErrors": errors} if errors else {})

    def problem_of(self, table: str, row: Resource) -> Resource | None:
        """What BigQuery would say of a row."""
        import duckdb

        schema = self.schemas[table]
        for name in row:
            if name not in schema:
                return {"reason": "invalid", "location": name, "message": "no such field."}
        for name, column in schema.items():
            if row.get(name) is None and column["mode"] == "REQUIRED":
                return {"reason": "invalid", "message": f"Missing required field: {name}."}
        try:
            self.database.execute(f"SELECT {self.casts(table)}", self.values(table, row))
        except duckdb.Error as problem:
            return {"reason": "invalid", "location": "row", "message": str(problem)[:100]}
        return None

    def keep(self, table: str, row: Resource) -> None:
        """Append one row."""
        self.database.execute(
            f"INSERT INTO {table} SELECT {self.casts(table)}", self.values(table, row)
        )

    def casts(self, table: str) -> str:
        """The columns of a row, from the text that they are sent as."""
        kinds = [DUCKDB_TYPES[column["type"]] for column in self.schemas[table].values()]
        return ", ".join(f"CAST(${at} AS {kind})" for at, kind in enumerate(kinds, 1))

    def values(self, table: str, row: Resource) -> list[Any]:
        """The values of a row in the order of the columns."""
        return [row.get(name) for name in self.schemas[table]]

    def query(self, body: Resource) -> Resource:
        """jobs.query: run it, answer with the first page."""
        import duckdb

        assert body["useLegacySql"] is False
        assert body["defaultDataset"] == {"projectId": PROJECT, "datasetId": DATASET_ID}
        assert body["parameterMode"] == "NAMED"
        values = {one["name"]: parameter(one) for one in body["queryParameters"]}
        try:
            exact = re.sub(r"\bNUMERIC\b(?!\()", "NUMERIC(38, 9)", body["query"])
            [sql] = sqlglot.transpile(exact, read="bigquery", write="duckdb")
            found = self.database.execute(sql, values)
        except (duckdb.Error, sqlglot.ParseError) as problem:
            raise Refused(400, "invalidQuery", str(problem)) from problem
        kinds = [(str(one[0]), kind_of(str(one[1]))) for one in found.description or ()]
        rows = [{"f": [{"v": cell(value)} for value in row]} for row in found.fetchall()]
        job = f"job{len(self.results)}"
        fields = [{"name": name, "type": kind, "mode": "NULLABLE"} for name, kind in kinds]
        self.results[job] = {"schema": {"fields": fields}, "rows": rows}
        return self.page(job, 0, body.get("maxResults"))

    def page(self, job: str, start: int, most: int | None) -> Resource:
        """Some rows of a finished job; none at all when none are asked for."""
        result = self.results[job]
        most = self.page_rows if most is None else min(most, self.page_rows)
        rows = result["rows"][start : start + most]
        answer = {
            "kind": "bigquery#queryResponse",
            "schema": result["schema"],
            "jobReference": {"projectId": PROJECT, "jobId": job, "location": "EU"},
            "totalRows": str(len(result["rows"])),
            "jobComplete": True,
        }
        if rows:
            answer["rows"] = rows
        if most and start + most < len(result["rows"]):
            answer["pageToken"] = str(start + most)
        return answer

    def job(self, job: str) -> Resource:
        """jobs.get of a finished job."""
        return {
            "jobReference": {"projectId": PROJECT, "jobId": job, "location": "EU"},
            "configuration": {"jobType": "QUERY", "query": {"query": ""}},
            "status": {"state": "DONE"},
            "statistics": {"query": {}},
        }


def kind_of(duckdb_type: str) -> str:
    """The type that BigQuery would name."""
    kinds = {
        "VARCHAR": "STRING",
        "DOUBLE": "FLOAT",
        "BOOLEAN": "BOOLEAN",
        "DATE": "DATE",
        "JSON": "JSON",
        "BIGINT": "INTEGER",
        "HUGEINT": "INTEGER",
        "INTEGER": "INTEGER",
    }
    if duckdb_type.startswith("DECIMAL"):
        return "NUMERIC"
    if duckdb_type.startswith("TIMESTAMP"):
        return "TIMESTAMP"
    return kinds[duckdb_type]


def cell(value: Any) -> Any:
    """A value in an answer: text, a moment as microseconds since 1970."""
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return str((moment - EPOCH) // timedelta(microseconds=1))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value == value.normalize() else f"{value:f}"
    return None if value is None else str(value)


def parameter(sent: Resource) -> Any:
    """The value of a query parameter."""
    kind = sent["parameterType"]
    if kind["type"] == "ARRAY":
        values = sent["parameterValue"]["arrayValues"]
        return [scalar(kind["arrayType"]["type"], one["value"]) for one in values]
    return scalar(kind["type"], sent["parameterValue"]["value"])


def scalar(kind: str, text: str) -> Any:
    """A value of a type, from the text that it is sent as."""
    readers: dict[str, Callable[[str], Any]] = {
        "STRING": str,
        "INT64": int,
        "FLOAT64": float,
        "NUMERIC": Decimal,
        "TIMESTAMP": datetime.fromisoformat,
        "DATE": date.fromisoformat,
        "BOOL": lambda word: word == "true",
    }
    return readers[kind](text)


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_state: BigQueryServer

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        """Every method is served alike."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        state, (path, _, query) = self.server_state, self.path.partition("?")
        asked = dict(pair.split("=", 1) for pair in query.split("&") if "=" in pair)
        with state.lock:
            try:
                if len(body) > MAX_REQUEST_BYTES:
                    raise Refused(413, "uploadTooLarge", "Request payload size exceeds the limit")
                sent = json.loads(body) if body else {}
                state.requests.append((path, sent))
                self.answer(200, self.route(path.split("/")[3:], asked, sent))
            except Refused as refused:
                error = {"reason": refused.reason, "message": str(refused)}
                said = {"code": refused.status, "message": str(refused), "errors": [error]}
                self.answer(refused.status, {"error": said})

    do_GET = do_POST  # noqa: N815 - the names that http.server calls

    def route(self, names: Sequence[str], asked: Mapping[str, str], sent: Resource) -> Resource:
        """Find what a request is about."""
        state = self.server_state
        fault = state.fault_for("/".join(names))
        if fault and fault.row is None:
            raise Refused(fault.status, fault.reason, "injected by the test")
        match self.command, names:
            case "POST", ["projects", _, "datasets", _, "tables", table, "insertAll"]:
                return state.insert_all(table, sent, fault)
            case "POST", ["projects", _, "queries"]:
                return state.query(sent)
            case "GET", ["projects", _, "queries", job]:
                most = int(asked["maxResults"]) if "maxResults" in asked else None
                return state.page(job, int(asked.get("pageToken", 0)), most)
            case "GET", ["projects", _, "jobs", job]:
                return state.job(job)
        raise Refused(501, "notImplemented", f"{self.command} {self.path} is not served here")

    def answer(self, status: int, said: Resource) -> None:
        """Send JSON."""
        content = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def empty_state() -> BigQueryServer:
    """The tables and views that Terraform would make, without a row."""
    # Not at the top: a connection's thread that outlives a test would keep the module alive, and
    # DuckDB complains of that when Python ends.
    import duckdb

    database = duckdb.connect(":memory:", config={"threads": "1"})
    database.execute("SET TimeZone = 'UTC'")
    schemas: dict[str, dict[str, Resource]] = {}
    for name, table in json.loads(tables_json()).items():
        rows = table["rows_name"]
        schemas[rows] = {column["name"]: column for column in table["schema"]}
        columns = ", ".join(f"{n} {DUCKDB_TYPES[c['type']]}" for n, c in schemas[rows].items())
        database.execute(f"CREATE TABLE {rows} ({columns})")
        view = re.sub(rf"`{DATASET}\.(\w+)`", r"\1", table["view"])
        [view] = sqlglot.transpile(view, read="bigquery", write="duckdb")
        database.execute(f"CREATE VIEW {name} AS {view}")
    return BigQueryServer(schemas, database)


@contextmanager
def running_bigquery() -> Iterator[BigQueryServer]:
    """A fresh server on a free port, stopped at the end."""
    state = empty_state()
    handler = type("BoundHandler", (Handler,), {"server_state": state})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        state.database.close()
        del state.database
