"""Ingest: what is usable gets an id from its content, what is not is refused with a reason."""

from pathlib import Path
from typing import Any

import pytest

from shared.app import App
from shared.errors import FileMissing, Rejected
from shared.events import UploadFinalized, VideoIngested
from shared.ports import Merge
from tests.support.stages import work_of
from tests.support.videos import make_video


def upload(app: App, content: bytes | Path, path: str = "uploads/ad.mp4") -> UploadFinalized:
    """A file in the uploads folder, and the event that announces it."""
    stored = app.files.write(path, content)
    return UploadFinalized(
        tenant_id=app.tenant_id,
        path=path,
        generation=stored.generation,
        size_bytes=stored.size_bytes,
    )


def ingest(event: UploadFinalized, app: App) -> VideoIngested:
    """The stage's own work."""
    result: VideoIngested = work_of("ingest")(event, app)
    return result


def test_a_video_is_stored_under_the_id_of_its_content(app: App, tmp_path: Path) -> None:
    """Same bytes, same id; the bytes are kept where no later upload can replace them."""
    video = make_video(tmp_path / "ad.mp4")
    done = ingest(upload(app, video), app)
    assert done.path == f"videos/{done.video_id}/source"
    assert app.files.read(done.path) == video.read_bytes()


def test_two_uploads_of_one_video_are_one_asset(app: App, tmp_path: Path) -> None:
    """Whatever they are called."""
    video = make_video(tmp_path / "ad.mp4")
    first = ingest(upload(app, video, "uploads/ad.mp4"), app)
    second = ingest(upload(app, video, "uploads/копия 2.mov"), app)
    assert first == second
    asset = app.documents.get("assets", first.video_id)
    assert asset is not None
    assert {one["name"] for one in asset.data["uploads"].values()} == {"ad.mp4", "копия 2.mov"}


@pytest.mark.parametrize(("state", "run"), [("done", 1), ("rejected", 2), ("failed", 2)])
def test_a_video_that_was_given_up_gets_another_chance_when_it_is_sent_again(
    app: App, tmp_path: Path, state: str, run: int
) -> None:
    """A limit may have been raised, a bug mended: a new upload asks for a new run."""
    video = make_video(tmp_path / "ad.mp4")
    first = ingest(upload(app, video, "uploads/1.mp4"), app)
    shown = {"stages.analyze": {"state": state, "run": 1}}
    app.documents.commit([Merge("assets", first.video_id, shown)])
    assert ingest(upload(app, video, "uploads/2.mp4"), app).run == run


def test_the_same_video_of_two_tenants_is_two_videos(app: App, tmp_path: Path) -> None:
    """Nobody can learn from an id what somebody else has uploaded."""
    video = make_video(tmp_path / "ad.mp4")
    other = app.for_tenant("acme")
    assert ingest(upload(app, video), app).video_id != ingest(upload(other, video), other).video_id
    assert len(app.documents.query("assets").documents) == 1


def test_an_upload_that_was_replaced_leaves_the_work_to_the_newer_event(app: App) -> None:
    """The older generation is no longer there to be read."""
    old = upload(app, b"one")
    upload(app, b"two")
    with pytest.raises(FileMissing, match="replaced or deleted"):
        ingest(old, app)


def test_an_upload_that_was_deleted_is_refused(app: App) -> None:
    """The message outlived its file."""
    event = upload(app, b"one")
    app.files.delete(event.path)
    with pytest.raises(FileMissing):
        ingest(event, app)


def playlist() -> bytes:
    """What would make ffmpeg open other files."""
    return b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"just text " * 50, "not_video"),
        (playlist(), "playlist_refused"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "playlist_refused"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "not_video"),
        (b"PK\x03\x04" + b"\0" * 100, "not_video"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + b"\0" * 400, None),
    ],
)
def test_what_is_no_video_is_refused_with_a_code(
    app: App, content: bytes, code: str | None
) -> None:
    """Each by a reason that machines read, whatever the name says."""
    with pytest.raises(Rejected) as refused:
        ingest(upload(app, content), app)
    assert code is None or refused.value.code == code
    assert app.documents.query("assets").documents == []


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        ({"max_bytes": 1000}, "too_large"),
        ({"max_seconds": 1.0}, "too_long"),
        ({"max_side_pixels": 100}, "too_many_pixels"),
        ({"max_fps": 10.0}, "frame_rate_too_high"),
        ({"max_streams": 1}, "too_many_streams"),
    ],
)
def test_every_limit_is_a_setting(
    app: App, tmp_path: Path, limits: dict[str, Any], code: str
) -> None:
    """A video over one of them is refused by that one."""
    from dataclasses import replace

    strict = replace(app, limits=app.limits.model_copy(update=limits))
    event = upload(strict, make_video(tmp_path / "ad.mp4"))
    with pytest.raises(Rejected) as refused:
        ingest(event, strict)
    assert refused.value.code == code
