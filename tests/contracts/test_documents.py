"""What every Documents store keeps, refuses and tells apart, on SQLite and on Firestore."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.documents import rules
from shared.errors import Conflict, DocumentInvalid
from shared.ports import ABSENT, Delete, Documents, Merge, Put
from tests.support.documents import (
    START,
    data_of,
    ids_of,
    json_keys,
    json_values,
)


def test_what_is_put_is_read_with_its_version(documents: Documents) -> None:
    data = {"text": "é😀\n\"'`", "n": -3, "x": 1.0, "no": None, "yes": True, "l": [1, {"m": [2]}]}
    version = documents.put("assets", "a", data)
    found = documents.get("assets", "a")
    assert found is not None
    assert (found.kind, found.id, found.data, found.version) == ("assets", "a", data, version)
    assert isinstance(found.data["x"], float)
    assert isinstance(found.data["n"], int)


def test_nothing_is_found_where_nothing_is(documents: Documents) -> None:
    assert documents.get("assets", "a") is None
    assert documents.query("assets").documents == []
    assert documents.commit([]) == []
    documents.commit([Delete("assets", "a")])


def test_a_put_replaces_the_whole_document(documents: Documents) -> None:
    documents.put("assets", "a", {"old": 1, "both": {"x": 1, "y": 2}})
    documents.put("assets", "a", {"both": {"x": 3}})
    assert data_of(documents, "assets", "a") == {"both": {"x": 3}}
    documents.put("assets", "a", {})
    assert data_of(documents, "assets", "a") == {}


def test_each_write_gives_a_new_version_even_of_the_same_content(documents: Documents) -> None:
    versions = [documents.put("assets", "a", {"n": 1}) for _ in range(3)]
    versions += documents.commit([Merge("assets", "a", {"n": 1})])
    versions += documents.commit([Merge("assets", "a")])
    documents.commit([Delete("assets", "a")])
    versions.append(documents.put("assets", "a", {"n": 1}, expect=ABSENT))
    assert len(set(versions)) == 6


def test_a_stale_version_is_refused(documents: Documents) -> None:
    first = documents.put("assets", "a", {"n": 1})
    second = documents.put("assets", "a", {"n": 2}, expect=first)
    for stale in (first, ABSENT, "nonsense", ""):
        with pytest.raises(Conflict, match="assets/a"):
            documents.put("assets", "a", {"n": 3}, expect=stale)
        if stale != ABSENT:
            with pytest.raises(Conflict):
                documents.commit([Delete("assets", "a", expect=stale)])
    assert data_of(documents, "assets", "a") == {"n": 2}
    documents.commit([Delete("assets", "a", expect=second)])
    assert documents.get("assets", "a") is None


def test_a_version_of_what_is_gone_is_refused(documents: Documents) -> None:
    version = documents.put("assets", "a", {"n": 1})
    documents.commit([Delete("assets", "a")])
    with pytest.raises(Conflict):
        documents.put("assets", "a", {"n": 2}, expect=version)
    with pytest.raises(Conflict):
        documents.commit([Delete("assets", "a", expect=version)])


def test_only_the_first_creates(documents: Documents) -> None:
    documents.put("assets", "a", {"n": 1}, expect=ABSENT)
    with pytest.raises(Conflict):
        documents.put("assets", "a", {"n": 2}, expect=ABSENT)
    assert data_of(documents, "assets", "a") == {"n": 1}


@pytest.mark.parametrize("id", ["a:b-c_d.e", "mein Vidéo 😀.mp4", "%2F?#[]*`'\"\\", "0", "x" * 200])
def test_ids_of_any_script_are_kept(documents: Documents, id: str) -> None:
    documents.put("assets", id, {"n": 1})
    assert data_of(documents, "assets", id) == {"n": 1}
    assert ids_of(documents, "assets") == [id]


@pytest.mark.parametrize(
    "id", ["", "a/b", ".", "..", "__a__", "____", "a\nb", "a\0b", "\ud800", "x" * 201, None, 7]
)
def test_ids_that_a_store_cannot_hold_are_refused(documents: Documents, id: Any) -> None:
    for attempt in (
        lambda: documents.get("assets", id),
        lambda: documents.put("assets", id, {}),
        lambda: documents.commit([Delete("assets", id)]),
    ):
        with pytest.raises(DocumentInvalid, match="id"):
            attempt()


@pytest.mark.parametrize("kind", ["", "A", "a/b", "..", "a b", "__a__", "a\n", "é", "x" * 64, None])
def test_kinds_are_lower_case_words(documents: Documents, kind: Any) -> None:
    for attempt in (
        lambda: documents.get(kind, "a"),
        lambda: documents.put(kind, "a", {}),
        lambda: documents.query(kind),
        lambda: documents.nearest(kind, [1.0]),
    ):
        with pytest.raises(DocumentInvalid, match="kind"):
            attempt()


def nested(levels: int) -> dict[str, Any]:
    data: Any = 1
    for _ in range(levels):
        data = {"a": data}
    return dict(data)


@pytest.mark.parametrize(
    ("data", "place"),
    [
        ({"a": math.nan}, "data.a"),
        ({"a": [0, math.inf]}, r"data.a\[1\]"),
        ({"a": [[1]]}, "data.a"),
        ({"a": [{"b": [[]]}]}, r"data.a\[0\].b"),
        ({"a": 2**63}, "64 bits"),
        ({"a": {1: 2}}, "data.a"),
        ({"a": {"": 2}}, "data.a"),
        ({"a.b": 2}, "key 'a.b'"),
        ({"__type__": "__vector__"}, "__type__"),
        ({"\ud800": 1}, "surrogate"),
        ({"a\rb": 1}, "control"),
        ({"a": "\ud800"}, "data.a"),
        ({"a": "x\0"}, r"U\+0000"),
        ({"a": b"bytes"}, "bytes is not JSON"),
        ({"a": {1, 2}}, "set is not JSON"),
        ({"a": START}, "datetime is not JSON"),
        ({"k" * 1001: 1}, "1000 bytes"),
        (nested(17), "deeper than 16"),
        ({"a": [0] * 10_001}, "Files"),
    ],
)
def test_what_is_not_plain_json_is_refused_by_its_place(
    documents: Documents, data: Any, place: str
) -> None:
    with pytest.raises(DocumentInvalid, match=place):
        documents.put("assets", "a", data)
    with pytest.raises(DocumentInvalid):
        documents.commit([Merge("assets", "a", {"field": data})])
    assert documents.get("assets", "a") is None


def test_a_document_is_an_object(documents: Documents) -> None:
    for data in ([1], "text", 1, None):
        with pytest.raises(DocumentInvalid, match="expected an object"):
            documents.put("assets", "a", data)  # type: ignore[arg-type]


def test_the_deepest_and_the_most_numerous_values_are_kept(documents: Documents) -> None:
    data = {"deep": nested(15), "many": list(range(9_900)), "max": 2**63 - 1, "min": -(2**63)}
    documents.put("assets", "a", data)
    assert data_of(documents, "assets", "a") == data


def test_a_document_holds_900_kib_and_not_a_byte_more(documents: Documents) -> None:
    room = 900 * 1024 - len('{"text":""}')
    documents.put("assets", "a", {"text": "x" * room})
    documents.put("assets", "b", {"text": "é" * (room // 2)})
    too_large = {"text": "x" * (room + 1)}
    with pytest.raises(DocumentInvalid, match=r"assets/a: 921601 bytes, at most 921600; .*Files"):
        documents.put("assets", "a", too_large)
    with pytest.raises(DocumentInvalid, match="Files"):
        documents.commit([Merge("assets", "c", too_large)])
    with pytest.raises(DocumentInvalid, match="Files"):
        documents.commit([Merge("assets", "a", {"more": 1})])
    assert data_of(documents, "assets", "a") == {"text": "x" * room}


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.dictionaries(json_keys, json_values, max_size=5), key=json_keys)
def test_any_json_document_comes_back_as_it_was(
    documents: Documents, data: dict[str, Any], key: str
) -> None:
    documents.put("anything", "put", data)
    assert data_of(documents, "anything", "put") == data
    documents.commit([Delete("anything", "merged")])
    documents.commit([Merge("anything", "merged", {f"a.{key}": data})])
    assert data_of(documents, "anything", "merged") == {"a": {key: data}}


def test_a_tenant_never_meets_another(everyone: Documents) -> None:
    ours, theirs = (everyone.for_tenant(f"t{uuid4().hex}") for _ in range(2))
    version = ours.put("assets", "a", {"secret": 1})
    (version,) = ours.commit([Put("assets", "a", {"secret": 1}, vector=[1, 0])])
    assert theirs.get("assets", "a") is None
    assert theirs.query("assets").documents == []
    assert theirs.nearest("assets", [1, 0]) == []
    with pytest.raises(Conflict):
        theirs.put("assets", "a", {}, expect=version)
    theirs.commit([Delete("assets", "a")])
    theirs.commit([Merge("assets", "a", {"mine": 1}, {"secret": 1})])
    theirs.commit([Delete("assets", "a")])
    theirs.put("assets", "a", {}, expect=ABSENT)
    found = ours.get("assets", "a")
    assert found is not None
    assert (found.data, found.version) == ({"secret": 1}, version)
    assert ours.for_tenant("local").get("assets", "a") is None


@pytest.mark.parametrize("tenant", ["", "A", "a/b", "..", "a b", "a\n", "x" * 64, "-a"])
def test_a_tenant_has_a_plain_name(everyone: Documents, tenant: str) -> None:
    with pytest.raises(DocumentInvalid, match="tenant"):
        everyone.for_tenant(tenant)


@given(
    st.dictionaries(json_keys, json_values, max_size=4),
    st.integers(-(2**40), 2**40),
    st.integers(-5, 5),
)
def test_merging_does_not_touch_what_it_is_given(data: dict[str, Any], n: int, m: int) -> None:
    before = dict(data)
    once = rules.merged(data, Merge("a", "b", {"x.y": 1}, {"n.m": n}))
    twice = rules.merged(once, Merge("a", "b", increments={"n.m": m}))
    assert data == before
    assert twice["n"]["m"] - once["n"]["m"] == m


@given(st.datetimes(timezones=st.just(UTC)))
def test_microseconds_are_exact(moment: datetime) -> None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert epoch + timedelta(microseconds=rules.microseconds(moment)) == moment


def test_every_tenant_that_has_something_is_listed(everyone: Documents) -> None:
    names = sorted(f"t{uuid4().hex}" for _ in range(3))
    for name in names:
        everyone.for_tenant(name).put("assets", "a", {})
    listed = everyone.for_tenant(names[0]).tenants()
    assert [name for name in listed if name in names] == names
    assert list(listed) == sorted(listed)
