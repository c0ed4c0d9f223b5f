"""Every Tables store keeps the same promises: BigQuery by its real client, DuckDB by its files."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.tables import bigquery, duckdb
from shared.adapters.tables.rules import TablesInvalid
from shared.ports import Options, Tables
from tests.support.apps import Clock
from tests.support.bigquery_server import DATASET_ID, PROJECT, running_bigquery
from tests.support.tables import add_to_the_product, ids, prediction

PRODUCTS = {
    "money": Decimal("12345678901234567890123456789.123456789"),
    "thing": {"a": [1, 2.5, None, True, {"b": "ü"}], "big": 2**63 - 1, "empty": {}},
    "moment": datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC),
    "day": date(2024, 2, 29),
    "whole": -(2**63),
    "number": 0.1 + 0.2,
    "flag": False,
    "text": "größe 🎬\n\t\\ \" ' {}",
}
HOSTILE = [
    "'; DROP TABLE predictions_rows; --",
    "x' OR '1'='1",
    "/etc/passwd",
    "../../other-tenant/*.jsonl",
    "read_csv('/etc/passwd')",
    "@tenant_id",
    "$1 ${x} {0} %s",
    "`samples`",
    '{"row_id": "x"}\n{"row_id": "y"}',
    "null",
    "NaN",
    "",
]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["duckdb", "bigquery"])
def everyone(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Tables]:
    """A store on each technology, as `connect` makes it."""
    (tmp_path / "sql").mkdir()
    add_to_the_product(monkeypatch, tmp_path / "sql")
    if request.param == "duckdb":
        yield duckdb.connect(f"duckdb://{tmp_path}/a [b]*'?/tables", Options(now=clock))
        return
    with running_bigquery() as server:
        url = f"bigquery://{PROJECT}.{DATASET_ID}?endpoint={server.url}"
        yield bigquery.connect(url, Options(now=clock))


@pytest.fixture
def tables(everyone: Tables) -> Tables:
    """The store seen by one tenant."""
    return everyone.for_tenant("acme")


def quarantine(tables: Tables) -> list[tuple[str, str]]:
    """Reason and content of what is quarantined."""
    return [(row["reason"], row["content"]) for row in tables.query("quarantine", {})]


def test_a_question_before_the_first_row_finds_none(tables: Tables) -> None:
    assert tables.query("all_samples", {}) == []
    assert ids(tables) == []
    assert tables.append("samples", []).rows == 0
    assert tables.query("all_samples", {}) == []


def test_every_type_comes_back_exactly(tables: Tables) -> None:
    appended = tables.append("samples", [{"id": "1", **PRODUCTS}, {"id": "2"}])
    assert (appended.rows, appended.quarantined) == (2, [])
    [full, empty] = tables.query("all_samples", {})
    assert full == {"id": "1", **PRODUCTS}
    assert empty == {"id": "2", **dict.fromkeys(PRODUCTS)}
    assert {name: type(value) for name, value in full.items() if name != "id"} == {
        name: type(value) for name, value in PRODUCTS.items()
    }
    assert full["moment"].tzinfo == UTC


VALUES = st.fixed_dictionaries(
    {},
    optional={
        "text": st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
        "whole": st.integers(-(2**63), 2**63 - 1),
        "number": st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.booleans(),
        "moment": st.datetimes(
            datetime(1, 1, 2),
            datetime(9999, 12, 30),
            timezones=st.just(UTC),
        ),
        "day": st.dates(),
        "money": st.decimals(-(10**28), 10**28, places=9),
        "thing": st.recursive(
            st.booleans()
            | st.integers(-(2**53), 2**53)
            | st.floats(allow_nan=False, allow_infinity=False)
            | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            lambda inner: st.lists(inner) | st.dictionaries(st.text("abc", min_size=1), inner),
            max_leaves=8,
        ),
    },
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(VALUES, min_size=1, max_size=8))
def test_whatever_is_appended_comes_back(everyone: Tables, rows: list[dict[str, Any]]) -> None:
    tables = everyone.for_tenant(f"t{uuid4().hex}")
    numbered = [{"id": f"{at:03d}", **row} for at, row in enumerate(rows)]
    assert tables.append("samples", numbered).rows == len(rows)
    found = tables.query("all_samples", {})
    assert [drop_missing(row) for row in found] == numbered


def drop_missing(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without the columns that hold nothing."""
    return {name: value for name, value in row.items() if value is not None}


