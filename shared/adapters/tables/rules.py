"""What every Tables store promises alike: which rows are taken, what a row is, named queries."""

import hashlib
import json
import logging
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import Rejected
from shared.events import TenantId
from shared.ports import JsonObject, QuarantinedRow
from shared.tables import QUARANTINE, TABLES, Column, Table

LOGGER = logging.getLogger("geminivideo.tables")
SQL_FOLDER = Path(__file__).parents[2] / "sql"
MAX_ROW_BYTES = 1_000_000
MAX_QUARANTINED_CHARACTERS = 300_000
"""Of a row that is not taken, as JSON: written into JSON once more it is a row of its own."""
MAX_REASON_CHARACTERS = 1000
MAX_DEPTH = 64
MAX_INTEGER, MIN_INTEGER = 2**63 - 1, -(2**63)
NUMERIC_LIMIT = Decimal(10) ** 29
NUMERIC_DECIMALS = 9

_TENANT: TypeAdapter[str] = TypeAdapter(TenantId)
_QUERY_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PARAMETER = re.compile(r"-- @([a-z][a-z0-9_]*) (ARRAY<(\w+)>|[A-Z0-9]+(\(38,9\))?)")

WireRow = dict[str, Any]
"""A row as stores take it: JSON whose numbers other than FLOAT64 are text, with kept columns."""


class TablesInvalid(Rejected):
    """A question that no store can answer: an unknown table, query, parameter, or wrong value."""


@dataclass(frozen=True)
class Checked:
    """The rows of one append: those to keep, once each, and those that are not taken."""

    rows: Sequence[WireRow]
    places: Sequence[int]
    """Where each of them was in what was appended."""
    quarantined: Sequence[QuarantinedRow]
    quarantine: Sequence[WireRow]
    """The same as rows of the table of quarantined rows."""


@dataclass(frozen=True)
class NamedQuery:
    """One file of shared/sql; the tenant is a parameter of each and not declared in it."""

    name: str
    sql: str
    parameters: Mapping[str, str]


def check_tenant(tenant_id: str) -> str:
    """The tenant id, when it is one; raises TablesInvalid."""
    try:
        return _TENANT.validate_python(tenant_id)
    except ValidationError as problem:
        raise TablesInvalid(f"tenant {tenant_id!r}: expected a-z, 0-9 and hyphens") from problem


def table_of(name: str) -> Table:
    """The table of a name; raises TablesInvalid."""
    if name not in TABLES:
        raise TablesInvalid(f"table {name!r:.80}: expected one of {', '.join(sorted(TABLES))}")
    return TABLES[name]


def checked_rows(
    table: Table, tenant_id: str, rows: Sequence[JsonObject], now: datetime
) -> Checked:
    """Every row with its id, or with the reason why it is not taken; no row raises."""
    kept: dict[str, tuple[int, WireRow]] = {}
    quarantined: list[QuarantinedRow] = []
    for index, row in enumerate(rows):
        try:
            wire = wire_row(table, tenant_id, row, now)
        except ValueError as problem:
            quarantined.append(QuarantinedRow(index, str(problem)))
        else:
            _, older = kept.setdefault(wire["row_id"], (index, wire))
            if version_of(table, wire) > version_of(table, older):
                kept[wire["row_id"]] = (index, wire)
    wrong = [(rows[one.index], one.reason) for one in quarantined]
    return Checked(
        [wire for _, wire in kept.values()],
        [index for index, _ in kept.values()],
        quarantined,
        quarantine_rows(table, tenant_id, wrong, now),
    )


def version_of(table: Table, wire: WireRow) -> tuple[Any, ...]:
    """What orders rows with one id within an append; of the highest the first is kept."""
    if table.latest_by is None:
        return ()
    column = next(c for c in table.stored_columns if c.name == table.latest_by)
    return (READERS[column.type](wire[column.name]), wire["row_digest"])


def wire_row(table: Table, tenant_id: str, row: JsonObject, now: datetime) -> WireRow:
    """A row as stores take it; raises ValueError with the reason when it is not one."""
    if not isinstance(row, Mapping):
        raise ValueError(f"a row is {type(row).__name__}, expected an object")
    columns = {column.name: column for column in table.columns}
    unknown = [str(name) for name in row if name not in columns]
    if unknown:
        raise ValueError(f"no such column: {', '.join(sorted(unknown))[:200]}")
    wire = {name: _wire_value(column, row.get(name)) for name, column in columns.items()}
    text = canonical(wire)
    if (size_bytes := len(text.encode())) > MAX_ROW_BYTES:
        raise ValueError(f"{size_bytes} bytes, at most {MAX_ROW_BYTES}")
    key = [wire[name] for name in table.key]
    return {
        "tenant_id": tenant_id,
        "row_id": hash_of([tenant_id, table.name, key]),
        "row_digest": _digest(text),
        "appended_at": _timestamp(now),
        **wire,
    }


