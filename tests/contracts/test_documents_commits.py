"""All or nothing, merges, expiry and many writers at once, in every Documents store."""

import math
from contextlib import suppress
from datetime import datetime
from typing import Any

import pytest

from shared.errors import Conflict, DocumentInvalid
from shared.ports import ABSENT, Delete, Documents, Merge, Put, Write
from tests.support.documents import (
    HOUR,
    Clock,
    all_pages,
    data_of,
    expire_one,
    flat,
    ids_of,
    together,
)


def test_a_merge_replaces_only_the_fields_it_names(documents: Documents) -> None:
    documents.put("assets", "a", {"keep": 1, "stages": {"one": {"x": 1, "y": 2}, "two": {"z": 3}}})
    fields = {"stages.one": {"x": 9}, "stages.three.deep": [1], "new": {}, "stages.two.z": None}
    documents.commit([Merge("assets", "a", fields)])
    assert data_of(documents, "assets", "a") == {
        "keep": 1,
        "new": {},
        "stages": {"one": {"x": 9}, "two": {"z": None}, "three": {"deep": [1]}},
    }


def test_a_merge_makes_the_document_and_the_objects_on_its_way(documents: Documents) -> None:
    documents.commit([Merge("assets", "a", {"a.b": 1}, {"n": 2, "c.d-e.f g": 0.5})])
    assert data_of(documents, "assets", "a") == {"a": {"b": 1}, "n": 2, "c": {"d-e": {"f g": 0.5}}}
    documents.commit([Merge("assets", "a", {"a.b.c": "through a number"}, {"n": -3, "c.x": 1})])
    assert data_of(documents, "assets", "a") == {
        "a": {"b": {"c": "through a number"}},
        "n": -1,
        "c": {"d-e": {"f g": 0.5}, "x": 1},
    }
    documents.commit([Merge("assets", "empty")])
    assert data_of(documents, "assets", "empty") == {}


@pytest.mark.parametrize(
    ("old", "amount", "new"),
    [
        (1, 2, 3),
        (1, 0.5, 1.5),
        (0.5, 1, 1.5),
        (2**63 - 2, 5, 2**63 - 1),
        (-(2**63), -1, -(2**63)),
        ("text", 4, 4),
        (None, 4, 4),
        (True, 4, 4),
        ({"x": 1}, 4, 4),
    ],
)
def test_increments_add_to_numbers_and_replace_the_rest(
    documents: Documents, old: Any, amount: float, new: float
) -> None:
    documents.put("counters", "a", {"n": old})
    documents.commit([Merge("counters", "a", increments={"n": amount})])
    found = data_of(documents, "counters", "a")
    assert found == {"n": new}
    assert type(found["n"]) is type(new)


@pytest.mark.parametrize(
    "merge",
    [
        Merge("c", "a", {"a": 1, "a.b": 2}),
        Merge("c", "a", {"a.b": 1}, {"a": 2}),
        Merge("c", "a", {"n": 1}, {"n": 2}),
        Merge("c", "a", {"": 1}),
        Merge("c", "a", {"a..b": 1}),
        Merge("c", "a", {"a.__b__": 1}),
        Merge("c", "a", {"a": math.nan}),
        Merge("c", "a", {".".join("a" * 18): 1}),
        Merge("c", "a", increments={"n": math.inf}),
        Merge("c", "a", increments={"n": True}),
        Merge("c", "a", increments={"n": "1"}),  # type: ignore[dict-item]
        Merge("c", "a", increments={"n": 2**63}),
    ],
)
def test_a_merge_without_one_meaning_is_refused(documents: Documents, merge: Merge) -> None:
    with pytest.raises(DocumentInvalid):
        documents.commit([merge])
    assert documents.get("c", "a") is None


def test_a_commit_writes_everything_and_tells_each_version(documents: Documents) -> None:
    old = documents.put("assets", "gone", {})
    versions = documents.commit(
        [
            Put("assets", "a", {"n": 1}, expect=ABSENT),
            Delete("assets", "gone", expect=old),
            Merge("counters", "a", {"name": "x"}, {"n": 1}),
        ]
    )
    put, merged = documents.get("assets", "a"), documents.get("counters", "a")
    assert put is not None
    assert merged is not None
    assert documents.get("assets", "gone") is None
    assert list(versions) == [put.version, "", merged.version]
    documents.put("counters", "a", {}, expect=versions[2])


@pytest.mark.parametrize(
    "failing",
    [
        Put("assets", "old", {}, expect=ABSENT),
        Put("assets", "old", {}, expect="stale"),
        Put("assets", "none", {}, expect="stale"),
        Delete("assets", "old", expect="stale"),
        Delete("assets", "none", expect="stale"),
        Put("assets", "bad", {"x": math.nan}),
    ],
)
def test_a_commit_that_fails_writes_nothing(documents: Documents, failing: Write) -> None:
    documents.put("assets", "old", {"n": 1})
    others: list[Write] = [Put("other", "a", {}), Merge("assets", "c", increments={"n": 1})]
    for writes in ([*others, failing], [failing, *others]):
        with pytest.raises((Conflict, DocumentInvalid)):
            documents.commit(writes)
    assert documents.get("other", "a") is None
    assert ids_of(documents, "assets") == ["old"]
    assert data_of(documents, "assets", "old") == {"n": 1}