def test_a_moment_of_another_zone_is_the_same_moment(tables: Tables) -> None:
    moment = datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=2)))
    tables.append("samples", [{"id": "1", "moment": moment}])
    [row] = tables.query("all_samples", {})
    assert row["moment"] == moment
    assert row["moment"].isoformat() == "2025-12-31T23:00:00+00:00"


def test_money_is_added_up_without_losing_a_digit(tables: Tables) -> None:
    amounts = [Decimal("0.000000001"), Decimal("99999999999999999.999999999"), 3]
    rows = [{"id": str(at), "money": one, "text": str(one)} for at, one in enumerate(amounts)]
    tables.append("samples", rows)
    [row] = tables.query("money_in_all", {})
    wanted = Decimal("100000000000000003")
    assert (row["total"], row["cast_total"], row["n"]) == (wanted, wanted, 3)


def test_a_repeated_append_changes_no_result(tables: Tables, clock: Clock) -> None:
    rows = [prediction(1), prediction(2), prediction(3, value=float("nan"))]
    asked = {"subject_kind": "video", "subject_id": "v1", "row_limit": 10}
    first = tables.append("predictions", rows)
    seen, held = tables.query("predictions_of_subject", asked), quarantine(tables)
    for again in (rows, rows[:1], rows[1:], [*rows, *rows]):
        clock.pass_seconds(100)
        tables.append("predictions", again)
        assert tables.query("predictions_of_subject", asked) == seen
        assert quarantine(tables) == held
    assert first.rows == len(seen) == 2
    assert len(held) == 1


def test_what_never_changes_is_read_as_it_was_first(tables: Tables, clock: Clock) -> None:
    tables.append("predictions", [prediction(1, value=0.5)])
    for value in (0.4, 0.6, 0.5, 0.4):
        clock.pass_seconds(1)
        tables.append("predictions", [prediction(1, value=value)])
    tables.append("predictions", [prediction(2, value=0.1), prediction(2, value=0.2)])
    asked = {"subject_kind": "video", "subject_id": "v1", "row_limit": 10}
    values = [row["value"] for row in tables.query("predictions_of_subject", asked)]
    assert values == [0.1, 0.5]


