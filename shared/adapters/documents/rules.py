"""What every Documents store promises alike: plain data, safe names, queries, cursors, merges."""

import base64
import hashlib
import json
import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from pydantic import TypeAdapter, ValidationError

from shared.errors import DocumentInvalid, Rejected
from shared.events import TenantId
from shared.ports import ABSENT, Document, JsonObject, Merge, Page, Put, Where, Write

MAX_DOCUMENT_BYTES = 900 * 1024
MAX_COMMIT_BYTES = 3 * 1024 * 1024
"""Of JSON: Firestore takes 10 MiB in its own encoding, its emulator 4 MiB."""
MAX_COMMIT_WRITES = 500
MAX_VALUES = 10_000
"""Values in one document: Firestore indexes each up to three times and takes 40,000 entries."""
MAX_DEPTH = 16
MAX_KEY_BYTES = 1000
MAX_ID_CHARACTERS = 200
MAX_CONDITIONS = 10
MAX_IN_VALUES = 30
MAX_RESULTS = 1000
MAX_DIMENSIONS = 2048
MAX_INTEGER = 2**63 - 1
MIN_INTEGER = -(2**63)

MISSING = object()
"""What `field_value` finds where a document has no such field."""

_KIND = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_RESERVED = re.compile(r"\.\.?|__.*__", re.DOTALL)
_FIELD = re.compile(r"[A-Za-z0-9_-]{1,100}(\.[A-Za-z0-9_-]{1,100}){0,15}")
_TENANT: TypeAdapter[str] = TypeAdapter(TenantId)


class QueryInvalid(Rejected):
    """A question that no store can answer: a wrong field, operator, value, limit or cursor."""


@dataclass(frozen=True)
class Query:
    """A checked query; without `order` by id, `after` is (ordered value, id) of the last seen."""

    kind: str
    where: Sequence[Where]
    order: str | None
    descending: bool
    limit: int
    after: tuple[Any, str] | None

    def cursor(self, value: Any, id: str) -> str:
        """The cursor that continues this very query behind one document."""
        text = json.dumps([self._fingerprint(), value, id], separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode()

    def decoded(self, cursor: str) -> tuple[Any, str]:
        """The ordered value and the id in a cursor; raises QueryInvalid when it is another's."""
        try:
            made_by, value, id = json.loads(base64.b64decode(cursor, altchars=b"-_", validate=True))
        except (ValueError, TypeError) as problem:
            raise QueryInvalid(f"cursor {cursor[:40]!r} is not one that a page gave") from problem
        if made_by != self._fingerprint() or not _is_scalar(value) or not isinstance(id, str):
            raise QueryInvalid(f"cursor {cursor[:40]!r} belongs to another query; start without")
        return value, id

    def _fingerprint(self) -> str:
        conditions = [[w.field, w.op, w.value] for w in self.where]
        text = json.dumps([self.kind, self.order, self.descending, conditions])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def check_tenant(tenant_id: str) -> str:
    """The tenant id, when it is one; raises DocumentInvalid."""
    try:
        return _TENANT.validate_python(tenant_id)
    except ValidationError as problem:
        raise DocumentInvalid(f"tenant {tenant_id!r}: expected a-z, 0-9 and hyphens") from problem


def check_name(kind: str, id: str) -> None:
    """Refuse kinds and ids that a store cannot hold; raises DocumentInvalid.

    A kind is a lower case word, an id 1-200 characters without slash and control characters.
    """
    check_kind(kind)
    if not isinstance(id, str) or not 1 <= len(id) <= MAX_ID_CHARACTERS:
        raise DocumentInvalid(f"{kind}: id {id!r:.80}: expected 1-{MAX_ID_CHARACTERS} characters")
    if "/" in id or any(unicodedata.category(c) in ("Cc", "Cs") for c in id):
        raise DocumentInvalid(f"{kind}: id {id!r}: no slash, control character or lone surrogate")
    if _RESERVED.fullmatch(id):
        raise DocumentInvalid(f"{kind}: id {id!r}: '.', '..' and __names__ are reserved")


def check_kind(kind: str) -> None:
    """Refuse what is not a lower case word; raises DocumentInvalid."""
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        raise DocumentInvalid(f"kind {kind!r:.80}: expected a lower case word such as 'assets'")


def encoded(kind: str, id: str, data: JsonObject) -> str:
    """A document's data as compact JSON; raises DocumentInvalid naming place or size.

    Both the JSON and the size as Firestore counts it (a number is 8 bytes) stay within 900 KiB.
    """
    if not isinstance(data, Mapping):
        raise DocumentInvalid(f"{kind}/{id}: data is {type(data).__name__}, expected an object")
    values, size_bytes = _measured(data, f"{kind}/{id}: data", 0)
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=dict)
    size_bytes = max(size_bytes, len(text.encode()))
    way_out = "keep large content in Files and store its path"
    if size_bytes > MAX_DOCUMENT_BYTES:
        raise DocumentInvalid(
            f"{kind}/{id}: {size_bytes} bytes, at most {MAX_DOCUMENT_BYTES}; {way_out}"
        )
    if values > MAX_VALUES:
        raise DocumentInvalid(f"{kind}/{id}: {values} values, at most {MAX_VALUES}; {way_out}")
    return text


