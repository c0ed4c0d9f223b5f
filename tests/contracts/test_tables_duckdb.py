"""Local tables outlive crowds, kills and mergers, reach no other file, and cost nothing unused."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from scripts.stages import ROOT
from shared.adapters.tables import duckdb
from shared.adapters.tables.rules import SQL_FOLDER, TablesInvalid, named_query
from shared.errors import ConfigError, RetryLater
from shared.ports import Options, Tables
from tests.support.tables import add_to_the_product, ids, prediction


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "tables"


@pytest.fixture
def tables(folder: Path) -> Tables:
    return opened(folder)


def opened(folder: Path) -> Tables:
    """The tables as another process finds them."""
    return duckdb.connect(f"duckdb://{folder}", Options())


def row_files(folder: Path) -> list[Path]:
    """The files that hold predictions of the tenant `local`."""
    return sorted((folder / "predictions" / "local").iterdir())


def appending(
    folder: Path, name: str, *, appends: int, rows: int, merge_files: int
) -> "subprocess.Popen[str]":
    """A process that appends; it prints the number of each append that is done."""
    words = [str(merge_files), str(folder), name, str(appends), str(rows)]
    command = [sys.executable, "-m", "tests.support.appending", *words]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def whole_appends(tables: Tables, rows: int) -> Counter[str]:
    """Appends by the name of their process; each must have all its rows."""
    found = Counter(one.rsplit("-", 1)[0] for one in ids(tables))
    assert set(found.values()) <= {rows}
    return Counter(append.rsplit("-", 1)[0] for append in found)


@pytest.mark.parametrize("url", ["duckdb://", "file://tables", "duckdb:tables"])
def test_a_url_that_is_not_one_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected duckdb://FOLDER"):
        duckdb.connect(url, Options())


def test_four_processes_append_at_once_and_nothing_is_lost(folder: Path, tables: Tables) -> None:
    names = "abcd"
    writers = [appending(folder, name, appends=30, rows=3, merge_files=20) for name in names]
    while any(writer.poll() is None for writer in writers):
        whole_appends(tables, 3)
    for writer in writers:
        assert writer.communicate()[0].count("\n") == 30
        assert writer.returncode == 0
    assert whole_appends(tables, 3) == dict.fromkeys(names, 30)
    assert whole_appends(opened(folder), 3) == dict.fromkeys(names, 30)
    # Some merging went on meanwhile; how much is a matter of luck.
    assert len(row_files(folder)) < 4 * 30
    assert not [*(folder / ".state" / "drafts").iterdir()]


def killed_at_random_points(folder: Path, times: int) -> None:
    """Kill processes while they append and merge; what they said is done must be there."""
    done: Counter[str] = Counter()
    tables = opened(folder)
    for kill in range(times):
        name = f"k{kill}"
        writer = appending(folder, name, appends=100_000, rows=50, merge_files=5)
        assert writer.stdout
        writer.stdout.readline()
        time.sleep(random.uniform(0.0, 0.1))
        writer.kill()
        done[name] = 1 + writer.communicate()[0].count("\n")
        assert writer.returncode == -signal.SIGKILL
    for reader in (tables, opened(folder)):
        found = whole_appends(reader, 50)
        # The last may be there whole without its process having lived to say so.
        assert all(done[name] <= found[name] <= done[name] + 1 for name in done), (done, found)


def test_a_kill_loses_nothing_and_leaves_no_half_append(folder: Path) -> None:
    killed_at_random_points(folder, 4)


@pytest.mark.soak
def test_two_hundred_kills_lose_nothing(folder: Path) -> None:
    killed_at_random_points(folder, 200)


def test_many_small_files_become_one_and_rows_stay_as_they_were(
    folder: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = opened(folder)
    for number in range(30):
        tables.append("predictions", [prediction(number)])
    before = ids(reader)
    monkeypatch.setattr(duckdb, "MERGE_FILES", 10)
    assert ids(reader) == before
    [merged] = row_files(folder)
    assert merged.name.startswith("merged-")
    tables.append("predictions", [prediction(3), prediction(31)])
    tables.append("predictions", [prediction(3)])
    for seen in (ids(reader), ids(opened(folder))):
        assert sorted(seen) == sorted([*before, "p31"])


def test_what_a_merger_killed_in_between_leaves_shows_no_row_twice(
    folder: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(10):
        tables.append("predictions", [prediction(number)])
    before = ids(tables)
    monkeypatch.setattr(duckdb, "MERGE_FILES", 10)
    with monkeypatch.context() as killed:

        def die(path: Path, missing_ok: bool = False) -> None:
            raise KeyboardInterrupt

        killed.setattr(Path, "unlink", die)
        with pytest.raises(KeyboardInterrupt):
            ids(tables)
    assert len(row_files(folder)) == 11
    monkeypatch.setattr(duckdb, "MERGE_FILES", 100)
    assert ids(tables) == ids(opened(folder)) == before
    monkeypatch.setattr(duckdb, "MERGE_FILES", 10)
    assert ids(tables) == ids(opened(folder)) == before
    assert len(row_files(folder)) == 1


def test_nobody_merges_while_somebody_copies(
    folder: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb, "MERGE_FILES", 2)
    with duckdb.paused_merging(folder):
        for number in range(5):
            tables.append("predictions", [prediction(number)])
        assert len(ids(tables)) == 5
        assert len(row_files(folder)) == 5
    assert len(ids(tables)) == 5
    assert len(row_files(folder)) == 1


def test_threads_ask_and_append_at_once(tables: Tables) -> None:
    def work(number: int) -> int:
        tables.append("predictions", [prediction(number)])
        return len(ids(tables.for_tenant("local")))

    with ThreadPoolExecutor(8) as threads:
        counts = [*threads.map(work, range(40))]
    assert max(counts) == 40
    assert min(counts) >= 1


def test_a_row_appended_elsewhere_is_seen_by_the_next_question(folder: Path) -> None:
    reader, writer = opened(folder), opened(folder)
    for number in range(3):
        writer.append("predictions", [prediction(number)])
        assert len(ids(reader)) == number + 1


def test_a_disk_that_fails_leaves_nothing_behind(
    folder: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables.append("predictions", [prediction(1)])

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RetryLater, match="No space left"):
            tables.append("predictions", [prediction(2)])
    assert ids(tables) == ["p1"]
    assert [*(folder / ".state" / "drafts").iterdir()] == []
    tables.append("predictions", [prediction(2)])
    assert ids(tables) == ["p2", "p1"]


@pytest.mark.parametrize("content", ["{", "[]\n", '{"tenant_id": "local", "value": "many"}\n'])
def test_a_damaged_file_is_named_and_the_others_are_not_lost(
    folder: Path, tables: Tables, content: str
) -> None:
    tables.append("predictions", [prediction(1)])
    damaged = folder / "predictions" / "local" / "damaged.jsonl"
    damaged.write_text(content)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"restore it.*damaged\.jsonl"):
            ids(tables)
    damaged.unlink()
    assert ids(tables) == ["p1"]


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_kept(
    folder: Path, tables: Tables
) -> None:
    tables.append("predictions", [prediction(1)])
    old, new = folder / ".state" / "drafts" / "old", folder / ".state" / "drafts" / "new"
    for draft in (old, new):
        draft.touch()
    os.utime(old, (1, 1))
    opened(folder)
    assert new.exists()
    assert not old.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('{outside}') WHERE @tenant_id = 'local'",
        "SELECT * FROM '{outside}' WHERE @tenant_id = 'local'",
        "SELECT content FROM read_text('{outside}') WHERE @tenant_id = 'local'",
    ],
)
def test_even_a_question_of_ours_reads_no_other_file(
    tables: Tables, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sql").mkdir()
    (tmp_path / "outside.csv").write_text("secret\n1\n")
    add_to_the_product(monkeypatch, tmp_path / "sql")
    (tmp_path / "sql" / "sly.sql").write_text(sql.format(outside=tmp_path / "outside.csv"))
    with pytest.raises(TablesInvalid, match=r"disabled by configuration|does not exist"):
        tables.query("sly", {})


def test_a_tenant_lies_in_folders_of_its_own(folder: Path, tables: Tables) -> None:
    tables.for_tenant("acme").append("predictions", [prediction(1)])
    tables.append("predictions", [prediction(2)])
    tenants = {path.name for path in (folder / "predictions").iterdir()}
    assert tenants == {"acme", "local"}
    assert "acme" not in row_files(folder)[0].read_text()


def test_appends_load_no_database_and_no_module_loads_it_unasked(tmp_path: Path) -> None:
    code = f"""