def test_what_is_corrected_is_read_in_its_highest_revision(tables: Tables, clock: Clock) -> None:
    def report(revision: int, clicks: int) -> dict[str, Any]:
        return {"day": date(2026, 1, 1), "ad": "a", "revision": revision, "clicks": clicks}

    def clicks() -> list[int]:
        return [row["clicks"] for row in tables.query("all_reports", {})]

    tables.append("reports", [report(9, 90), report(10, 100), report(2, 20)])
    assert clicks() == [100]
    for late in (report(9, 90), report(1, 1)):
        clock.pass_seconds(1)
        tables.append("reports", [late])
        assert clicks() == [100]
    tables.append("reports", [report(11, 110)])
    assert clicks() == [110]
    # Two that contradict each other: either, but the same after every repetition.
    tables.append("reports", [report(12, 1)])
    tables.append("reports", [report(12, 2)])
    seen = clicks()
    for repeated in (report(12, 1), report(12, 2), report(12, 1)):
        clock.pass_seconds(1)
        tables.append("reports", [repeated])
        assert clicks() == seen


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"value": "0.1"}, "value: '0.1' is str, expected a number"),
        ({"value": True}, "value: True is bool, expected a number"),
        ({"value": float("nan")}, "value: nan is not a number"),
        ({"value": float("-inf")}, "value: -inf is not a number"),
        ({"value": 10**400}, "value: a whole number too large"),
        ({"value": None}, "value is missing"),
        ({"subject_id": 7}, "subject_id: 7 is int, expected text"),
        ({"subject_id": "a\0b"}, "subject_id: text with U+0000"),
        ({"subject_id": "a\udc80b"}, "subject_id: text with a lone surrogate"),
        ({"predicted_at": "2026-01-01"}, "predicted_at: '2026-01-01' is str, expected a moment"),
        ({"predicted_at": datetime(2026, 1, 1)}, "has no time zone"),
        ({"features": {"a": {"b": [float("nan")]}}}, "features: .a.b[0]: nan is not a number"),
        ({"features": {"a": object}}, "features: .a: <class 'object'> is type, expected JSON"),
        ({"features": {1: 2}}, "features: 1 is int, expected text"),
        ({"features": {"a": 2**63}}, "features: .a: 9223372036854775808 is beyond 64 bits"),
        ({"likes": 3, "tenant_id": "other"}, "no such column: likes, tenant_id"),
        ({"row_id": "forged"}, "no such column: row_id"),
        ({"band": '\\"\n' * 200_000}, "bytes, at most 1000000"),
        ({"band": "x" * 1_000_001}, "bytes, at most 1000000"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else "",
)
def test_a_wrong_row_is_quarantined_with_its_reason_and_the_others_are_kept(
    tables: Tables, wrong: dict[str, Any], reason: str
) -> None:
    rows = [prediction(1), prediction(2) | wrong, prediction(3)]
    appended = tables.append("predictions", rows)
    assert appended.rows == 2
    [refused] = appended.quarantined
    assert refused.index == 1
    assert reason in refused.reason
    assert ids(tables) == ["p3", "p1"]
    [held] = tables.query("quarantined_rows", {"table_name": "predictions", "row_limit": 10})
    assert reason.encode("utf-8", "backslashreplace").decode() in held["reason"]
    assert '"prediction_id": "p2"' in held["content"]


def deep(levels: int) -> list[Any]:
    """A list in a list in a list."""
    nested: list[Any] = []
    for _ in range(levels):
        nested = [nested]
    return nested


ENDLESS: list[Any] = []
ENDLESS.append(ENDLESS)


@pytest.mark.parametrize(
    "row",
    [
        *(5, None, "text", [1], {}, {1: 2}, {"value": b"\xff", "\0": 1}),
        *('"\\' * 1_000_000, "🎬" * 500_000, "\udc80" * 500_000, "\0" * 500_000),
        *(prediction(features=deep(100_000)), prediction(features=ENDLESS), 10**5000),
    ],
    ids=lambda row: type(row).__name__,
)
def test_what_is_no_row_at_all_is_quarantined_too(tables: Tables, row: Any) -> None:
    appended = tables.append("predictions", [row, prediction(1)])
    assert [one.index for one in appended.quarantined] == [0]
    assert ids(tables) == ["p1"]
    assert len(quarantine(tables)) == 1


@pytest.mark.parametrize(
    "money",
    [1.5, "1.5", True, Decimal("1E-10"), Decimal(10) ** 29, -(10**29), Decimal("NaN")],
    ids=str,
)
def test_money_that_would_lose_digits_is_quarantined(tables: Tables, money: Any) -> None:
    appended = tables.append("samples", [{"id": "1", "money": money}])
    assert (appended.rows, len(appended.quarantined)) == (0, 1)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_that_looks_like_sql_or_a_path_stays_text(tables: Tables, text: str) -> None:
    tables.append("samples", [{"id": "1", "text": text, "thing": {text or "k": [text]}}])
    tables.append("samples", [{"id": "2", "text": "another"}])
    [first, _] = tables.query("all_samples", {})
    assert (first["text"], first["thing"]) == (text, {text or "k": [text]})
    assert [row["id"] for row in tables.query("samples_of", {"texts": [text]})] == ["1"]
    assert ids(tables, subject=text) == []
    with pytest.raises(TablesInvalid, match="expected one of"):
        tables.append(text, [{"id": "1"}])
    with pytest.raises(TablesInvalid, match="expected one of"):
        tables.query(text, {})