def quarantine_rows(
    table: Table, tenant_id: str, wrong: Sequence[tuple[Any, str]], now: datetime
) -> list[WireRow]:
    """Rows that a table does not take, as rows of the table of quarantined rows."""
    if wrong:
        # What is in a row may be personal; the reason names the column at least.
        LOGGER.warning("%s of %s: %s rows quarantined", table.name, tenant_id, len(wrong))
    made = [
        {
            "table_name": table.name,
            "reason": _storable(reason[:MAX_REASON_CHARACTERS]),
            "content": _shown(row),
        }
        for row, reason in wrong
    ]
    wires = [wire_row(QUARANTINE, tenant_id, row, now) for row in made]
    return [*{wire["row_id"]: wire for wire in wires}.values()]


def _shown(row: Any) -> str:
    text = f"{type(row).__name__} that can be written neither as JSON nor as Python"
    for write in (_as_json, ascii):
        with suppress(TypeError, ValueError, RecursionError):
            text = _storable(write(row))
            break
    if len(text) <= MAX_QUARANTINED_CHARACTERS:
        return text
    return f"{text[:MAX_QUARANTINED_CHARACTERS]}... {len(text)} characters"


def _as_json(row: Any) -> str:
    return json.dumps(row, default=repr)


def _storable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


def canonical(value: Any) -> str:
    """JSON that is the same text for the same value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def hash_of(value: Any) -> str:
    """32 hexadecimal digits that tell one value from another."""
    return _digest(canonical(value))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _wire_value(column: Column, value: Any) -> Any:
    if value is None:
        if column.nullable:
            return None
        raise ValueError(f"{column.name} is missing")
    try:
        return WRITERS[column.type](value)
    except (ValueError, RecursionError) as problem:
        raise ValueError(f"{column.name}: {problem}") from problem


def _wrong(value: Any, expected: str) -> ValueError:
    return ValueError(f"{value!r:.80} is {type(value).__name__}, expected {expected}")


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise _wrong(value, "text")
    if "\0" in value:
        raise ValueError("text with U+0000; remove it")
    try:
        value.encode()
    except UnicodeEncodeError as problem:
        raise ValueError("text with a lone surrogate; replace it") from problem
    return str.__str__(value)


def _int64(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int):
        raise _wrong(value, "a whole number")
    if not MIN_INTEGER <= value <= MAX_INTEGER:
        raise ValueError(f"{value!r:.80} is beyond 64 bits")
    return str(int(value))


def _float64(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(value, "a number")
    try:
        number = float(value)
    except OverflowError as problem:
        raise ValueError("a whole number too large for a float") from problem
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a number that can be stored; leave it out")
    return number


def _bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value, "true or false")
    return value


def _timestamp(value: Any) -> str:
    if not isinstance(value, datetime):
        raise _wrong(value, "a moment")
    if value.tzinfo is None:
        raise ValueError(f"{value.isoformat()} has no time zone; use UTC")
    try:
        moment = value.astimezone(UTC)
    except OverflowError as problem:
        raise ValueError(f"{value.isoformat()} is outside the years 1-9999 in UTC") from problem
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def _date(value: Any) -> str:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise _wrong(value, "a date")
    return value.isoformat()


def _numeric(value: Any) -> str:
    """Money and other exact numbers: 29 digits before the point and 9 behind it, none lost."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong(value, "a Decimal or a whole number, never a float")
    number = Decimal(value)
    if not number.is_finite() or number.copy_abs() >= NUMERIC_LIMIT:
        raise ValueError(f"{value!r:.80} is beyond 29 digits before the point")
    # Python's own precision of 28 digits would round.
    with localcontext(prec=60):
        exact = number.quantize(Decimal(1).scaleb(-NUMERIC_DECIMALS))
    if exact != number:
        raise ValueError(f"{value!r:.80} has more than {NUMERIC_DECIMALS} decimals")
    return f"{exact:f}".rstrip("0").rstrip(".") if exact else "0"


def _json(value: Any) -> str:
    _check_json(value, "", 0)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=dict)


