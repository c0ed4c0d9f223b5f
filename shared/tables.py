"""The tables of the product: one entry a table, from which stores and Terraform make theirs."""

from dataclasses import dataclass
from typing import Literal

ColumnType = Literal[
    "STRING", "INT64", "FLOAT64", "BOOL", "TIMESTAMP", "DATE", "NUMERIC(38,9)", "JSON"
]


@dataclass(frozen=True)
class Column:
    """One column; what is not `nullable` must be there in every row."""

    name: str
    type: ColumnType
    description: str
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """What rows of one kind hold, and which of two rows with one key is read.

    Two rows of a tenant with equal `key` columns are the same row. Without `latest_by` the row
    that was appended first is read, for facts that never change; with it the row whose column of
    that name is highest, for facts that are corrected later. `partition` names the column by whose
    day a cloud stores the rows.
    """

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    partition: str
    cluster: tuple[str, ...] = ()
    latest_by: str | None = None

    @property
    def rows_name(self) -> str:
        """Where every appended row is kept; queries read the view that has the table's name."""
        return f"{self.name}_rows"

    @property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that every table has, then its own."""
        return (*KEPT_COLUMNS, *self.columns)


KEPT_COLUMNS = (
    Column("tenant_id", "STRING", "whose row this is"),
    Column("row_id", "STRING", "hash of tenant, table and key: rows with one id are one row"),
    Column("row_digest", "STRING", "hash of the whole row: tells versions of one row apart"),
    Column("appended_at", "TIMESTAMP", "when the row was appended"),
)
"""What a store adds to every row; no row that is appended may name these."""

PREDICTIONS = Table(
    name="predictions",
    description="What was predicted for a subject before anybody saw it, to be held against facts.",
    columns=(
        Column("prediction_id", "STRING", "id of the prediction, from what it was made of"),
        Column("subject_kind", "STRING", "what was judged: video, clip, variation or storyboard"),
        Column("subject_id", "STRING", "id of what was judged"),
        Column("variation_id", "STRING", "the variation, when there is one", nullable=True),
        Column("platform", "STRING", "the platform it is meant for, when there is one", True),
        Column("target", "STRING", "what is predicted: ctr, roas or conversions"),
        Column("value", "FLOAT64", "the prediction; a ctr is a fraction, never a percentage"),
        Column("low", "FLOAT64", "lower end of the interval"),
        Column("high", "FLOAT64", "upper end of the interval"),
        Column("band", "STRING", "the value in words, such as low, average or high"),
        Column("confidence", "FLOAT64", "0-1"),
        Column("model_version", "STRING", "which model said so; heuristics have versions too"),
        Column("features", "JSON", "what the model saw, by name of the feature"),
        Column("predicted_at", "TIMESTAMP", "when it was predicted"),
    ),
    key=("prediction_id",),
    partition="predicted_at",
    cluster=("subject_kind", "subject_id"),
)

QUARANTINE = Table(
    name="quarantine",
    description="Rows that a table does not take, as they came, each with the reason.",
    columns=(
        Column("table_name", "STRING", "the table that did not take the row"),
        Column("reason", "STRING", "what is wrong with the row"),
        Column("content", "STRING", "the row as JSON; what is no JSON as Python writes it"),
    ),
    key=("table_name", "reason", "content"),
    partition="appended_at",
    cluster=("table_name",),
)

TABLES = {table.name: table for table in (PREDICTIONS, QUARANTINE)}
"""Every table by name. To add one: an entry here, then `python -m scripts.tables` for Terraform."""
