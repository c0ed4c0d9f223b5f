"""The uploads folder: whole files become uploads, half ones do not, whatever they are called."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event as Flag

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.local.uploads import UploadsWatcher, has_writer, safe_name, upload_video
from shared.adapters.bus.sqlite import SqliteBus
from shared.adapters.files.disk import DiskFiles
from shared.app import App
from shared.events import UploadFinalized
from shared.file_paths import check_path
from tests.support.apps import local_app

QUIET_SECONDS = 0.05


@pytest.fixture
def app(tmp_path: Path) -> App:
    """An App with ingest subscribed to uploads."""
    app = local_app(tmp_path)
    bus = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("ingest", UploadFinalized.topic())
    return app


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the tenant `local` drops files."""
    path = tmp_path / "files" / "uploads" / "local"
    path.mkdir(parents=True)
    return path


@pytest.fixture
def watcher(app: App, folder: Path) -> UploadsWatcher:
    """A watcher that a test makes look."""
    return watcher_of(app)


def watcher_of(app: App) -> UploadsWatcher:
    """Another watcher of the same folder, as after a restart."""
    files = app.adapters.files()
    assert isinstance(files, DiskFiles)
    return UploadsWatcher(app, files, QUIET_SECONDS, Flag())


def announced(app: App) -> list[UploadFinalized]:
    """What was published, acknowledged so that it does not come again."""
    deliveries = app.bus.pull("ingest", limit=100)
    for delivery in deliveries:
        app.bus.ack(delivery)
    return [UploadFinalized.from_message(delivery.message) for delivery in deliveries]


def look_twice(watcher: UploadsWatcher) -> None:
    """See the files, and see that they have not changed."""
    watcher.look()
    time.sleep(QUIET_SECONDS * 2)
    watcher.look()
    watcher.look()


@pytest.mark.parametrize("name", ["ad.mp4", "реклама 🎬.mov", "no suffix", "%2e%2e;$(ls).mp4"])
def test_a_file_dropped_there_is_announced_once(
    watcher: UploadsWatcher, app: App, folder: Path, name: str
) -> None:
    """Names are data: any script, any shape."""
    (folder / name).write_bytes(b"video")
    look_twice(watcher)
    look_twice(watcher)
    assert [(u.name, u.tenant_id, u.size_bytes) for u in announced(app)] == [(name, "local", 5)]


