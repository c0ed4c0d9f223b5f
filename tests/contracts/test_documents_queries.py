"""What every Documents store answers: conditions, order, pages, nearest vectors."""

import math
from typing import Any

import pytest

from shared.adapters.documents.rules import QueryInvalid
from shared.errors import DocumentInvalid
from shared.ports import Delete, Documents, Merge, Put, Where
from tests.support.documents import (
    all_pages,
    flat,
    ids_of,
)


def numbered(documents: Documents) -> None:
    rows: dict[str, Any] = {
        "a": {"v": 1, "s": "x", "in": {"deep-er": 1}},
        "b": {"v": 2.5, "s": "y", "in": {"deep-er": 2}},
        "c": {"v": -1, "s": "x"},
        "d": {"v": "1", "s": "é"},
        "e": {"v": True, "s": "😀"},
        "f": {"v": None, "s": "ﬀ"},
        "g": {"s": "", "in": 5},
        "h": {"v": [1], "s": "X"},
        "i": {"v": {"x": 1}, "s": "x"},
        "j": {"v": 1.0, "s": "xx"},
        "k": {"v": False, "s": "1"},
        "l": {"v": 2**53 + 1, "s": "x'; DROP TABLE documents; --"},
        "m": {"v": float(2**53), "s": '"'},
    }
    documents.commit([Put("rows", id, data) for id, data in rows.items()])


@pytest.mark.parametrize(
    ("where", "ids"),
    [
        ([], "abcdefghijklm"),
        ([Where("v", "==", 1)], "aj"),
        ([Where("v", "==", 1.0)], "aj"),
        ([Where("v", "==", "1")], "d"),
        ([Where("v", "==", True)], "e"),
        ([Where("v", "==", False)], "k"),
        ([Where("v", "==", None)], "f"),
        ([Where("v", "==", 2**53 + 1)], "l"),
        ([Where("v", "in", [1, "1", True, 7])], "adej"),
        ([Where("s", "in", ["x"]), Where("v", "==", 1)], "a"),
        ([Where("in.deep-er", "==", 2)], "b"),
        ([Where("in", "==", 5)], "g"),
        ([Where("s", "==", "x'; DROP TABLE documents; --")], "l"),
        ([Where("s", "==", '"')], "m"),
        ([Where("s", "==", "")], "g"),
        ([Where("nowhere", "==", 1)], ""),
        ([Where("v", "<", 1)], "c"),
        ([Where("v", "<=", 1)], "caj"),
        ([Where("v", ">", 1)], "bml"),
        ([Where("v", ">=", -1), Where("v", "<", 2.5)], "caj"),
        ([Where("v", ">=", "")], "d"),
        ([Where("s", ">=", "x"), Where("s", "<", "y")], "acilj"),
        ([Where("s", ">", "y")], "dfe"),
        ([Where("s", "==", "x"), Where("v", ">", -5)], "ca"),
    ],
)
def test_conditions_compare_within_one_type(
    documents: Documents, where: list[Where], ids: str
) -> None:
    numbered(documents)
    assert ids_of(documents, "rows", *where) == list(ids)


def test_order_is_null_booleans_numbers_text_and_then_by_id(documents: Documents) -> None:
    numbered(documents)
    order = list("fkecajbmld")
    assert ids_of(documents, "rows", order_by="v") == order
    assert ids_of(documents, "rows", order_by="v", descending=True) == order[::-1]
    for limit in (1, 2, 3):
        for descending in (False, True):
            pages = all_pages(documents, "rows", order_by="v", limit=limit, descending=descending)
            assert flat(pages) == (order[::-1] if descending else order)
            assert all(len(page) == limit for page in pages[:-1])
    assert ids_of(documents, "rows", order_by="in.deep-er") == ["a", "b"]
    assert all_pages(documents, "rows", order_by="in.deep-er", limit=1) == [["a"], ["b"]]
    assert ids_of(documents, "rows", order_by="nowhere") == []
    assert ids_of(documents, "rows", Where("s", "==", "x"), order_by="v") == ["c", "a"]


def test_250_documents_of_equal_value_are_each_seen_once(documents: Documents) -> None:
    ids = [f"{i:03}" for i in range(250)]
    documents.commit([Put("rows", id, {"v": 1, "n": int(id)}) for id in ids])
    by_value = all_pages(documents, "rows", order_by="v", limit=30)
    assert [len(page) for page in by_value] == [30] * 8 + [10]
    assert flat(by_value) == ids
    backwards = all_pages(documents, "rows", order_by="v", descending=True, limit=99)
    assert flat(backwards) == ids[::-1]
    assert flat(all_pages(documents, "rows", Where("n", ">=", 100), limit=100)) == ids[100:]
    assert all_pages(documents, "rows", limit=125) == [ids[:125], ids[125:]]


def test_a_cursor_continues_though_its_document_is_gone(documents: Documents) -> None:
    documents.commit([Put("rows", id, {"v": 1}) for id in "abcd"])
    page = documents.query("rows", order_by="v", limit=2)
    documents.commit([Delete("rows", "b"), Put("rows", "aa", {"v": 1})])
    assert ids_of(documents, "rows", order_by="v", limit=2, cursor=page.next_cursor) == ["c", "d"]


