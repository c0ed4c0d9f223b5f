"""What BigQuery answers becomes rows, quarantine or our errors; what is sent is what it takes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from shared.adapters.tables import bigquery
from shared.adapters.tables.rules import TablesInvalid
from shared.errors import ConfigError, PipelineError, RetryLater
from shared.ports import Options, Tables
from tests.support.apps import Clock
from tests.support.bigquery_server import (
    DATASET_ID,
    MAX_REQUEST_BYTES,
    PROJECT,
    BigQueryServer,
    Fault,
    running_bigquery,
)
from tests.support.tables import ids, prediction

ROWS = "predictions_rows/insertAll"
ASKED = {"table_name": "predictions", "row_limit": 100}


@pytest.fixture
def server() -> Iterator[BigQueryServer]:
    with running_bigquery() as running:
        yield running


@pytest.fixture
def tables(server: BigQueryServer, monkeypatch: pytest.MonkeyPatch) -> Tables:
    monkeypatch.setattr(bigquery, "RETRY_SECONDS", 2.0)
    url = f"bigquery://{PROJECT}.{DATASET_ID}?endpoint={server.url}"
    return bigquery.connect(url, Options(now=Clock()))


@pytest.mark.parametrize(
    "url",
    [
        "bigquery://project",
        "bigquery://project.data-set",
        "bigquery://project.dataset/table",
        "bigquery://.dataset",
        "bigquery://`p`.dataset",
        "bigquery://project.dataset?endpoint=http://example.com",
        "duckdb://tables",
    ],
)
def test_a_url_that_is_not_one_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"expected bigquery://PROJECT\.DATASET"):
        bigquery.connect(url, Options())


def test_every_row_is_sent_with_an_id_that_a_repetition_sends_again(
    server: BigQueryServer, tables: Tables
) -> None:
    for value in (0.1, 0.1, 0.2):
        tables.append("predictions", [prediction(1, value=value)])
    sent = [body for path, body in server.requests if path.endswith(ROWS)]
    [first, second, third] = [body["rows"][0]["insertId"] for body in sent]
    assert first == second != third
    assert len(first) <= 128
    assert all(body["skipInvalidRows"] is True for body in sent)
    assert not any(body.get("ignoreUnknownValues") for body in sent)
    assert ids(tables) == ["p1"]


def test_a_row_that_bigquery_refuses_is_quarantined_and_the_others_are_kept(
    server: BigQueryServer, tables: Tables
) -> None:
    rows = [prediction(1), prediction(2, value="wrong"), prediction(3), prediction(4)]
    for _ in range(2):
        server.faults = [Fault(ROWS, 200, "invalid", row=1)]
        appended = tables.append("predictions", rows)
        assert appended.rows == 2
        assert [one.index for one in appended.quarantined] == [1, 2]
        assert "BigQuery: row: injected" in appended.quarantined[1].reason
        assert ids(tables) == ["p4", "p1"]
        held = tables.query("quarantined_rows", ASKED)
        assert ["p2" in row["content"] for row in held].count(True) == 1
        assert ["p3" in row["content"] for row in held].count(True) == 1
        assert len(held) == 2


def test_a_table_older_than_the_code_loses_no_row(server: BigQueryServer, tables: Tables) -> None:
    del server.schemas["predictions_rows"]["band"]
    appended = tables.append("predictions", [prediction(1), prediction(2)])
    assert appended.rows == 0
    assert "BigQuery: band: no such field." in appended.quarantined[0].reason
    assert len(tables.query("quarantined_rows", ASKED)) == 2


def test_a_quarantine_that_takes_nothing_is_an_error(
    server: BigQueryServer, tables: Tables
) -> None:
    server.faults = [Fault("quarantine_rows/insertAll", 200, "invalid", row=0)]
    with pytest.raises(ConfigError, match="does not take quarantined rows"):
        tables.append("predictions", [prediction(1, value="wrong")])


@pytest.mark.parametrize("reason", ["stopped", "backendError", "timeout", "quotaExceeded"])
def test_a_row_that_may_yet_be_taken_is_appended_again(
    server: BigQueryServer, tables: Tables, reason: str
) -> None:
    server.faults = [Fault(ROWS, 200, reason, row=0)]
    rows = [prediction(1), prediction(2)]
    with pytest.raises(RetryLater, match=f"did not take every row: {reason}"):
        tables.append("predictions", rows)
    assert tables.append("predictions", rows).rows == 2
    assert ids(tables) == ["p2", "p1"]
    assert tables.query("quarantined_rows", ASKED) == []


@pytest.mark.parametrize(
    ("status", "reason", "error", "said"),
    [
        (404, "notFound", ConfigError, "run terraform apply"),
        (403, "accessDenied", ConfigError, "needs roles/bigquery"),
        (401, "authError", ConfigError, "credentials do not work"),
        (403, "quotaExceeded", RetryLater, "does not answer"),
        (403, "rateLimitExceeded", RetryLater, "does not answer"),
        (400, "invalid", TablesInvalid, "BigQuery refuses"),
        (500, "backendError", RetryLater, "does not answer"),
        (503, "backendError", RetryLater, "does not answer"),
    ],
)
def test_what_google_answers_becomes_our_error(
    server: BigQueryServer,
    tables: Tables,
    monkeypatch: pytest.MonkeyPatch,
    *,
    status: int,
    reason: str,
    error: type[PipelineError],
    said: str,
) -> None:
    monkeypatch.setattr(bigquery, "RETRY_SECONDS", 0.2)
    server.faults = [Fault(path, status, reason, times=99) for path in (ROWS, "queries")]
    with pytest.raises(error, match=said):
        tables.append("predictions", [prediction(1)])
    with pytest.raises(error, match=said):
        ids(tables)


def test_a_short_outage_is_waited_out(server: BigQueryServer, tables: Tables) -> None:
    server.faults = [Fault(ROWS, 503, "backendError"), Fault("queries", 503, "backendError")]
    assert tables.append("predictions", [prediction(1)]).rows == 1
    assert ids(tables) == ["p1"]


def test_nobody_there_is_for_later(server: BigQueryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bigquery, "RETRY_SECONDS", 0.2)
    nowhere = f"bigquery://{PROJECT}.{DATASET_ID}?endpoint=http://127.0.0.1:1"
    tables = bigquery.connect(nowhere, Options())
    with pytest.raises(RetryLater):
        tables.append("predictions", [prediction(1)])
    with pytest.raises(RetryLater):
        ids(tables)


def test_requests_stay_within_what_google_takes(server: BigQueryServer, tables: Tables) -> None:
    rows = [prediction(at, features={"x": "ü" * 400_000}) for at in range(8)]
    assert tables.append("predictions", rows).rows == 8
    sent = [body for path, body in server.requests if path.endswith(ROWS)]
    assert [len(body["rows"]) for body in sent] == [2, 2, 2, 2]
    server.requests.clear()
    tables.append("predictions", [prediction(prediction_id=f"n{at}") for at in range(501)])
    sent = [body for path, body in server.requests if path.endswith(ROWS)]
    assert [len(body["rows"]) for body in sent] == [500, 1]
    assert len(ids(tables)) == 509
    wrong = prediction(1, band="ü" * 5_000_000)
    assert len(tables.append("predictions", [wrong]).quarantined) == 1
    assert max(len(json.dumps(body)) for _, body in server.requests) < MAX_REQUEST_BYTES


def test_a_long_answer_is_read_page_by_page(server: BigQueryServer, tables: Tables) -> None:
    server.page_rows = 3
    tables.append("predictions", [prediction(at) for at in range(10)])
    assert ids(tables) == [f"p{at}" for at in range(9, -1, -1)]
    assert sum("/queries/" in path for path, _ in server.requests) >= 3


def test_a_question_carries_its_limits_and_types(server: BigQueryServer, tables: Tables) -> None:
    text = "'; DROP TABLE x; --"
    assert ids(tables, subject=text) == []
    [(_, body)] = [one for one in server.requests if one[0].endswith("/queries")]
    assert int(body["maximumBytesBilled"]) == bigquery.MAX_BYTES_BILLED
    assert text not in body["query"]
    sent: dict[str, Any] = {one["name"]: one for one in body["queryParameters"]}
    assert {name: one["parameterType"]["type"] for name, one in sent.items()} == {
        "tenant_id": "STRING",
        "subject_kind": "STRING",
        "subject_id": "STRING",
        "row_limit": "INT64",
    }
    assert sent["tenant_id"]["parameterValue"]["value"] == "local"
