"""What only SQLite's documents have: a file, several processes, a full or damaged disk."""

import gc
import multiprocessing
import os
import sqlite3
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters.documents import sqlite
from shared.adapters.documents.sqlite import SqliteDocuments
from shared.errors import ConfigError, Conflict, RetryLater
from shared.ports import ABSENT, Merge, Options, Put

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "documents.db"


def opened(path: Path) -> SqliteDocuments:
    return sqlite.connect(f"sqlite://{path}", Options())


def test_a_relative_url_is_meant_from_where_it_was_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    documents = sqlite.connect("sqlite://.local/documents.db", Options())
    monkeypatch.chdir("/")
    documents.put("assets", "a", {"n": 1})
    assert (tmp_path / ".local" / "documents.db").exists()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite://:memory:", "firestore://x", "documents.db"])
def test_a_url_without_a_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected sqlite://FILE"):
        sqlite.connect(url, Options())


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        opened(tmp_path / "file" / "documents.db")


def test_a_file_of_something_else_is_told(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database at all, but long enough to be one" * 100)
    with pytest.raises(ConfigError, match=r"text\.db.*backup"):
        opened(tmp_path / "text.db")


def test_what_was_written_is_there_when_opened_again(path: Path) -> None:
    version = opened(path).put("assets", "a", {"n": 1})
    found = opened(path).get("assets", "a")
    assert found is not None
    assert found.version == version


def test_a_commit_reaches_the_disk_before_it_is_answered(path: Path) -> None:
    documents = opened(path)
    sql = documents._database.sql
    assert sql.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert sql.execute("PRAGMA synchronous").fetchone() == (2,)


COUNTING = """
import sys
from shared.adapters.documents import sqlite
from shared.ports import Merge, Options
documents = sqlite.connect(sys.argv[1], Options())
for _ in range(20):
    documents.commit([Merge("counters", "all", increments={"n": 1})])
"""


def test_several_processes_open_and_count_at_once(path: Path) -> None:
    command = [sys.executable, "-c", COUNTING, f"sqlite://{path}"]
    processes = [subprocess.Popen(command) for _ in range(5)]
    assert [process.wait(60) for process in processes] == [0] * 5
    found = opened(path).get("counters", "all")
    assert found is not None
    assert found.data == {"n": 100}


def use_an_inherited_store(documents: SqliteDocuments) -> None:
    documents.commit([Merge("counters", "all", increments={"n": 1})])
    os._exit(0)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_store_opened_before_a_fork_works_on_both_sides(path: Path) -> None:
    documents = opened(path)
    documents.put("counters", "all", {"n": 1})
    fork = multiprocessing.get_context("fork")
    child = fork.Process(target=use_an_inherited_store, args=(documents,))
    child.start()
    child.join(30)
    assert child.exitcode == 0
    documents.commit([Merge("counters", "all", increments={"n": 1})])
    found = documents.get("counters", "all")
    assert found is not None
    assert found.data == {"n": 3}


def test_a_locked_file_is_tried_again_later(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_SECONDS", 0.05)
    documents = opened(path)
    documents.put("assets", "a", {"n": 1})
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RetryLater, match=r"documents\.db: database is locked") as caught:
        documents.put("assets", "a", {"n": 2})
    assert not isinstance(caught.value, Conflict)
    assert documents.get("assets", "a") is not None
    other.execute("ROLLBACK")
    documents.put("assets", "a", {"n": 3})
    other.close()


def test_a_full_disk_is_told_and_loses_nothing(path: Path) -> None:
    documents = opened(path)
    documents.put("assets", "a", {"n": 1})
    sql = documents._database.sql
    sql.execute("PRAGMA max_page_count = 20")
    with pytest.raises(RetryLater, match="full; check free space"):
        documents.commit([Put("assets", "a", {}), Put("assets", "b", {"text": "x" * 200_000})])
    sql.execute("PRAGMA max_page_count = 1000000")
    assert [(d.id, d.data) for d in documents.query("assets").documents] == [("a", {"n": 1})]
    documents.put("assets", "b", {"text": "x" * 200_000})
    assert sql.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_file_that_may_only_be_read_is_told(path: Path) -> None:
    documents = opened(path)
    documents.put("assets", "a", {"n": 1})
    documents._database.sql.execute("PRAGMA query_only = ON")
    with pytest.raises(RetryLater, match="readonly"):
        documents.put("assets", "a", {"n": 2})
    assert documents.get("assets", "a") is not None


def test_later_commits_delete_what_expired(path: Path) -> None:
    now = NOON
    documents = sqlite.connect(f"sqlite://{path}", Options(now=lambda: now))
    for i in range(0, 300, 100):
        documents.commit(
            [
                Put("leases", f"{n}", {}, expires_at=NOON + timedelta(hours=1))
                for n in range(i, i + 100)
            ]
        )
    now = NOON + timedelta(hours=1)
    for left in (200, 100, 0):
        documents.put("assets", "a", {})
        (stored,) = documents._database.sql.execute(
            "SELECT count(*) FROM documents WHERE kind = 'leases'"
        ).fetchone()
        assert stored == left
    documents.put("leases", "0", {}, expect=ABSENT)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_a_thread_takes_its_connection_with_it(path: Path) -> None:
    documents = opened(path)

    def open_files() -> int:
        return sum(
            os.readlink(f"/proc/self/fd/{fd}").startswith(str(path))
            for fd in os.listdir("/proc/self/fd")
            if os.path.exists(f"/proc/self/fd/{fd}")
        )

    before = open_files()
    for i in range(20):
        thread = threading.Thread(target=documents.put, args=("assets", f"{i}", {}))
        thread.start()
        thread.join()
    gc.collect()
    assert open_files() <= before + 2
    assert len(documents.query("assets").documents) == 20
