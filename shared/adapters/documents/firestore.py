"""Documents in Firestore at `tenants/TENANT/KIND/ID`: optimistic, never a pessimistic lock."""

import json
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from shared.adapters.documents import rules
from shared.errors import ConfigError, Conflict, DocumentInvalid, Rejected, RetryLater
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

if TYPE_CHECKING:
    from google.cloud import firestore

    _Snapshot = firestore.DocumentSnapshot[Any]

DATA, EXPIRES_AT, VECTOR, NONCE, DISTANCE = "data", "expires_at", "vector", "nonce", "distance"
"""The fields of a stored record. The nonce makes each write a change and so a new version."""
ATTEMPTS = 6
TIMEOUT_SECONDS = 20.0

_Key = tuple[str, str]
_States = Mapping[_Key, "_Snapshot"]


def connect(url: str, options: Options) -> "FirestoreDocuments":
    """Documents of the tenant `local`; `firestore://PROJECT` or `firestore://PROJECT/DATABASE`."""
    from google.auth.exceptions import GoogleAuthError
    from google.cloud import firestore

    project, _, database = url.removeprefix("firestore://").partition("/")
    if not url.startswith("firestore://") or not project or "/" in database:
        raise ConfigError(f"{url!r}: expected firestore://PROJECT or firestore://PROJECT/DATABASE")
    try:
        client = firestore.Client(project=project, database=database or "(default)")
    except GoogleAuthError as problem:
        raise ConfigError(f"{url}: {problem}") from problem
    return FirestoreDocuments(client, options, LOCAL_TENANT)


