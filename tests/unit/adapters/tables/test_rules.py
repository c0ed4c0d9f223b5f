"""Rows and questions, checked before any store sees them."""

import re
from decimal import Decimal
from pathlib import Path

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from shared.adapters.tables.rules import SQL_FOLDER, WRITERS, named_query, view_sql
from shared.tables import KEPT_COLUMNS, TABLES, Table

NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
FILES = sorted(SQL_FOLDER.glob("*.sql"))


@pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)
def test_an_entry_of_the_tables_fits_together(table: Table) -> None:
    own = {column.name: column for column in table.columns}
    kept = {column.name for column in KEPT_COLUMNS}
    stored = {column.name: column for column in table.stored_columns}
    assert len(own) == len(table.columns)
    assert not set(own) & kept
    assert all(NAME.fullmatch(name) for name in (table.name, *own))
    assert all(column.type in WRITERS and column.description for column in table.columns)
    assert set(table.key) <= set(own)
    assert not any(own[name].nullable for name in table.key)
    assert stored[table.partition].type in ("TIMESTAMP", "DATE")
    assert not stored[table.partition].nullable
    assert len(table.cluster) <= 3
    if table.latest_by:
        assert own[table.latest_by].type in ("INT64", "TIMESTAMP", "DATE")
        assert not own[table.latest_by].nullable


def problems_of(sql: str, declared: set[str]) -> list[str]:
    """What is wrong with a question: every table that it reads is limited to the tenant."""
    tree = sqlglot.parse_one(sql, read="bigquery")
    problems = []
    used = {parameter.name for parameter in tree.find_all(exp.Parameter)}
    if used != declared | {"tenant_id"}:
        problems.append(f"parameters {sorted(used)}, declared {sorted(declared)}")
    if not isinstance(tree, exp.Query):
        problems.append("not a SELECT")
    common = {one.alias for one in tree.find_all(exp.CTE)}
    for table in tree.find_all(exp.Table):
        if table.name in common:
            continue
        if table.name not in TABLES or table.db:
            problems.append(f"{table.sql()} is not a table of shared/tables.py")
        select = table.find_ancestor(exp.Select)
        where = select.args.get("where") if select else None
        conditions = list(where.this.flatten()) if where and isinstance(where.this, exp.And) else []
        conditions += [where.this] if where and not conditions else []
        column = f"{table.alias}.tenant_id" if table.alias else "tenant_id"
        if f"{column} = @tenant_id" not in {one.sql(dialect="bigquery") for one in conditions}:
            problems.append(f"{table.sql()} is read without {column} = @tenant_id")
    return problems


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_question_reads_only_rows_of_its_tenant(path: Path) -> None:
    query = named_query(path.stem)
    assert problems_of(query.sql, set(query.parameters)) == []
    assert len(query.parameters) == query.sql.count("\n-- @")
    assert query.sql.startswith("-- ")
    assert query.sql.partition("\n")[0].endswith(".")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT value FROM predictions",
        "SELECT value FROM predictions WHERE @tenant_id = 'x'",
        "SELECT value FROM predictions WHERE tenant_id = @tenant_id OR value > 0",
        "SELECT value FROM predictions_rows WHERE tenant_id = @tenant_id",
        "SELECT value FROM other.predictions WHERE tenant_id = @tenant_id",
        "SELECT value FROM predictions WHERE tenant_id = @tenant_id AND value = @unknown",
        "DELETE FROM predictions WHERE tenant_id = @tenant_id",
        "SELECT a.value FROM predictions a JOIN predictions b ON a.value = b.value "
        "WHERE a.tenant_id = @tenant_id",
        "SELECT value FROM predictions WHERE tenant_id = @tenant_id "
        "UNION ALL SELECT value FROM predictions",
        "SELECT value FROM predictions WHERE tenant_id = @tenant_id "
        "AND value IN (SELECT value FROM predictions)",
    ],
)
def test_a_question_that_reads_more_is_found(sql: str) -> None:
    assert problems_of(sql, set()) != []


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_money_is_kept_exactly_or_refused(money: Decimal) -> None:
    digits = len(money.as_tuple().digits) + int(money.as_tuple().exponent)
    try:
        text = WRITERS["NUMERIC(38,9)"](money)
    except ValueError:
        assert digits > 29 or -int(money.as_tuple().exponent) > 9
    else:
        assert Decimal(text) == money
        assert re.fullmatch(r"-?[0-9]{1,29}(\.[0-9]{0,8}[1-9])?", text)


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Decimal("99999999999999999999999999999.999999999"),) * 2,
        (Decimal("-0.000000001"), "-0.000000001"),
        (Decimal("1E+5"), "100000"),
        (Decimal("-0.00"), "0"),
        (7, "7"),
    ],
    ids=str,
)
def test_money_is_written_plainly(money: Decimal | int, text: object) -> None:
    assert WRITERS["NUMERIC(38,9)"](money) == str(text)


def test_the_views_keep_the_first_or_the_highest_row() -> None:
    for table in TABLES.values():
        sql = view_sql(table, "x")
        assert "PARTITION BY tenant_id, row_id ORDER BY" in sql
        assert sqlglot.parse_one(sql, read="bigquery").find(exp.Qualify)
