"""What only a folder can do wrong: people's hands, power cuts, and the server of signed URLs."""

import os
import shutil
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from shared.adapters.files import disk
from shared.adapters.files.disk import DiskFiles
from shared.adapters.files.rules import NameTaken
from shared.errors import ConfigError, FileMissing
from shared.ports import Options
from tests.support.file_stores import MAX_PUT_BYTES, disk_store, request

FROZEN = Options(now=lambda: datetime(2026, 1, 2, tzinfo=UTC))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "files"


@pytest.fixture
def files(root: Path) -> DiskFiles:
    return disk.connect(f"file://{root}", FROZEN)


@pytest.fixture
def served(root: Path) -> Iterator[DiskFiles]:
    with disk_store(root) as store:
        assert isinstance(store.files, DiskFiles)
        yield store.files


def drop(root: Path, name: str, content: bytes, *, at_ns: int | None = None) -> Path:
    """Put a file into the uploads folder by hand; with `at_ns` as `cp -p` does."""
    file = root / "uploads" / "local" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    new = root / "uploads" / name
    new.write_bytes(content)
    if at_ns is not None:
        os.utime(new, ns=(at_ns, at_ns))
    return new.rename(file)


def generation(files: DiskFiles, path: str) -> int:
    """The generation of a file that is there."""
    info = files.info(path)
    assert info
    return int(info.generation)


@pytest.mark.parametrize("url", ["file://", "disk://x", "file:x"])
def test_a_url_without_a_folder_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"file://\.local/files"):
        disk.connect(url, Options())


def test_a_relative_url_is_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files = disk.connect("file://.local/files", Options())
    files.write("uploads/a.mp4", b"a")
    assert (tmp_path / ".local/files/uploads/local/a.mp4").read_bytes() == b"a"


def test_generations_grow_while_the_clock_stands_still_and_goes_back(root: Path) -> None:
    options = [FROZEN, Options(now=lambda: datetime(1999, 1, 1, tzinfo=UTC)), FROZEN]
    told = []
    for option in options:
        files = disk.connect(f"file://{root}", option)
        told += [int(files.write("uploads/a", b"same").generation) for _ in range(3)]
        files.delete("uploads/a")
    assert told == sorted(set(told))


def test_a_file_dropped_by_hand_is_a_file(files: DiskFiles, root: Path) -> None:
    drop(root, "an ad.mp4", b"dropped")
    info = files.info("uploads/an ad.mp4")
    assert info
    assert (info.size_bytes, info.content_type) == (7, "video/mp4")
    assert info == files.info("uploads/an ad.mp4")
    assert [*files.list("uploads/")] == [info]
    assert files.read("uploads/an ad.mp4") == b"dropped"
    with files.local_copy("uploads/an ad.mp4", generation=info.generation) as copy:
        assert copy.read_bytes() == b"dropped"


def test_what_is_replaced_by_hand_gets_a_larger_generation(files: DiskFiles, root: Path) -> None:
    told = [int(files.write("uploads/a", b"1").generation)]
    first = (root / "uploads/local/a").stat().st_mtime_ns
    for content, at_ns in ((b"older", 10**18), (b"same!", 10**18), (b"SAME!", first)):
        drop(root, "a", content, at_ns=at_ns)
        told.append(generation(files, "uploads/a"))
        assert files.read("uploads/a") == content
    with (root / "uploads/local/a").open("ab") as file:
        file.write(b"appended in place")
    told.append(generation(files, "uploads/a"))
    files.delete("uploads/a")
    drop(root, "a", b"again", at_ns=5)
    told.append(generation(files, "uploads/a"))
    assert told == sorted(set(told))


def test_a_folder_restored_from_a_backup_keeps_its_generations(
    files: DiskFiles, root: Path, tmp_path: Path
) -> None:
    before = files.write("uploads/a", b"a" * 1000, content_type="video/x-own")
    shutil.copytree(root, tmp_path / "backup")
    shutil.rmtree(root)
    shutil.copytree(tmp_path / "backup", root)
    assert files.info("uploads/a") == before


def test_a_torn_record_is_made_anew(files: DiskFiles, root: Path) -> None:
    before = files.write("uploads/a.mp4", b"a")
    for record in (root / ".state/records").rglob("*.json"):
        record.write_bytes(b"")
    after = files.info("uploads/a.mp4")
    assert after
    assert replace(after, generation="") == replace(before, generation="")
    assert int(after.generation) > int(before.generation)