class FirestoreDocuments:
    """The Documents port on Firestore; a TTL policy on `expires_at` deletes what has expired."""

    def __init__(self, client: "firestore.Client", options: Options, tenant_id: str) -> None:
        self._client = client
        self._options = options
        self._tenant = tenant_id

    def for_tenant(self, tenant_id: str) -> Self:
        """The same database, seen by one tenant."""
        return type(self)(self._client, self._options, rules.check_tenant(tenant_id))

    def tenants(self) -> Sequence[str]:
        """Every tenant that has a document here, by name; their own documents need not exist."""
        with _translated(rules.QueryInvalid):
            found = self._client.collection("tenants").list_documents(**_patience())
            return sorted(reference.id for reference in found)

    def get(self, kind: str, id: str) -> Document | None:
        """One document; None when there is none or it has expired."""
        rules.check_name(kind, id)
        with _translated(rules.QueryInvalid):
            snapshot = self._reference(kind, id).get(**_patience())
        return _document(kind, snapshot) if self._is_live(snapshot) else None

    def put(self, kind: str, id: str, data: JsonObject, *, expect: str | None = None) -> str:
        """Write one document, return its new version; raises Conflict when `expect` is not met."""
        return self.commit([Put(kind, id, data, expect)])[0]

    def commit(self, writes: Sequence[Write]) -> Sequence[str]:
        """All writes or none; raises Conflict or DocumentInvalid.

        A lost race is tried again after a random wait: reading anew tells whether it was an
        expectation (Conflict) or only contention.
        """
        rules.check_writes(writes)
        for attempt in range(ATTEMPTS if writes else 0):
            states = self._states(writes)
            for write in writes:
                self._check_expected(write, states)
            try:
                return self._send(writes, states)
            except Conflict:
                if attempt == ATTEMPTS - 1:
                    raise
            time.sleep(random.uniform(0.0, 0.02 * 2**attempt))  # noqa: S311
        return []

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
        direction = "DESCENDING" if descending else "ASCENDING"
        ordered = self._filtered(kind, where)
        if query.order:
            ordered = ordered.order_by(_path(query.order), direction=direction)
        ordered = ordered.order_by("__name__", direction=direction)
        after: Any = None
        if query.after is not None:
            after = list(query.after if query.order else query.after[1:])
        found: list[Document] = []
        while len(found) <= limit:
            wanted = limit + 1 - len(found)
            asked = ordered.limit(wanted)
            with _translated(rules.QueryInvalid):
                asked = asked if after is None else asked.start_after(after)
                snapshots = list(asked.stream(**_patience()))
            found += [_document(kind, s) for s in snapshots if self._is_shown(s, query.order)]
            if len(snapshots) < wanted:
                break
            after = snapshots[-1]
        return rules.page_of(query, found)

    def nearest(
        self, kind: str, vector: Sequence[float], where: Sequence[Where] = (), *, limit: int = 10
    ) -> Sequence[tuple[Document, float]]:
        """The closest documents by cosine distance (0-2), closest first.

        Expired ones are skipped by asking for more, which ends at Firestore's 1000 results.
        """
        from google.cloud.firestore_v1.base_vector_query import DistanceMeasure
        from google.cloud.firestore_v1.vector import Vector

        rules.check_kind(kind)
        rules.check_conditions(where)
        rules.check_limit(limit)
        unit = Vector(rules.unit_vector(vector))
        asked = limit
        while True:
            search = self._filtered(kind, where).find_nearest(
                VECTOR,
                unit,
                limit=asked,
                distance_measure=DistanceMeasure.COSINE,
                distance_result_field=DISTANCE,
            )
            with _translated(rules.QueryInvalid):
                snapshots = list(search.stream(**_patience()))
            live = [s for s in snapshots if self._is_live(s)]
            if len(live) >= limit or len(snapshots) < asked or asked == rules.MAX_RESULTS:
                break
            asked = min(rules.MAX_RESULTS, 4 * asked)
        far = [(min(2.0, max(0.0, float(s.get(DISTANCE)))), s.id, s) for s in live]
        far.sort(key=lambda entry: entry[:2])
        return [(_document(kind, s), distance) for distance, _, s in far[:limit]]

    def _reference(self, kind: str, id: str) -> "firestore.DocumentReference":
        return self._client.document("tenants", self._tenant, kind, id)

    def _filtered(self, kind: str, where: Sequence[Where]) -> Any:
        from google.cloud.firestore_v1.base_query import FieldFilter

        query: Any = self._client.collection("tenants", self._tenant, kind)
        for condition in where:
            value = list(condition.value) if condition.op == "in" else condition.value
            query = query.where(filter=FieldFilter(_path(condition.field), condition.op, value))
        return query

    def _is_live(self, snapshot: "_Snapshot") -> bool:
        if not snapshot.exists:
            return False
        expires_at: datetime | None = (snapshot.to_dict() or {}).get(EXPIRES_AT)
        return expires_at is None or rules.microseconds(expires_at) > rules.microseconds(
            self._options.now()
        )

    def _is_shown(self, snapshot: "_Snapshot", order: str | None) -> bool:
        if not self._is_live(snapshot):
            return False
        data = (snapshot.to_dict() or {}).get(DATA, {})
        return order is None or rules.field_value(data, order) is not rules.MISSING

    def _states(self, writes: Sequence[Write]) -> _States:
        """What is stored now of every document that a write depends on."""
        dependent = [w for w in writes if isinstance(w, Merge) or w.expect is not None]
        if not dependent:
            return {}
        whole = any(isinstance(w, Merge) for w in dependent)
        references = {self._reference(w.kind, w.id): (w.kind, w.id) for w in dependent}
        with _translated(rules.QueryInvalid):
            snapshots = self._client.get_all(
                list(references), field_paths=None if whole else [EXPIRES_AT], **_patience()
            )
            return {references[snapshot.reference]: snapshot for snapshot in snapshots}

    def _check_expected(self, write: Write, states: _States) -> None:
        snapshot = states.get((write.kind, write.id))
        if snapshot is None:
            return
        live = self._is_live(snapshot)
        if isinstance(write, Merge):
            stored = (snapshot.to_dict() or {}).get(DATA, {}) if live else {}
            rules.encoded(write.kind, write.id, rules.merged(stored, write))
            return
        version = _version(snapshot.update_time) if live else ABSENT
        if version != write.expect:
            raise Conflict(
                f"{write.kind}/{write.id} is at {version}, expected {write.expect}; read again"
            )

    def _send(self, writes: Sequence[Write], states: _States) -> Sequence[str]:
        from google.api_core import exceptions

        batch = self._client.batch()
        for write in writes:
            self._add(batch, write, states.get((write.kind, write.id)))
        patience = _patience()
        if any(isinstance(w, Merge) and w.increments for w in writes):
            # An answer that got lost may stand for an addition that was made.
            patience["retry"] = None
        with _translated(DocumentInvalid):
            try:
                results = batch.commit(**patience)
            except (exceptions.FailedPrecondition, exceptions.NotFound) as problem:
                if not states:
                    raise  # nothing was expected: the database itself is missing
                raise Conflict(f"Firestore: {problem}; read again") from problem
        return [
            "" if isinstance(write, Delete) else _version(result.update_time)
            for write, result in zip(writes, results, strict=True)
        ]

    def _add(self, batch: "firestore.WriteBatch", write: Write, stored: "_Snapshot | None") -> None:
        """One write in a batch; `stored` is None when it does not depend on what is stored."""
        reference = self._reference(write.kind, write.id)
        found = stored is not None and stored.exists
        if isinstance(write, Merge) and (stored is None or not found or self._is_live(stored)):
            batch.set(reference, *_merge_arguments(write))
            return
        unchanged = (
            self._client.write_option(last_update_time=stored.update_time)
            if stored is not None and found
            else None
        )
        if isinstance(write, Delete):
            batch.delete(reference, option=unchanged)
            return
        put = write if isinstance(write, Put) else _started(write)
        if unchanged is not None:
            batch.update(reference, {**_without(), **_record(put)}, option=unchanged)
        elif stored is not None:
            batch.create(reference, _record(put))
        else:
            batch.set(reference, _record(put))