def _measured(value: Any, place: str, depth: int) -> tuple[int, int]:
    """How many values there are and their bytes in Firestore; raises DocumentInvalid.

    Sizes: https://firebase.google.com/docs/firestore/storage-size
    """
    if depth > MAX_DEPTH:
        raise DocumentInvalid(f"{place[:200]}: deeper than {MAX_DEPTH} levels; flatten it")
    if isinstance(value, Mapping):
        parts = [_measured_entry(key, child, place, depth) for key, child in value.items()]
    elif isinstance(value, list | tuple):
        if any(isinstance(child, list | tuple) for child in value):
            raise DocumentInvalid(f"{place}: a list directly in a list; put an object between")
        parts = [_measured(child, f"{place}[{i}]", depth + 1) for i, child in enumerate(value)]
    else:
        return 1, _scalar_bytes(value, place)
    return 1 + sum(p[0] for p in parts), sum(p[1] for p in parts)


def _measured_entry(key: Any, value: Any, place: str, depth: int) -> tuple[int, int]:
    check_key(key, place)
    values, size_bytes = _measured(value, f"{place}.{key}", depth + 1)
    return values, size_bytes + len(key.encode()) + 1


def check_key(key: Any, place: str) -> None:
    """Refuse keys that cannot be named in a dotted path; raises DocumentInvalid."""
    if not isinstance(key, str) or not key or "." in key or _RESERVED.fullmatch(key):
        raise DocumentInvalid(f"{place}: key {key!r:.80}: expected text, no dot, not __name__")
    if any(unicodedata.category(c) == "Cc" for c in key):
        raise DocumentInvalid(f"{place}: key {key!r:.80}: no control characters")
    if _scalar_bytes(key, place) > MAX_KEY_BYTES:
        raise DocumentInvalid(f"{place}: key {key!r:.80}...: at most {MAX_KEY_BYTES} bytes")


def _scalar_bytes(value: Any, place: str) -> int:
    if value is None or isinstance(value, bool):
        return 1
    if isinstance(value, int | float):
        _check_number(value, place)
        return 8
    if not isinstance(value, str):
        raise DocumentInvalid(f"{place}: {type(value).__name__} is not JSON; store text or numbers")
    if "\0" in value:
        raise DocumentInvalid(f"{place}: text with U+0000; remove it")
    try:
        return len(value.encode()) + 1
    except UnicodeEncodeError as problem:
        raise DocumentInvalid(f"{place}: text with a lone surrogate; replace it") from problem


def _check_number(value: float, place: str) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise DocumentInvalid(f"{place}: {value} is not JSON; store null or text")
    if isinstance(value, int) and not MIN_INTEGER <= value <= MAX_INTEGER:
        raise DocumentInvalid(f"{place}: integer beyond 64 bits; store it as text")


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float | str)