def test_parameters_of_every_type_find_their_row(tables: Tables) -> None:
    tables.append("samples", [{"id": "1", **PRODUCTS}, {"id": "2", "text": PRODUCTS["text"]}])
    asked = {name: value for name, value in PRODUCTS.items() if name != "thing"}
    assert [row["id"] for row in tables.query("samples_like", asked)] == ["1"]
    assert tables.query("samples_like", asked | {"money": 1}) == []
    assert tables.query("samples_of", {"texts": []}) == []
    found = tables.query("samples_of", {"texts": ["x", PRODUCTS["text"]]})
    assert [row["id"] for row in found] == ["1", "2"]


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"texts": ["a"], "more": 1},
        {"texts": ["a"], "tenant_id": "other"},
        {"texts": "a"},
        {"texts": [1]},
        {"texts": None},
        {"texts": [None]},
    ],
    ids=str,
)
def test_wrong_parameters_are_refused(tables: Tables, parameters: dict[str, Any]) -> None:
    with pytest.raises(TablesInvalid, match="query samples_of"):
        tables.query("samples_of", parameters)


def test_a_question_that_cannot_be_answered_is_refused(tables: Tables) -> None:
    tables.append("samples", [{"id": "1"}])
    with pytest.raises(TablesInvalid, match="query broken"):
        tables.query("broken", {})
    assert len(tables.query("all_samples", {})) == 1


def test_no_tenant_sees_rows_of_another(everyone: Tables) -> None:
    acme, other = everyone.for_tenant("acme"), everyone.for_tenant("acme-shop")
    acme.append("predictions", [prediction(1), prediction(2, value="wrong")])
    other.append("predictions", [prediction(1, value=0.9), prediction(3)])
    assert (ids(acme), ids(other), ids(everyone)) == (["p1"], ["p3", "p1"], [])
    assert (len(quarantine(acme)), len(quarantine(other))) == (1, 0)
    asked = {"subject_kind": "video", "subject_ids": ["v1"]}
    [mine] = acme.query("latest_predictions", asked)
    assert mine["value"] == 0.012


@pytest.mark.parametrize("tenant_id", ["", "..", "a/b", "A", "a\n", "a" * 64])
def test_a_tenant_that_is_not_one_is_refused(everyone: Tables, tenant_id: str) -> None:
    with pytest.raises(TablesInvalid, match="tenant"):
        everyone.for_tenant(tenant_id)


def test_the_latest_prediction_of_each_target_and_variation_is_found(tables: Tables) -> None:
    tables.append(
        "predictions",
        [
            prediction(1),
            prediction(2, value=0.02),
            prediction(3, target="roas", value=1.8),
            prediction(4, variation_id="a", platform="meta"),
            prediction(5, variation_id="a", platform="tiktok"),
            prediction(6, variation_id="a", platform="meta", value=0.05),
            prediction(7, subject_id="v2"),
            prediction(8, subject_id="v3"),
            prediction(9, subject_kind="clip"),
        ],
    )
    asked = {"subject_kind": "video", "subject_ids": ["v1", "v2", "none"]}
    found = tables.query("latest_predictions", asked)
    assert [row["prediction_id"] for row in found] == ["p2", "p3", "p6", "p5", "p7"]


def test_the_predictions_of_a_span_of_time_are_found_once(tables: Tables) -> None:
    rows = [prediction(at) for at in range(10)] + [prediction(50, target="roas")]
    tables.append("predictions", rows)
    asked = {
        "target": "ctr",
        "since": datetime(2026, 1, 2, 3, 4, 2, tzinfo=UTC),
        "until": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "row_limit": 100,
    }
    found = [row["prediction_id"] for row in tables.query("predictions_between", asked)]
    assert found == ["p2", "p3", "p4"]
    assert len(tables.query("predictions_between", asked | {"row_limit": 2})) == 2


def test_a_large_append_is_whole(tables: Tables) -> None:
    rows = [prediction(at, prediction_id=f"p{at:05d}") for at in range(1_201)]
    assert tables.append("predictions", rows).rows == 1_201
    assert len(set(ids(tables))) == 1_201