def test_a_document_is_written_once_in_a_commit(documents: Documents) -> None:
    with pytest.raises(DocumentInvalid, match="twice"):
        documents.commit([Put("a", "x", {}), Merge("a", "x", {"n": 1})])
    with pytest.raises(DocumentInvalid, match="501 writes"):
        documents.commit([Put("a", str(i), {}) for i in range(501)])
    with pytest.raises(DocumentInvalid, match="bytes"):
        documents.commit([Put("a", str(i), {"t": "x" * 900_000}) for i in range(4)])
    with pytest.raises(DocumentInvalid, match="Delete"):
        documents.commit([Delete("a", "x", expect=ABSENT)])
    documents.commit([Put("a", f"{i:03}", {"t": "x" * 5000}) for i in range(500)])
    assert len(ids_of(documents, "a", limit=1000)) == 500


def test_the_expired_is_not_seen(documents: Documents, clock: Clock) -> None:
    expire_one(documents, clock)
    documents.commit([Put("leases", id, {"v-w": {"x": 1}}, vector=[0, 1]) for id in "bc"])
    assert documents.get("leases", "a") is None
    assert ids_of(documents, "leases") == ["b", "c"]
    assert all_pages(documents, "leases", order_by="v-w.x", limit=1) == [["b"], ["c"]]
    assert [d.id for d, _ in documents.nearest("leases", [1, 0], limit=1)] == ["b"]


def test_the_expired_counts_as_absent_for_every_write(documents: Documents, clock: Clock) -> None:
    version = expire_one(documents, clock)
    with pytest.raises(Conflict):
        documents.put("leases", "a", {}, expect=version)
    with pytest.raises(Conflict):
        documents.commit([Delete("leases", "a", expect=version)])
    documents.put("leases", "a", {"new": 1}, expect=ABSENT)
    assert data_of(documents, "leases", "a") == {"new": 1}
    assert documents.nearest("leases", [1, 0]) == []
    clock.at += 9 * HOUR
    assert data_of(documents, "leases", "a") == {"new": 1}


def test_a_merge_starts_anew_where_a_document_expired(documents: Documents, clock: Clock) -> None:
    expire_one(documents, clock)
    documents.commit([Merge("leases", "a", {"x.y": 1}, {"n": 2})])
    clock.at += 9 * HOUR
    assert data_of(documents, "leases", "a") == {"x": {"y": 1}, "n": 2}
    assert documents.nearest("leases", [1, 0]) == []


def test_a_merge_keeps_the_expiry_and_a_put_sets_it(documents: Documents, clock: Clock) -> None:
    documents.commit([Put("leases", id, {}, expires_at=clock.at + HOUR) for id in "ab"])
    documents.commit([Merge("leases", "a", {"n": 1}), Put("leases", "b", {"n": 1})])
    clock.at += HOUR
    assert ids_of(documents, "leases") == ["b"]
    with pytest.raises(DocumentInvalid, match="time zone"):
        documents.commit([Put("leases", "c", {}, expires_at=datetime(2026, 1, 1))])


def count_once(documents: Documents, event: str) -> None:
    once: list[Write] = [
        Put("seen", event, {}, expect=ABSENT),
        Merge("counters", "all", increments={"events": 1, "cost": 0.5}),
    ]
    while documents.get("seen", event) is None:
        with suppress(Conflict):
            documents.commit(once)


@pytest.mark.parametrize(
    ("per_thread", "events"), [(50, 100), pytest.param(2500, 10_000, marks=pytest.mark.soak)]
)
def test_each_event_is_counted_once_by_eight_threads(
    documents: Documents, per_thread: int, events: int
) -> None:
    def work(thread: int) -> None:
        for i in range(per_thread):
            count_once(documents, f"event-{(i + thread * events // 8) % events}")

    together(work)
    seen = flat(all_pages(documents, "seen", limit=1000))
    assert len(seen) == events
    assert data_of(documents, "counters", "all") == {"events": events, "cost": events / 2}


def test_eight_threads_that_only_add_lose_nothing(documents: Documents) -> None:
    def work(thread: int) -> None:
        for _ in range(10):
            while True:
                try:
                    documents.commit([Merge("counters", "hot", {f"t.{thread}": 1}, {"n": 1})])
                    break
                except Conflict:
                    continue

    together(work)
    assert data_of(documents, "counters", "hot") == {"n": 80, "t": {str(i): 1 for i in range(8)}}


def test_exactly_one_wins_each_version(documents: Documents) -> None:
    documents.put("assets", "hot", {"n": 0})

    def work(thread: int) -> list[str]:
        won = []
        for _ in range(12):
            found = documents.get("assets", "hot")
            assert found is not None
            try:
                documents.put("assets", "hot", {"n": found.data["n"] + 1}, expect=found.version)
                won.append(found.version)
            except Conflict:
                continue
        return won

    won = flat(together(work))
    assert len(set(won)) == len(won)
    assert data_of(documents, "assets", "hot") == {"n": len(won)}
    assert won


def test_exactly_one_of_eight_takes_over_what_expired(documents: Documents, clock: Clock) -> None:
    expire_one(documents, clock)

    def work(thread: int) -> bool:
        try:
            documents.put("leases", "a", {"by": thread}, expect=ABSENT)
        except Conflict:
            return False
        return True

    won = together(work)
    assert won.count(True) == 1
    assert data_of(documents, "leases", "a") == {"by": won.index(True)}


def test_merges_into_what_expired_add_up(documents: Documents, clock: Clock) -> None:
    expire_one(documents, clock)

    def work(thread: int) -> None:
        while True:
            try:
                documents.commit([Merge("leases", "a", increments={"n": 1})])
                return
            except Conflict:
                continue

    together(work)
    assert data_of(documents, "leases", "a") == {"n": 8}
