"""Writes terraform/tables.json: what shared/tables.py says, in the words of BigQuery's API."""

import json
from pathlib import Path
from typing import Any

from scripts.stages import ROOT
from shared.adapters.tables.rules import view_sql
from shared.tables import TABLES, Table

TABLES_FILE = ROOT / "terraform" / "tables.json"
DATASET = "DATASET"
"""Stands in the views for `project.dataset`, which only Terraform knows."""


def tables_json() -> str:
    """The content of terraform/tables.json."""
    tables = {name: entry_of(table) for name, table in sorted(TABLES.items())}
    return json.dumps(tables, indent=2) + "\n"


def entry_of(table: Table) -> dict[str, Any]:
    """What Terraform needs to know of one table and its view."""
    return {
        "rows_name": table.rows_name,
        "description": table.description,
        "partition": table.partition,
        "cluster": ["tenant_id", *table.cluster],
        "schema": [
            {
                "name": column.name,
                "type": column.type.partition("(")[0],
                "mode": "NULLABLE" if column.nullable else "REQUIRED",
                "description": column.description,
            }
            for column in table.stored_columns
        ],
        "view": view_sql(table, f"`{DATASET}.{table.rows_name}`"),
    }


def main(file: Path = TABLES_FILE) -> None:
    """Write the file anew."""
    file.write_text(tables_json())


if __name__ == "__main__":
    main()
