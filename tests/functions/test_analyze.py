"""Analyze: one report a video, stored once, its facts where they are looked for."""

import json
from pathlib import Path

from shared.app import App
from shared.domain.video.identity import content_id
from shared.events import VideoAnalyzed, VideoIngested
from shared.ports import Merge
from tests.support.reports import lasting
from tests.support.stages import work_of
from tests.support.videos import make_video


def ingested(app: App, video: Path) -> VideoIngested:
    """A video as ingest leaves it."""
    video_id = content_id(video, app.tenant_id)
    app.files.write(f"videos/{video_id}/source", video)
    return VideoIngested(video_id=video_id, path=f"videos/{video_id}/source")


def analyze(event: VideoIngested, app: App) -> VideoAnalyzed:
    """The stage's own work."""
    result: VideoAnalyzed = work_of("analyze")(event, app)
    return result


def test_the_report_says_what_was_drawn(app: App, tmp_path: Path) -> None:
    """Fifty frames, a cut in the middle, a bar that moves, two clicks a second."""
    done = analyze(ingested(app, make_video(tmp_path / "ad.mp4")), app)
    report = json.loads(app.files.read(done.report_path))
    assert report["video_id"] == done.video_id
    assert report["media"]["frames"] == 50
    assert report["cuts"] == [25]
    assert [shot["start_frame"] for shot in report["shots"]] == [0, 25]
    assert report["media"]["has_audio"]
    assert report["faces"]["max_count"] == 0
    assert len(report["motion_moments"]) == 2


def test_pattern_and_facts_are_kept_where_they_are_looked_for(app: App, tmp_path: Path) -> None:
    """The pattern as a document of its own, the measured media on the asset."""
    done = analyze(ingested(app, make_video(tmp_path / "ad.mp4")), app)
    pattern = app.documents.get("patterns", done.video_id)
    asset = app.documents.get("assets", done.video_id)
    assert pattern is not None
    assert asset is not None
    assert pattern.data["extracted_at"] == "2026-01-02T03:04:05Z"
    assert asset.data["media"]["frames"] == 50
    assert asset.data["report_path"] == done.report_path


def test_the_pictures_lie_beside_the_report(app: App, tmp_path: Path) -> None:
    """Contact sheet and timeline; the file's name is text in it, whatever it is."""
    event = ingested(app, make_video(tmp_path / "ad.mp4"))
    app.documents.commit([Merge("assets", event.video_id, {"name": "<b>ad</b>.mp4"})])
    stem = analyze(event, app).report_path.removesuffix(".json")
    assert app.files.read(f"{stem}.contact.jpg").startswith(b"\xff\xd8")
    timeline = app.files.read(f"{stem}.timeline.svg").decode()
    assert "&lt;b&gt;ad&lt;/b&gt;.mp4" in timeline
    info = app.files.info(f"{stem}.timeline.svg")
    assert info is not None
    assert info.content_type == "image/svg+xml"


def test_a_repeat_gives_the_same_report_and_does_not_replace_it(app: App, tmp_path: Path) -> None:
    """The first one stored is the one that counts."""
    event = ingested(app, make_video(tmp_path / "ad.mp4"))
    first = app.files.read(analyze(event, app).report_path)
    again = app.files.read(analyze(event, app).report_path)
    assert first == again
    fresh = app.files.read(analyze(event.model_copy(update={"run": 2}), app).report_path)
    assert lasting(json.loads(fresh)) == lasting(json.loads(first))


def test_a_silent_video_says_what_was_skipped(app: App, tmp_path: Path) -> None:
    """No guess: the parts that need sound tell why they did not run."""
    video = make_video(tmp_path / "ad.mp4", sound=False)
    report = json.loads(app.files.read(analyze(ingested(app, video), app).report_path))
    assert report["audio"]["tempo_bpm"] is None
    assert report["audio"]["sync"]["sync_quality"] is None
    skipped = {part["name"] for part in report["analysers"] if part["status"] == "skipped"}
    assert {"audio", "speech", "sync"} <= skipped
    assert all(part["reason"] for part in report["analysers"] if part["status"] != "ran")
