"""What every store of files promises: one contract, run by each adapter."""

import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.adapters.files.rules import FileCorrupt, FileInvalid
from shared.errors import FileMissing
from shared.ports import Files
from tests.support.file_stores import FileStore, disk_store, gcs_store, grown_bytes, request

T = TypeVar("T")
EIGHT = range(8)
MEMORY_BYTES = 40_000_000


@pytest.fixture(params=["disk", "gcs"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FileStore]:
    """A store on each technology, as `connect` makes it; its temporary files are its own."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    if request.param == "disk":
        with disk_store(tmp_path / "files") as made:
            yield made
    else:
        with gcs_store(tmp_path, monkeypatch) as made:
            yield made


@pytest.fixture
def files(store: FileStore) -> Files:
    return store.files


def in_threads(work: Callable[[int], T]) -> list[T]:
    """What eight threads make of it at once."""
    with ThreadPoolExecutor(len(EIGHT)) as pool:
        return list(pool.map(work, EIGHT))


@pytest.mark.parametrize("content", [b"", b"x", bytes(range(256)) * 5000])
def test_what_is_written_is_read(files: Files, tmp_path: Path, content: bytes) -> None:
    local = tmp_path / "local"
    local.write_bytes(content)
    for path, source in (("uploads/bytes", content), ("uploads/file", local)):
        stored = files.write(path, source)
        assert files.read(path) == content
        assert files.info(path) == stored
        assert (stored.path, stored.size_bytes) == (path, len(content))
        with files.local_copy(path, generation=stored.generation) as copy:
            assert copy.read_bytes() == content


def test_the_checksum_is_crc32c_in_big_endian_base64(files: Files) -> None:
    # The check value of CRC-32C (RFC 3720, B.4 uses the same polynomial): 0xE3069283.
    assert files.write("uploads/a", b"123456789").crc32c == "4waSgw=="


def test_what_is_not_there_is_missing(files: Files) -> None:
    files.write("uploads/folder/a", b"a")
    for path in ("uploads/none", "uploads/folder", "uploads/folder/a/b", "none/a"):
        assert files.info(path) is None
        files.delete(path)
        with pytest.raises(FileMissing):
            files.read(path)
        with pytest.raises(FileMissing), files.local_copy(path):
            pass
        with pytest.raises(FileMissing):
            files.copy(path, "videos/copy")
    with pytest.raises(FileMissing, match="no such local file"):
        files.write("uploads/b", Path("/no/such/file"))
    assert files.read("uploads/folder/a") == b"a"


def test_a_deleted_file_is_gone_and_its_name_is_free(files: Files) -> None:
    files.write("uploads/a/b/c", b"1")
    files.delete("uploads/a/b/c")
    files.delete("uploads/a/b/c")
    assert files.info("uploads/a/b/c") is None
    assert [*files.list("uploads/")] == []
    files.write("uploads/a", b"2")
    assert files.read("uploads/a") == b"2"


def test_content_types_are_guessed_and_kept(files: Files) -> None:
    written = {
        "uploads/a.MP4": files.write("uploads/a.MP4", b"1"),
        "uploads/a.json": files.write("uploads/a.json", b"1", content_type="text/x-own"),
        "uploads/source": files.write("uploads/source", b"1"),
        "videos/copy": files.copy("uploads/a.json", "videos/copy"),
    }
    assert [info.content_type for info in written.values()] == [
        *("video/mp4", "text/x-own", "application/octet-stream", "text/x-own"),
    ]
    assert {info.path: info for info in files.list("")} == written
    with pytest.raises(FileInvalid, match="content type"):
        files.write("uploads/b", b"1", content_type="text/html\r\nSet-Cookie: a=b")


def test_the_first_writer_wins_once(files: Files) -> None:
    first = files.write("uploads/a", b"first", once=True)
    assert files.write("uploads/a", b"second", once=True) == first
    assert files.read("uploads/a") == b"first"


def test_one_of_eight_threads_writes_once_and_all_learn_what_is_stored(files: Files) -> None:
    told = in_threads(lambda i: files.write("uploads/a", b"%d" % i * 1000, once=True))
    assert told == [files.info("uploads/a")] * 8
    assert files.read("uploads/a") in [b"%d" % i * 1000 for i in EIGHT]


def test_nobody_ever_sees_half_of_a_content(files: Files) -> None:
    files.write("uploads/a", b"0" * 300_000)

    def write_or_read(i: int) -> None:
        for _ in range(5):
            if i < 2:
                files.write("uploads/a", b"%d" % i * 300_000)
            else:
                content = files.read("uploads/a")
                assert content in (b"0" * 300_000, b"1" * 300_000)

    in_threads(write_or_read)


def test_generations_grow_with_each_content_and_after_a_delete(files: Files) -> None:
    generations = []
    for number in range(10):
        generations.append(int(files.write("uploads/a", b"%d" % number).generation))
        if number % 3 == 0:
            files.delete("uploads/a")
    assert generations == sorted(set(generations))


def test_a_copy_is_made_once_and_only_of_the_generation_that_was_meant(files: Files) -> None:
    old = files.write("uploads/a", b"old")
    assert files.copy("uploads/a", "videos/old", generation=old.generation).crc32c == old.crc32c
    new = files.write("uploads/a", b"new!")
    with pytest.raises(FileMissing):
        files.copy("uploads/a", "videos/never", generation=old.generation)
    with pytest.raises(FileMissing):
        files.copy("uploads/a", "videos/old", generation=old.generation)
    with pytest.raises(FileMissing), files.local_copy("uploads/a", generation=old.generation):
        pass
    kept = files.copy("uploads/a", "videos/old", generation=new.generation)
    assert kept == files.info("videos/old")
    assert files.read("videos/old") == b"old"
    assert files.info("videos/never") is None


def test_eight_copies_at_once_are_one(files: Files) -> None:
    source = files.write("uploads/a", b"a" * 100_000)
    told = in_threads(lambda i: files.copy("uploads/a", "videos/a", generation=source.generation))
    assert told == [files.info("videos/a")] * 8


def test_one_tenant_never_reaches_anothers_files(files: Files) -> None:
    mine, other = files.for_tenant("mine"), files.for_tenant("other")
    stored = mine.write("uploads/a", b"secret")
    mine.write("uploads/other/a", b"secret")
    for path in ("uploads/a", "uploads/mine/a"):
        assert other.info(path) is None
        with pytest.raises(FileMissing):
            other.read(path)
        with pytest.raises(FileMissing), other.local_copy(path):
            pass
        with pytest.raises(FileMissing):
            other.copy(path, "uploads/stolen", generation=stored.generation)
        other.delete(path)
    for prefix in ("", "up", "uploads/", "uploads/m", "uploads/mine/"):
        assert [*other.list(prefix)] == []
    other.write("uploads/a", b"own")
    assert mine.read("uploads/a") == b"secret"
    assert request("GET", other.sign("uploads/a", "GET"))[1] == b"own"
    assert mine.for_tenant("other").read("uploads/a") == b"own"


@pytest.mark.parametrize(
    "path",
    [
        *("a", "", "/a/b", "a//b", "a/../b", "uploads/../../b", "uploads/.", "a/b/", "a/b\n"),
        *("../a", ".state/key", ".state/local/key", "uploads/\ud800", "uploads/" + "x" * 900),
    ],
)
def test_a_bad_path_is_refused_everywhere(files: Files, path: str) -> None:
    files.write("uploads/a", b"a")
    for use in (
        lambda: files.info(path),
        lambda: files.read(path),
        lambda: files.write(path, b""),
        lambda: files.copy(path, "videos/a"),
        lambda: files.copy("uploads/a", path),
        lambda: files.local_copy(path).__enter__(),
        lambda: files.delete(path),
        lambda: files.sign(path, "GET"),
    ):
        with pytest.raises(FileInvalid):
            use()


@pytest.mark.parametrize("prefix", ["../", "uploads/../", "uploads//", "/", "uploads/\n"])
def test_a_prefix_that_no_path_has_is_refused(files: Files, prefix: str) -> None:
    with pytest.raises(FileInvalid):
        [*files.list(prefix)]


PARTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\x7f", min_codepoint=32),
    min_size=1,
    max_size=60,
).filter(lambda part: part not in (".", ".."))


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(parts=st.lists(PARTS, min_size=1, max_size=3), content=st.binary(max_size=50))
@example(parts=["视频 %2F..%00?#&+;=.mp4"], content=b"1")
@example(parts=["e\u0301", "\u00e9", "\u3000\u200f\U0001f3ac"], content=b"2")
@example(parts=["Ad.mp4 ", " ad.mp4", "-rf *"], content=b"3")
@example(parts=["\\..\\..\\con", "~", "$HOME`id`'\""], content=b"4")
def test_names_of_any_script_and_shape_work(files: Files, parts: list[str], content: bytes) -> None:
    path = "/".join(["uploads", *parts])
    stored = files.write(path, content)
    assert files.read(path) == content
    assert [*files.list(path)] == [stored]
    assert request("GET", files.sign(path, "GET"))[:2] == (200, content)
    files.delete(path)
    assert files.info(path) is None


def test_a_part_of_600_bytes_works_or_is_refused_with_the_way_out(store: FileStore) -> None:
    path = f"uploads/{'é' * 300}"
    if store.url.startswith("file"):
        with pytest.raises(FileInvalid, match=r"has 600 bytes.*use a shorter name"):
            store.files.write(path, b"a")
    else:
        store.files.write(path, b"a")
        assert store.files.read(path) == b"a"
    assert store.files.write(f"uploads/{'é' * 127}", b"b").size_bytes == 1


def test_names_that_differ_in_case_only_are_two(files: Files) -> None:
    files.write("uploads/ad.mp4", b"small")
    files.write("uploads/AD.mp4", b"large")
    assert files.read("uploads/ad.mp4") == b"small"
    assert [info.path for info in files.list("")] == ["uploads/AD.mp4", "uploads/ad.mp4"]


def test_a_list_is_in_order_of_path_and_holds_what_begins_with_the_prefix(files: Files) -> None:
    paths = [
        *("analysis/1.json", "uploads-x/a", "uploads/a", "uploads/a b", "uploads/a-b/c"),
        *("uploads/a.mp4", "uploads/b/c/d", "uploads/b/c0", "uploads/é", "uploads/\U0001f3ac"),
    ]
    for path in reversed(paths):
        files.write(path, path.encode())
    for prefix in ("", "u", "uploads", "uploads/", "uploads/a", "uploads/b/c", "uploads/z", "x/"):
        wanted = [path for path in sorted(paths) if path.startswith(prefix)]
        assert [info.path for info in files.list(prefix)] == wanted
    assert [*files.list("uploads/a.mp4")] == [files.info("uploads/a.mp4")]


def fail_on(copy: Path) -> None:
    """What a stage does that fails in the middle of its work."""
    assert copy.read_bytes() == b"a"
    raise ZeroDivisionError


def test_a_local_copy_is_removed_also_when_its_user_fails(files: Files) -> None:
    files.write("uploads/a", b"a")
    with pytest.raises(ZeroDivisionError), files.local_copy("uploads/a") as copy:
        fail_on(copy)
    assert not copy.exists()
    assert [*Path(tempfile.gettempdir()).glob("geminivideo-*")] == []
    assert files.read("uploads/a") == b"a"


def test_a_local_copy_stays_while_the_file_is_replaced_and_deleted(files: Files) -> None:
    files.write("uploads/a", b"old")
    with files.local_copy("uploads/a") as copy:
        files.write("uploads/a", b"new")
        assert copy.read_bytes() == b"old"
        files.delete("uploads/a")
        assert copy.read_bytes() == b"old"
    assert not copy.exists()


def test_bytes_that_changed_in_the_store_are_noticed(store: FileStore) -> None:
    store.files.write("uploads/a", b"a" * 1000)
    store.corrupt("uploads/a")
    with pytest.raises(FileCorrupt):
        store.files.read("uploads/a")
    with pytest.raises(FileCorrupt), store.files.local_copy("uploads/a"):
        pass


def test_a_signed_url_reads_and_writes_its_path_without_a_token(files: Files) -> None:
    path = "uploads/my ad é%2F.mp4"
    assert request("GET", files.sign(path, "GET"))[0] == 404
    assert request("PUT", files.sign(path, "PUT"), b"0123456789")[0] == 200
    assert files.read(path) == b"0123456789"
    url = files.sign(path, "GET")
    status, body, headers = request("GET", url)
    assert (status, body, headers["Content-Length"]) == (200, b"0123456789", "10")
    status, body, headers = request("GET", url, range="bytes=2-4")
    assert (status, body, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")
    assert request("GET", url, range="bytes=7-")[:2] == (206, b"789")
    assert request("GET", url, range="bytes=10-")[0] == 416


def test_a_signed_url_expires(store: FileStore) -> None:
    store.files.write("uploads/a", b"a")
    url = store.files.sign("uploads/a", "GET", expires_seconds=60)
    store.clock.added = timedelta(seconds=50)
    assert request("GET", url)[0] == 200
    store.clock.added = timedelta(seconds=61)
    assert request("GET", url)[0] in (400, 403)
    for seconds in (0, -1, 604_801):
        with pytest.raises(FileInvalid):
            store.files.sign("uploads/a", "GET", expires_seconds=seconds)


def test_a_signed_url_cannot_be_bent_to_another_method_path_or_time(files: Files) -> None:
    mine, other = files.for_tenant("mine"), files.for_tenant("other")
    for tenant in (mine, other):
        tenant.write("uploads/a", b"a")
        tenant.write("uploads/b", b"b")
    url = mine.sign("uploads/a", "GET")
    assert request("GET", url)[0] == 200
    assert request("PUT", url, b"x")[0] == 403
    assert request("PUT", url.replace("=GET", "=PUT"), b"x")[0] == 403
    for bent in (
        url.replace("/mine/a", "/mine/b"),
        url.replace("/mine/", "/other/"),
        url.replace("xpires=", "xpires=9"),
        url.replace("ignature=", "ignature=0"),
        url[:-1] + ("0" if url[-1] != "0" else "1"),
    ):
        assert bent != url
        assert request("GET", bent)[0] in (400, 403)
    assert request("GET", url.partition("?")[0])[0] in (403, 501)
    assert mine.read("uploads/a") == b"a"


def test_a_large_file_goes_in_and_out_in_little_memory(store: FileStore, tmp_path: Path) -> None:
    assert grown_bytes(store, tmp_path, size_bytes=64_000_000) < MEMORY_BYTES


@pytest.mark.soak
def test_500_mb_go_in_and_out_in_little_memory(store: FileStore, tmp_path: Path) -> None:
    assert grown_bytes(store, tmp_path, size_bytes=500_000_000) < MEMORY_BYTES