def _started(merge: Merge) -> Put:
    """A Merge where the stored document has expired."""
    return Put(merge.kind, merge.id, rules.merged({}, merge))


def _record(put: Put) -> dict[str, Any]:
    from google.cloud.firestore_v1.vector import Vector

    record: dict[str, Any] = {
        DATA: json.loads(rules.encoded(put.kind, put.id, put.data)),
        NONCE: uuid4().hex,
    }
    if put.expires_at is not None:
        record[EXPIRES_AT] = put.expires_at.astimezone(UTC)
    if put.vector is not None:
        record[VECTOR] = Vector(rules.unit_vector(put.vector))
    return record


def _without() -> dict[str, Any]:
    """What an update removes unless the record has it."""
    from google.cloud import firestore

    return {EXPIRES_AT: firestore.DELETE_FIELD, VECTOR: firestore.DELETE_FIELD}


def _merge_arguments(merge: Merge) -> tuple[dict[str, Any], list[str]]:
    """The nested values of a Merge, and the paths that they replace."""
    from google.cloud import firestore

    only_set = Merge(merge.kind, merge.id, merge.fields)
    tree = json.loads(rules.encoded(merge.kind, merge.id, rules.merged({}, only_set)))
    added = {path: firestore.Increment(amount) for path, amount in merge.increments.items()}
    data = rules.merged(tree, Merge(merge.kind, merge.id, added))
    paths = [_path(path) for path in (*merge.fields, *merge.increments)]
    return ({DATA: data} if paths else {}) | {NONCE: uuid4().hex}, [*paths, NONCE]


def _path(field: str) -> str:
    from google.cloud.firestore_v1.field_path import FieldPath

    return str(FieldPath(DATA, *field.split(".")).to_api_repr())


def _version(update_time: Any) -> str:
    stamp = update_time.timestamp_pb()
    return f"{stamp.seconds}.{stamp.nanos:09d}"


def _document(kind: str, snapshot: "_Snapshot") -> Document:
    data = (snapshot.to_dict() or {}).get(DATA, {})
    return Document(kind, snapshot.id, data, _version(snapshot.update_time))


def _patience() -> dict[str, Any]:
    """How long a call waits for an unreachable server, instead of the client's minutes."""
    from google.api_core import exceptions
    from google.api_core.retry import Retry, if_exception_type

    passing = if_exception_type(exceptions.ServiceUnavailable, exceptions.InternalServerError)
    retry = Retry(predicate=passing, initial=0.1, maximum=2.0, timeout=TIMEOUT_SECONDS)
    return {"retry": retry, "timeout": TIMEOUT_SECONDS}


@contextmanager
def _translated(invalid: type[Rejected]) -> Iterator[None]:
    """Google's errors as ours."""
    from google.api_core import exceptions
    from google.auth.exceptions import GoogleAuthError

    wrong_setting = (
        exceptions.Forbidden,
        exceptions.Unauthorized,
        exceptions.NotFound,
        exceptions.FailedPrecondition,
        GoogleAuthError,
    )
    try:
        yield
    except exceptions.Conflict as problem:
        raise Conflict(f"Firestore: {problem}; read again") from problem
    except wrong_setting as problem:
        raise ConfigError(
            f"Firestore: {problem}; check the project, its database, roles and indexes"
        ) from problem
    except exceptions.InvalidArgument as problem:
        raise invalid(f"Firestore: {problem}") from problem
    except exceptions.GoogleAPIError as problem:
        raise RetryLater(f"Firestore: {problem}; it may pass") from problem