import sys
from shared.bootstrap import build_app
from tests.support.apps import local_settings
from tests.support.tables import prediction
from pathlib import Path
app = build_app(local_settings(Path({str(tmp_path)!r})))
app.tables.append("predictions", [prediction(1)])
assert not {{"duckdb", "sqlglot", "google.cloud.bigquery"}} & set(sys.modules)
app.tables.query("quarantined_rows", {{"table_name": "predictions", "row_limit": 1}})
assert {{"duckdb", "sqlglot"}} <= set(sys.modules)
"""
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_thousand_appends_are_asked_about_in_seconds(folder: Path, tables: Tables) -> None:
    appends = 1_000
    rows: list[dict[str, Any]] = [prediction(prediction_id=f"p{at}") for at in range(appends)]
    for row in rows:
        tables.append("predictions", [row])
    started = time.perf_counter()
    assert len(ids(opened(folder))) == appends
    assert time.perf_counter() - started < 10
    assert len(row_files(folder)) == 1


def test_every_file_of_sql_is_a_question_that_can_be_asked(tables: Tables) -> None:
    samples = {"STRING": "x", "INT64": 1, "ARRAY<STRING>": ["x"], "TIMESTAMP": None}
    for path in SQL_FOLDER.glob("*.sql"):
        query = named_query(path.stem)
        values = {name: samples[kind] for name, kind in query.parameters.items()}
        moments = {name: prediction()["predicted_at"] for name in values if values[name] is None}
        assert tables.query(path.stem, values | moments) == []