def check_writes(writes: Sequence[Write]) -> None:
    """Refuse what cannot be one commit; raises DocumentInvalid before anything is written."""
    if len(writes) > MAX_COMMIT_WRITES:
        raise DocumentInvalid(f"{len(writes)} writes in a commit, at most {MAX_COMMIT_WRITES}")
    seen: set[tuple[str, str]] = set()
    size_bytes = 0
    for write in writes:
        check_name(write.kind, write.id)
        if (write.kind, write.id) in seen:
            raise DocumentInvalid(f"{write.kind}/{write.id} twice in a commit; make it one write")
        seen.add((write.kind, write.id))
        size_bytes += _checked_write(write)
    if size_bytes > MAX_COMMIT_BYTES:
        raise DocumentInvalid(f"a commit of {size_bytes} bytes, at most {MAX_COMMIT_BYTES}")


def _checked_write(write: Write) -> int:
    """The bytes of one write; raises DocumentInvalid."""
    if isinstance(write, Put):
        if write.expires_at is not None:
            microseconds(write.expires_at)
        vector_bytes = 8 * len(unit_vector(write.vector)) if write.vector is not None else 0
        return vector_bytes + len(encoded(write.kind, write.id, write.data).encode())
    if isinstance(write, Merge):
        _check_merge(write)
        return len(encoded(write.kind, write.id, merged({}, write)).encode())
    if write.expect == ABSENT:
        raise DocumentInvalid(f"{write.kind}/{write.id}: a Delete expects a version or nothing")
    return 0


def _check_merge(merge: Merge) -> None:
    name = f"{merge.kind}/{merge.id}"
    paths = sorted([p.split(".") for p in (*merge.fields, *merge.increments)])
    for path in paths:
        for key in path:
            check_key(key, f"{name}: field {'.'.join(path)!r:.80}")
    for path, following in pairwise(paths):
        if following[: len(path)] == path:
            raise DocumentInvalid(f"{name}: {'.'.join(following)!r} overlaps {'.'.join(path)!r}")
    for field, amount in merge.increments.items():
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            raise DocumentInvalid(f"{name}: increment of {field!r} is {amount!r}, not a number")
        _check_number(amount, f"{name}: increment of {field!r}")


def merged(data: JsonObject, merge: Merge) -> dict[str, Any]:
    """The data after a Merge: named fields replaced, amounts added to numbers (else set)."""
    result = deepcopy(dict(data))
    for path, value in merge.fields.items():
        holder, key = _descend(result, path)
        holder[key] = value
    for path, amount in merge.increments.items():
        holder, key = _descend(result, path)
        holder[key] = _added(holder.get(key), amount)
    return result