def test_a_cursor_belongs_to_its_query(documents: Documents) -> None:
    documents.commit([Put("rows", id, {"v": 1}) for id in "abcd"])
    cursor = documents.query("rows", order_by="v", limit=2).next_cursor
    assert cursor is not None
    others: list[tuple[str, list[Where], dict[str, Any]]] = [
        ("rows", [], {}),
        ("rows", [], {"order_by": "v", "descending": True}),
        ("rows", [Where("v", "==", 1)], {"order_by": "v"}),
        ("other", [], {"order_by": "v"}),
    ]
    for kind, where, how in others:
        with pytest.raises(QueryInvalid, match="another query"):
            documents.query(kind, where, cursor=cursor, **how)
    for bad in ("", "x", "é", "bnVsbA==", "W10=", cursor[:-4]):
        with pytest.raises(QueryInvalid, match="cursor"):
            documents.query("rows", cursor=bad)


@pytest.mark.parametrize(
    ("where", "how"),
    [
        ([Where("a b", "==", 1)], {}),
        ([Where("a'--", "==", 1)], {}),
        ([Where('a"', "==", 1)], {}),
        ([Where("", "==", 1)], {}),
        ([Where("a.", "==", 1)], {}),
        ([Where("__name__", "==", "x")], {}),
        ([Where("a", "!=", 1)], {}),  # type: ignore[arg-type]
        ([Where("a", "==", [1])], {}),
        ([Where("a", "==", math.nan)], {}),
        ([Where("a", "==", 2**63)], {}),
        ([Where("a", "==", "\ud800")], {}),
        ([Where("a", "<", None)], {}),
        ([Where("a", "<", True)], {}),
        ([Where("a", "in", [])], {}),
        ([Where("a", "in", "text")], {}),
        ([Where("a", "in", [None])], {}),
        ([Where("a", "in", list(range(31)))], {}),
        ([Where("a", "in", [1]), Where("b", "in", [1])], {}),
        ([Where("a", "==", 1)] * 11, {}),
        ([Where("a", ">", 1), Where("b", ">", 1)], {}),
        ([Where("a", ">", 1)], {"order_by": "b"}),
        ([], {"order_by": "a; DROP TABLE documents"}),
        ([], {"descending": True}),
        ([], {"limit": 0}),
        ([], {"limit": 1001}),
        ([], {"limit": True}),
    ],
)
def test_questions_without_an_answer_are_refused(
    documents: Documents, where: list[Where], how: dict[str, Any]
) -> None:
    with pytest.raises(QueryInvalid):
        documents.query("rows", where, **how)


def test_thirty_values_may_be_asked_for(documents: Documents) -> None:
    documents.commit([Put("rows", f"{i:02}", {"v": i}) for i in range(40)])
    assert len(ids_of(documents, "rows", Where("v", "in", list(range(5, 35))))) == 30


def test_the_nearest_come_first_with_their_distance(documents: Documents) -> None:
    vectors: dict[str, list[float]] = {
        "a": [1, 0],
        "b": [0, 2],
        "c": [1, 1],
        "d": [-5, 0],
        "e": [1e300, 0],
    }
    documents.commit(
        [Put("clips", id, {"g": id in "ad", "n": 1}, vector=v) for id, v in vectors.items()]
    )
    documents.put("clips", "without", {"g": True})
    documents.commit([Put("other", "a", {}, vector=[1, 0])])
    found = documents.nearest("clips", [3, 0])
    assert [d.id for d, _ in found] == ["a", "e", "c", "b", "d"]
    far = [distance for _, distance in found]
    assert far == pytest.approx([0, 0, 1 - math.sqrt(0.5), 1, 2], abs=1e-6)
    assert all(0 <= x <= 2 for x in far)
    assert found[0][0] == documents.get("clips", "a")
    assert [d.id for d, _ in documents.nearest("clips", [3, 0], limit=2)] == ["a", "e"]
    in_group = documents.nearest("clips", [0, 1], [Where("g", "==", True), Where("n", ">", 0)])
    assert [d.id for d, _ in in_group] == ["a", "d"]


def test_a_vector_lives_and_goes_with_its_document(documents: Documents) -> None:
    documents.commit([Put("clips", "a", {}, vector=[0.5] * 2048)])
    documents.commit([Merge("clips", "a", {"n": 1})])
    ((found, _),) = documents.nearest("clips", [0.5] * 2048, limit=1000)
    assert found.data == {"n": 1}
    documents.put("clips", "a", {"n": 1})
    assert documents.nearest("clips", [0.5] * 2048) == []
    documents.commit([Put("clips", "a", {}, vector=[1, 0])])
    version = documents.put("clips", "b", {})
    documents.commit([Put("clips", "b", {}, expect=version, vector=[1, 0])])
    assert [d.id for d, _ in documents.nearest("clips", [1, 0])] == ["a", "b"]


@pytest.mark.parametrize(
    "vector", [[], [0, 0], [math.nan], [math.inf, 1], ["x"], [1] * 2049, 7, [None]]
)
def test_vectors_without_a_direction_are_refused(documents: Documents, vector: Any) -> None:
    with pytest.raises(DocumentInvalid, match="vector"):
        documents.commit([Put("clips", "a", {}, vector=vector)])
    with pytest.raises(DocumentInvalid, match="vector"):
        documents.nearest("clips", vector)
    with pytest.raises(QueryInvalid, match="limit"):
        documents.nearest("clips", [1], limit=1001)