def test_a_file_that_grows_is_left_alone_until_it_is_whole(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """Half of a video is not an upload."""
    with (folder / "ad.mp4").open("wb") as file:
        file.write(b"half")
        file.flush()
        look_twice(watcher)
        assert announced(app) == []
        file.write(b" and half")
    look_twice(watcher)
    assert [upload.size_bytes for upload in announced(app)] == [13]


def test_a_stalled_copy_is_recognised_by_its_open_writer(folder: Path) -> None:
    """It has not changed for long, and somebody still has it open."""
    path = folder / "ad.mp4"
    with path.open("wb") as file:
        file.write(b"half")
        file.flush()
        writer = os.fork()
        if writer == 0:
            time.sleep(30)
            os._exit(0)
        file.close()
        try:
            assert has_writer(path)
        finally:
            os.kill(writer, 9)
            os.waitpid(writer, 0)
    assert not has_writer(path)


@pytest.mark.parametrize("name", [".hidden.mp4", "ad.mp4.part", "ad.crdownload", "ad.mp4~"])
def test_an_unfinished_download_is_left_alone(
    watcher: UploadsWatcher, app: App, folder: Path, name: str
) -> None:
    """Browsers and editors name what is not ready."""
    (folder / name).write_bytes(b"video")
    look_twice(watcher)
    assert announced(app) == []


def test_a_link_is_not_an_upload(watcher: UploadsWatcher, app: App, folder: Path) -> None:
    """It would read a file that nobody put there."""
    (folder / "ad.mp4").symlink_to("/etc/hostname")
    look_twice(watcher)
    assert announced(app) == []


def test_a_file_beside_the_tenants_belongs_to_the_local_one(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """People miss the inner folder."""
    (folder.parent / "ad.mp4").write_bytes(b"video")
    look_twice(watcher)
    look_twice(watcher)
    assert [upload.name.endswith("-ad.mp4") for upload in announced(app)] == [True]


def test_a_name_that_no_event_can_carry_is_made_one(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """Broken Unicode and control characters are renamed, not lost."""
    (folder / os.fsdecode(b"bad\xff\nname.mp4")).write_bytes(b"video")
    look_twice(watcher)
    look_twice(watcher)
    assert [upload.name.endswith(".mp4") for upload in announced(app)] == [True]


def test_new_content_under_the_same_name_is_another_upload(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """The generation tells them apart."""
    for content in (b"one", b"two and more"):
        (folder / "ad.mp4").write_bytes(content)
        look_twice(watcher)
    first, second = announced(app)
    assert first.upload_id != second.upload_id
    assert int(first.generation) < int(second.generation)


def test_what_was_handled_before_a_restart_is_not_announced_again(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """A new watcher asks what is known."""
    (folder / "ad.mp4").write_bytes(b"video")
    look_twice(watcher)
    (upload,) = announced(app)
    app.documents.put("uploads", upload.upload_id, {"stages": {"ingest": {"state": "done"}}})
    again = watcher_of(app)
    look_twice(again)
    assert announced(app) == []


def test_an_upload_of_another_tenant_is_announced_as_theirs(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """The folder's name is the tenant."""
    (folder.parent / "acme").mkdir()
    (folder.parent / "acme" / "ad.mp4").write_bytes(b"video")
    look_twice(watcher)
    assert [upload.tenant_id for upload in announced(app)] == ["acme"]


def test_two_videos_of_one_name_do_not_replace_each_other(app: App, tmp_path: Path) -> None:
    """Each upload of the command line has a path of its own."""
    (tmp_path / "ad.mp4").write_bytes(b"video")
    first, second = (upload_video(app, tmp_path / "ad.mp4") for _ in range(2))
    assert first.path != second.path
    assert first.name == second.name == "ad.mp4"


def names() -> Iterator[st.SearchStrategy[str]]:
    """File names as an operating system may give them."""
    yield st.text(st.characters(exclude_characters="/\0"), min_size=1, max_size=300)
    yield st.binary(min_size=1, max_size=250).map(os.fsdecode).filter(lambda n: "/" not in n)


@given(st.one_of(*names()))
def test_every_name_becomes_one_that_every_store_takes(name: str) -> None:
    """Short, printable, never a way out of the folder."""
    safe = safe_name(name)
    assert check_path(f"uploads/{safe}")
    assert "/" not in safe
    assert len(safe.encode()) <= 180
    assert safe.isprintable()


@pytest.mark.parametrize("name", ["a" * 300 + ".mp4", "ж" * 200 + ".webm"])
def test_a_long_name_keeps_its_suffix(name: str) -> None:
    """What it is stays visible."""
    assert safe_name(name).endswith(name[-4:])


def test_one_bad_entry_does_not_keep_the_others_waiting(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """A folder whose name is no tenant sorts first."""
    (folder.parent / "My ads").mkdir()
    (folder.parent / "My ads" / "ad.mp4").write_bytes(b"video")
    (folder / "ad.mp4").write_bytes(b"video")
    look_twice(watcher)
    assert [upload.tenant_id for upload in announced(app)] == ["local"]


def test_a_file_in_a_folder_that_no_event_can_carry_is_moved_once(
    watcher: UploadsWatcher, app: App, folder: Path
) -> None:
    """Out of the folder, not renamed in it for ever."""
    bad = folder / os.fsdecode(b"bad\xff")
    bad.mkdir()
    (bad / "ad.mp4").write_bytes(b"video")
    look_twice(watcher)
    look_twice(watcher)
    assert [upload.name.endswith("-ad.mp4") for upload in announced(app)] == [True]


def test_an_upload_named_like_a_partial_download_is_taken_when_it_is_given_by_hand(
    watcher: UploadsWatcher, app: App, tmp_path: Path
) -> None:
    """`scripts/run video.tmp` means that very file."""
    (tmp_path / "ad.tmp").write_bytes(b"video")
    upload = upload_video(app, tmp_path / "ad.tmp")
    watcher.look()
    assert announced(app) == [upload]


def test_what_the_store_wrote_itself_is_taken_at_the_first_look(
    watcher: UploadsWatcher, app: App, tmp_path: Path
) -> None:
    """It appears whole, so nobody has to wait for it."""
    (tmp_path / "ad.mp4").write_bytes(b"video")
    upload = upload_video(app, tmp_path / "ad.mp4")
    watcher.look()
    assert announced(app) == [upload]