def _descend(data: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
    """The object that holds the last key of a path; what stands in the way is replaced."""
    *way, last = path.split(".")
    for key in way:
        if not isinstance(data.get(key), dict):
            data[key] = {}
        data = data[key]
    return data, last


def _added(old: Any, amount: float) -> float:
    if isinstance(old, bool) or not isinstance(old, int | float):
        return amount
    if isinstance(old, int) and isinstance(amount, int):
        return max(MIN_INTEGER, min(MAX_INTEGER, old + amount))
    return float(old) + float(amount)


def microseconds(moment: datetime) -> int:
    """A moment as whole microseconds since 1970; raises DocumentInvalid for one without zone."""
    if moment.tzinfo is None:
        raise DocumentInvalid(f"{moment.isoformat()} has no time zone; use UTC")
    whole = math.floor(moment.replace(microsecond=0).timestamp())
    return whole * 1_000_000 + moment.microsecond


def unit_vector(vector: Iterable[float]) -> list[float]:
    """A vector scaled to length 1, which cosine distance ignores; raises DocumentInvalid."""
    try:
        numbers = [float(x) for x in vector]
    except (TypeError, ValueError) as problem:
        raise DocumentInvalid(f"vector: {problem}; expected numbers") from problem
    length = math.hypot(*numbers)
    if not 1 <= len(numbers) <= MAX_DIMENSIONS or not math.isfinite(length) or length == 0:
        raise DocumentInvalid(
            f"vector of {len(numbers)} dimensions and length {length}:"
            f" expected 1-{MAX_DIMENSIONS} finite numbers, not all zero"
        )
    return [x / length for x in numbers]


def checked_query(
    kind: str,
    where: Sequence[Where],
    *,
    order_by: str | None,
    descending: bool,
    limit: int,
    cursor: str | None,
) -> Query:
    """A query that every store answers alike; raises QueryInvalid or DocumentInvalid.

    Without `order_by` the order is that of the range condition's field, else of the id. Range
    conditions are on the ordered field only: Firestore could not break ties by id otherwise.
    Ties follow the id in the same direction. Values order null, booleans, numbers, text; a
    document whose ordered field is missing, a list or an object is left out.
    """
    check_kind(kind)
    check_conditions(where)
    check_limit(limit)
    ranges = [w.field for w in where if w.op not in ("==", "in")]
    order = order_by if order_by is not None else next(iter(ranges), None)
    if any(field != order for field in ranges):
        raise QueryInvalid(f"{kind}: <, <=, > and >= need the field of order_by, {order!r}")
    if order is not None:
        _check_field(order)
    elif descending:
        raise QueryInvalid(f"{kind}: descending by id is not offered; name a field in order_by")
    query = Query(kind, tuple(where), order, descending, limit, None)
    if cursor is None:
        return query
    return Query(kind, query.where, order, descending, limit, query.decoded(cursor))


def check_limit(limit: int) -> None:
    """Refuse limits outside 1-1000; raises QueryInvalid."""
    if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_RESULTS:
        raise QueryInvalid(f"limit {limit!r}: expected 1-{MAX_RESULTS}")


def check_conditions(where: Sequence[Where]) -> None:
    """Refuse conditions that a store cannot meet; raises QueryInvalid."""
    if len(where) > MAX_CONDITIONS or sum(w.op == "in" for w in where) > 1:
        raise QueryInvalid(f"{len(where)} conditions: at most {MAX_CONDITIONS}, one of them 'in'")
    for condition in where:
        _check_field(condition.field)
        _check_operand(condition)


def _check_field(field: str) -> None:
    if not isinstance(field, str) or not _FIELD.fullmatch(field):
        raise QueryInvalid(f"field {field!r:.80}: expected letters, digits, _ and -, dotted")
    if any(_RESERVED.fullmatch(key) for key in field.split(".")):
        raise QueryInvalid(f"field {field!r:.80}: __names__ are reserved")


def _check_operand(condition: Where) -> None:
    value, op = condition.value, condition.op
    place = f"{condition.field} {op}"
    if op == "in":
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MAX_IN_VALUES:
            raise QueryInvalid(f"{place}: expected a list of 1-{MAX_IN_VALUES} values")
        accepted = all(_is_scalar(v) and v is not None for v in value)
    elif op == "==":
        accepted = _is_scalar(value)
    elif op in ("<", "<=", ">", ">="):
        accepted = isinstance(value, str | int | float) and not isinstance(value, bool)
    else:
        raise QueryInvalid(f"{place}: expected ==, <, <=, >, >= or in")
    if not accepted:
        raise QueryInvalid(f"{place} {value!r:.80}: not a value that can be compared so")
    try:
        for part in value if op == "in" else [value]:
            _scalar_bytes(part, place)
    except DocumentInvalid as problem:
        raise QueryInvalid(str(problem)) from problem


def field_value(data: JsonObject, path: str) -> Any:
    """The value at a dotted path, MISSING when there is none or it is a list or an object."""
    value: Any = data
    for key in path.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return MISSING
        value = value[key]
    return value if _is_scalar(value) else MISSING


def page_of(query: Query, documents: Sequence[Document]) -> Page:
    """One page of up to `limit + 1` documents: whether there is one more decides on a cursor."""
    shown = documents[: query.limit]
    if len(documents) <= query.limit:
        return Page(shown, None)
    last = shown[-1]
    value = field_value(last.data, query.order) if query.order else None
    return Page(shown, query.cursor(value, last.id))
