"""Tables for tests: two beside the product's, with every type, and questions about them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.tables import rules
from shared.ports import JsonObject, Tables
from shared.tables import TABLES, Column, ColumnType, Table

KINDS: dict[str, ColumnType] = {
    "text": "STRING",
    "whole": "INT64",
    "number": "FLOAT64",
    "flag": "BOOL",
    "moment": "TIMESTAMP",
    "day": "DATE",
    "money": "NUMERIC(38,9)",
    "thing": "JSON",
}
SAMPLES = Table(
    name="samples",
    description="One row of every type.",
    columns=(
        Column("id", "STRING", "key"),
        *(Column(name, kind, kind, nullable=True) for name, kind in KINDS.items()),
    ),
    key=("id",),
    partition="appended_at",
)
REPORTS = Table(
    name="reports",
    description="Figures that are corrected later.",
    columns=(
        Column("day", "DATE", "key"),
        Column("ad", "STRING", "key"),
        Column("revision", "INT64", "grows with each correction"),
        Column("clicks", "INT64", "figure"),
        Column("spend", "NUMERIC(38,9)", "figure", nullable=True),
    ),
    key=("day", "ad"),
    partition="day",
    latest_by="revision",
)
QUERIES = {
    "all_samples": """SELECT id, text, whole, number, flag, moment, day, money, thing
        FROM samples WHERE tenant_id = @tenant_id ORDER BY id""",
    "samples_like": """-- @text STRING
-- @whole INT64
-- @number FLOAT64
-- @flag BOOL
-- @moment TIMESTAMP
-- @day DATE
-- @money NUMERIC(38,9)
        SELECT id FROM samples WHERE tenant_id = @tenant_id AND text = @text AND whole = @whole
        AND number = @number AND flag = @flag AND moment = @moment AND day = @day
        AND money = @money ORDER BY id""",
    "samples_of": """-- @texts ARRAY<STRING>
        SELECT id FROM samples WHERE tenant_id = @tenant_id AND text IN UNNEST(@texts)
        ORDER BY id""",
    "money_in_all": """SELECT SUM(money) AS total, SUM(CAST(text AS NUMERIC)) AS cast_total,
        COUNT(*) AS n FROM samples WHERE tenant_id = @tenant_id""",
    "all_reports": """SELECT day, ad, revision, clicks, spend
        FROM reports WHERE tenant_id = @tenant_id ORDER BY day, ad""",
    "quarantine": """SELECT table_name, reason, content
        FROM quarantine WHERE tenant_id = @tenant_id ORDER BY reason, content""",
    "broken": "SELECT 1 / CAST('x' AS INT64) AS never FROM samples WHERE tenant_id = @tenant_id",
}


def add_to_the_product(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Let the tables and questions of this module be known beside the product's own."""
    for table in (SAMPLES, REPORTS):
        monkeypatch.setitem(TABLES, table.name, table)
    for path in rules.SQL_FOLDER.glob("*.sql"):
        (folder / path.name).write_text(path.read_text())
    for name, sql in QUERIES.items():
        (folder / f"{name}.sql").write_text(sql)
    monkeypatch.setattr(rules, "SQL_FOLDER", folder)
    rules.named_query.cache_clear()


def prediction(number: int = 1, **others: Any) -> dict[str, Any]:
    """A row of predictions; `others` replace what is usual."""
    return {
        "prediction_id": f"p{number}",
        "subject_kind": "video",
        "subject_id": "v1",
        "target": "ctr",
        "value": 0.012,
        "low": 0.004,
        "high": 0.03,
        "band": "average",
        "confidence": 0.6,
        "model_version": "cold-1",
        "features": {"hook_score": 0.7, "hook_type": "question"},
        "predicted_at": datetime(2026, 1, 2, 3, 4, number % 60, tzinfo=UTC),
    } | others


def ids(tables: Tables, kind: str = "video", subject: str = "v1") -> Sequence[str]:
    """The predictions of a subject, newest first."""
    asked: JsonObject = {"subject_kind": kind, "subject_id": subject, "row_limit": 100_000}
    return [row["prediction_id"] for row in tables.query("predictions_of_subject", asked)]