def test_links_folders_and_names_that_are_not_unicode_are_no_files(
    files: DiskFiles, root: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    uploads = root / "uploads" / "local"
    (uploads / "folder").mkdir(parents=True)
    (uploads / "link").symlink_to(tmp_path / "secret")
    (uploads / "out").symlink_to(tmp_path)
    (Path(os.fsdecode(os.fsencode(uploads) + b"/\xff.mp4"))).write_bytes(b"")
    assert [*files.list("")] == []
    for path in ("uploads/link", "uploads/folder"):
        assert files.info(path) is None
        with pytest.raises(FileMissing):
            files.read(path)


def test_a_file_and_a_folder_cannot_have_one_name(files: DiskFiles) -> None:
    files.write("uploads/a", b"file")
    files.write("uploads/b/c", b"file")
    for path in ("uploads/a/below", "uploads/b"):
        for once in (True, False):
            with pytest.raises(NameTaken, match="take another"):
                files.write(path, b"", once=once)
    assert [info.path for info in files.list("")] == ["uploads/a", "uploads/b/c"]


def test_what_fails_in_the_middle_leaves_nothing_behind(files: DiskFiles, root: Path) -> None:
    def breaks() -> Iterator[bytes]:
        yield b"half"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        files.receive("local", "uploads/a", breaks(), content_type="")
    assert [*files.list("")] == []
    assert [*(root / ".state/drafts").iterdir()] == []


def test_drafts_of_the_dead_are_removed_and_those_of_the_living_kept(
    files: DiskFiles, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write("uploads/a", b"a")
    draft = root / ".state/drafts/of-somebody"
    draft.write_bytes(b"half")
    disk.connect(f"file://{root}", FROZEN)
    assert draft.exists()
    monkeypatch.setattr(disk, "STALE_SECONDS", -1)
    disk.connect(f"file://{root}", FROZEN)
    assert not draft.exists()
    assert files.read("uploads/a") == b"a"


def test_the_key_is_made_once_and_readable_by_its_owner_only(root: Path) -> None:
    urls = {disk.connect(f"file://{root}", FROZEN).sign("uploads/a", "GET") for _ in range(3)}
    assert len(urls) == 1
    key = root / ".state/key"
    assert len(key.read_bytes()) == 32
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    key.unlink()
    assert disk.connect(f"file://{root}", FROZEN).sign("uploads/a", "GET") not in urls


def test_a_folder_of_somebody_else_is_named_with_the_way_out(
    files: DiskFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(ConfigError, match="expected a folder of this user"):
        files.write("uploads/a", b"a")


def test_a_put_of_more_than_the_limit_is_refused(served: DiskFiles) -> None:
    url = served.sign("uploads/a", "PUT")
    assert request("PUT", url, b"x" * MAX_PUT_BYTES)[0] == 200
    assert request("PUT", url, b"x" * (MAX_PUT_BYTES + 1))[0] == 413
    assert len(served.read("uploads/a")) == MAX_PUT_BYTES


def test_a_put_keeps_its_content_type_and_survives_a_wrong_one(served: DiskFiles) -> None:
    for given, kept in (("video/webm", "video/webm"), ("nonsense", "video/mp4")):
        request("PUT", served.sign("uploads/a.mp4", "PUT"), b"x", content_type=given)
        status, _, headers = request("GET", served.sign("uploads/a.mp4", "GET"))
        assert (status, headers["Content-Type"]) == (200, kept)
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("sandbox")


@pytest.mark.parametrize(
    ("head", "status"),
    [("Content-Length: 100\r\n", b" 400 "), ("", b" 411 ")],
)
def test_a_put_that_breaks_off_or_has_no_length_stores_nothing(
    served: DiskFiles, head: str, status: bytes
) -> None:
    parts = urlsplit(served.sign("uploads/a", "PUT"))
    assert parts.hostname
    with socket.create_connection((parts.hostname, parts.port or 0), 10) as connection:
        line = f"PUT {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n{head}\r\n"
        connection.sendall(line.encode() + b"half")
        connection.shutdown(socket.SHUT_WR)
        assert status in connection.recv(1000)
    assert served.info("uploads/a") is None


def test_other_methods_are_refused_and_ranges_are_those_of_the_standard(
    served: DiskFiles,
) -> None:
    served.write("uploads/a", b"0123456789")
    served.write("uploads/empty", b"")
    url = served.sign("uploads/a", "GET")
    assert request("DELETE", url)[0] == 405
    assert request("GET", f"{url}&method=GET")[0] == 403
    ranges = {
        **{"bytes=-3": b"789", "bytes=-30": b"0123456789", "bytes=3-3": b"3"},
        **{"bytes=0-99": b"0123456789"},
    }
    for wanted, body in ranges.items():
        assert request("GET", url, range=wanted)[:2] == (206, body)
    for ignored in ("bytes=5-2", "bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=x"):
        assert request("GET", url, range=ignored)[:2] == (200, b"0123456789")
    for beyond in ("bytes=10-", "bytes=99-100", "bytes=-0"):
        assert request("GET", url, range=beyond)[0] == 416
    assert request("GET", served.sign("uploads/empty", "GET"))[:2] == (200, b"")
