"""reset, backup and the lock: what happens to .local, and what does not while it is in use."""

import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scripts.cli import local
from scripts.cli.__main__ import gv
from scripts.local.lock import AlreadyRunning, announce, is_running, only_one
from shared.adapters.tables import duckdb
from shared.ports import Options
from tests.support.tables import ids, prediction


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A .local with a file and a database in it."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / ".local"
    (home / "files").mkdir(parents=True)
    (home / "files" / "a.txt").write_text("content")
    with sqlite3.connect(home / "bus.db") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (42)")
    return home


def call(*words: str) -> Result:
    """A verb as a user calls it."""
    return CliRunner().invoke(gv, words)


def test_reset_deletes_what_is_stored(home: Path) -> None:
    """Only the lock's own file stays."""
    assert call("reset", "--yes").exit_code == 0
    assert {path.name for path in home.iterdir()} <= {"stack.lock"}


def test_reset_asks_first(home: Path) -> None:
    """No answer is no."""
    assert call("reset").exit_code == 1
    assert (home / "files" / "a.txt").exists()


def test_reset_leaves_a_running_stack_alone(home: Path) -> None:
    """Its files are in use."""
    with only_one(home) as lock:
        announce(lock, "http://127.0.0.1:1")
        refused = call("reset", "--yes")
    assert refused.exit_code == 1
    assert "http://127.0.0.1:1" in refused.output
    assert (home / "files" / "a.txt").exists()


def test_backup_holds_files_and_whole_databases(home: Path, tmp_path: Path) -> None:
    """Also what is only in the journal yet, while somebody has the database open."""
    with sqlite3.connect(home / "bus.db") as database:
        database.execute("INSERT INTO t VALUES (43)")
        database.commit()
        assert call("--from", str(tmp_path), "backup", "kept.tar.gz").exit_code == 0
    with tarfile.open(tmp_path / "kept.tar.gz") as archive:
        archive.extractall(tmp_path / "restored", filter="data")
    restored = tmp_path / "restored" / ".local"
    assert (restored / "files" / "a.txt").read_text() == "content"
    with sqlite3.connect(restored / "bus.db") as database:
        assert database.execute("SELECT x FROM t").fetchall() == [(42,), (43,)]
    assert (tmp_path / "kept.tar.gz").stat().st_mode & 0o777 == 0o600


def test_backup_holds_tables_while_they_are_merged_and_tenants_of_any_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merger waits: it would take away files that are listed and not yet copied."""
    monkeypatch.setattr(duckdb, "MERGE_FILES", 2)
    tables = duckdb.connect(f"duckdb://{home}/tables", Options())
    for number in range(5):
        tables.append("predictions", [prediction(number)])
        tables.for_tenant("drafts").append("predictions", [prediction(number)])
    add = local.add_to_backup

    def merge_and_add(*words: Any) -> None:
        assert len(ids(tables)) == 5
        add(*words)

    monkeypatch.setattr(local, "add_to_backup", merge_and_add)
    assert call("--from", str(tmp_path), "backup", "kept.tar.gz").exit_code == 0
    with tarfile.open(tmp_path / "kept.tar.gz") as archive:
        archive.extractall(tmp_path / "restored", filter="data")
    restored = duckdb.connect(f"duckdb://{tmp_path}/restored/.local/tables", Options())
    assert len(ids(restored)) == len(ids(restored.for_tenant("drafts"))) == 5
    assert call("reset", "--yes").exit_code == 0
    assert ids(duckdb.connect(f"duckdb://{home}/tables", Options())) == []


def test_backup_does_not_replace_a_file(home: Path, tmp_path: Path) -> None:
    """An older backup is worth more than a slip."""
    (tmp_path / "kept.tar.gz").write_text("older")
    assert call("--from", str(tmp_path), "backup", "kept.tar.gz").exit_code == 1
    assert (tmp_path / "kept.tar.gz").read_text() == "older"


def test_a_look_whether_a_stack_runs_disturbs_none(tmp_path: Path) -> None:
    """The probe takes no lock that a starting stack would meet, and writes nothing."""
    assert not is_running(tmp_path)
    with only_one(tmp_path) as lock:
        announce(lock, "http://127.0.0.1:1")
        assert is_running(tmp_path)
        assert "127.0.0.1:1" in lock.read_text()
    assert not is_running(tmp_path)


def test_what_a_killed_stack_wrote_is_not_where_the_next_one_answers(tmp_path: Path) -> None:
    """Until it has said so itself."""
    (tmp_path / "stack.lock").write_text('{"url": "http://127.0.0.1:9"}')
    with only_one(tmp_path), pytest.raises(AlreadyRunning) as running, only_one(tmp_path):
        raise AssertionError("two stacks")
    assert running.value.url == "starting"


def test_a_second_stack_is_told_where_the_first_answers(tmp_path: Path) -> None:
    """And can start once the first is gone."""
    with only_one(tmp_path) as lock:
        announce(lock, "http://127.0.0.1:1")
        with pytest.raises(AlreadyRunning) as running, only_one(tmp_path):
            raise AssertionError("two stacks")
    assert running.value.url == "http://127.0.0.1:1"
    with only_one(tmp_path):
        assert True
