"""A process that appends to local tables until it is done or killed: `FOLDER NAME APPENDS ROWS`."""

import sys
from pathlib import Path

from shared.adapters.tables import duckdb
from shared.ports import Options
from tests.support.tables import prediction


def main(folder: str, name: str, appends: str, rows: str) -> None:
    """Append, and say so of each append that is done."""
    tables = duckdb.connect(f"duckdb://{folder}", Options())
    for append in range(int(appends)):
        ids = [f"{name}-{append}-{row}" for row in range(int(rows))]
        tables.append("predictions", [prediction(prediction_id=one) for one in ids])
        print(append, flush=True)
        if append % 10 == 9:
            duckdb.merge_small_files(Path(folder), Path(folder) / "predictions" / "local")


if __name__ == "__main__":
    if merge_files := int(sys.argv.pop(1)):
        duckdb.MERGE_FILES = merge_files
    main(*sys.argv[1:])