def _check_json(value: Any, place: str, depth: int) -> None:
    # Most are numbers and texts: whether something is a mapping is a slow question.
    if isinstance(value, SCALARS):
        _check_scalar(value, place)
    elif depth > MAX_DEPTH:
        raise ValueError(f"deeper than {MAX_DEPTH} levels")
    elif isinstance(value, Mapping):
        for key, child in value.items():
            _check_json(child, f"{place}.{_string(key)}", depth + 1)
    elif isinstance(value, list | tuple):
        for number, child in enumerate(value):
            _check_json(child, f"{place}[{number}]", depth + 1)
    elif value is not None:
        raise ValueError(f"{place[:200]}: {_wrong(value, 'JSON')}")


SCALARS = (float, str, int)


def _check_scalar(value: Any, place: str) -> None:
    try:
        if isinstance(value, float):
            _float64(value)
        elif isinstance(value, str):
            _string(value)
        elif not isinstance(value, bool):
            _int64(value)
    except ValueError as problem:
        raise ValueError(f"{place[:200]}: {problem}" if place else str(problem)) from problem


WRITERS: Mapping[str, Callable[[Any], Any]] = {
    "STRING": _string,
    "INT64": _int64,
    "FLOAT64": _float64,
    "BOOL": _bool,
    "TIMESTAMP": _timestamp,
    "DATE": _date,
    "NUMERIC(38,9)": _numeric,
    "JSON": _json,
}
"""From a value to what stores take; each raises ValueError with the reason."""

READERS: Mapping[str, Callable[[Any], Any]] = {
    "STRING": str,
    "INT64": int,
    "FLOAT64": float,
    "BOOL": bool,
    "TIMESTAMP": datetime.fromisoformat,
    "DATE": date.fromisoformat,
    "NUMERIC(38,9)": Decimal,
    "JSON": json.loads,
}
"""From what stores take back to the value."""


@cache
def named_query(name: str) -> NamedQuery:
    """The query in shared/sql/<name>.sql; raises TablesInvalid."""
    path = SQL_FOLDER / f"{name}.sql"
    if not _QUERY_NAME.fullmatch(name) or not path.is_file():
        known = ", ".join(sorted(path.stem for path in SQL_FOLDER.glob("*.sql")))
        raise TablesInvalid(f"query {name!r:.80}: expected one of {known}")
    sql = path.read_text(encoding="utf-8")
    declared = [match for line in sql.splitlines() if (match := _PARAMETER.fullmatch(line))]
    return NamedQuery(name, sql, {match[1]: match[2] for match in declared})


def checked_parameters(
    query: NamedQuery, tenant_id: str, parameters: Mapping[str, Any]
) -> dict[str, tuple[str, Any]]:
    """Type and value of each parameter with the tenant's; raises TablesInvalid."""
    if set(parameters) != set(query.parameters):
        raise TablesInvalid(
            f"query {query.name}: parameters {sorted(map(str, parameters))}, "
            f"expected {sorted(query.parameters)}"
        )
    checked = {"tenant_id": ("STRING", tenant_id)}
    for name, kind in query.parameters.items():
        try:
            checked[name] = (kind, _parameter(kind, parameters[name]))
        except ValueError as problem:
            raise TablesInvalid(f"query {query.name}: {name}: {problem}") from problem
    return checked


def _parameter(kind: str, value: Any) -> Any:
    if kind.startswith("ARRAY<"):
        if not isinstance(value, list | tuple):
            raise _wrong(value, "a list")
        return [_parameter(kind[6:-1], one) for one in value]
    return READERS[kind](WRITERS[kind](value))


def view_sql(table: Table, rows: str) -> str:
    """The view that keeps one row per row id of the table at `rows`, in the BigQuery dialect."""
    first = "appended_at, row_digest"
    order = first if table.latest_by is None else f"{table.latest_by} DESC, row_digest DESC"
    # BigQuery keeps the columns of a view from the day that it was made, and wants a WHERE with a
    # QUALIFY.
    columns = ", ".join(column.name for column in table.stored_columns)
    return (
        f"SELECT {columns} FROM {rows} WHERE TRUE "  # noqa: S608 - names come from shared/tables.py
        f"QUALIFY ROW_NUMBER() OVER (PARTITION BY tenant_id, row_id ORDER BY {order}) = 1"
    )


def chunks_of(rows: Sequence[WireRow], *, most_rows: int, most_bytes: int) -> Iterator[list[int]]:
    """Indices of rows in runs that fit one request."""
    chunk: list[int] = []
    size_bytes = 0
    for index, row in enumerate(rows):
        # As clients send it: what is not ASCII takes 6 bytes.
        row_bytes = len(json.dumps(row))
        if chunk and (len(chunk) == most_rows or size_bytes + row_bytes > most_bytes):
            yield chunk
            chunk, size_bytes = [], 0
        chunk.append(index)
        size_bytes += row_bytes
    if chunk:
        yield chunk
