"""What people see of a video: one state a stage, in the order of the pipeline."""

from pathlib import Path

import pytest

from shared import ledger
from shared.app import App
from shared.errors import Rejected
from shared.events import UploadFinalized, VideoIngested
from shared.ports import Merge
from shared.status import list_status, upload_status
from tests.support.apps import Clock, local_app

CHAIN = ["ingest", "analyze"]
UPLOAD = UploadFinalized(path="uploads/ad.mp4", generation="1", size_bytes=3)
VIDEO = VideoIngested(video_id="a" * 32, path="videos/a/source")


@pytest.fixture
def clock() -> Clock:
    """A clock to turn."""
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> App:
    """An App that follows the clock."""
    return local_app(tmp_path, clock)


def begin(app: App, stage: str, event: UploadFinalized | VideoIngested) -> ledger.Claim:
    """A stage that has started."""
    claim = ledger.claim(app, stage, event, {})
    assert claim is not None
    return claim


def ingest_all(app: App) -> None:
    """An upload that has become a video."""
    claim = begin(app, "ingest", UPLOAD)
    asset = {"video_id": VIDEO.video_id, "name": "ad.mp4", f"uploads.{UPLOAD.upload_id}": {"n": 1}}
    upload = {"video_id": VIDEO.video_id, "name": "ad.mp4", "path": UPLOAD.path}
    app.documents.commit(
        [
            Merge("assets", VIDEO.video_id, asset),
            Merge("uploads", UPLOAD.upload_id, upload),
        ]
    )
    ledger.close(app, claim, [VIDEO])


def states(app: App) -> list[str]:
    """The states of the upload's stages."""
    status = upload_status(app, UPLOAD.upload_id, CHAIN)
    assert status is not None
    return [stage.state for stage in status.stages]


def test_an_upload_nobody_has_seen_has_no_status(app: App) -> None:
    """It is on its way."""
    assert upload_status(app, UPLOAD.upload_id, CHAIN) is None


def test_the_first_stage_runs_and_the_next_waits(app: App) -> None:
    """Waiting is what follows from the pipeline."""
    begin(app, "ingest", UPLOAD)
    assert states(app) == ["running", "waiting"]


def test_an_ingested_upload_shows_its_video(app: App) -> None:
    """The stage that made it is shown on it as done."""
    ingest_all(app)
    assert states(app) == ["done", "waiting"]
    ledger.show_progress(app, begin(app, "analyze", VIDEO), 0.5, "decoding")
    status = upload_status(app, UPLOAD.upload_id, CHAIN)
    assert status is not None
    assert (status.stages[1].state, status.stages[1].progress) == ("running", 0.5)
    assert not status.finished


def test_a_crash_shows_as_interrupted(app: App, clock: Clock) -> None:
    """Nobody works on it, and somebody will."""
    begin(app, "ingest", UPLOAD)
    clock.pass_seconds(app.lease_seconds + 1)
    assert states(app) == ["interrupted", "waiting"]


def test_a_retry_shows_its_number_and_why(app: App) -> None:
    """What failed last time stands there until it succeeds."""
    ledger.release(app, begin(app, "ingest", UPLOAD), "disk full")
    begin(app, "ingest", UPLOAD)
    status = upload_status(app, UPLOAD.upload_id, CHAIN)
    assert status is not None
    stage = status.stages[0]
    assert (stage.state, stage.attempt, stage.reason) == ("running", 2, "disk full")


def test_a_refused_upload_is_finished_with_its_reason(app: App) -> None:
    """Nothing more will happen by itself."""
    ledger.reject(app, begin(app, "ingest", UPLOAD), Rejected("no video in it"))
    (status,) = list_status(app, CHAIN)
    assert status.finished
    assert status.problem is not None
    assert status.problem.reason == "no video in it"
    assert [stage.state for stage in status.stages] == ["rejected", "not_reached"]


def test_the_newest_comes_first_and_a_video_only_once(app: App, clock: Clock) -> None:
    """Its uploads are counted, not listed."""
    ingest_all(app)
    clock.pass_seconds(1)
    other = UPLOAD.model_copy(update={"generation": "2"})
    ledger.reject(app, begin(app, "ingest", other), Rejected("no"))
    assert [status.video_id for status in list_status(app, CHAIN)] == ["", VIDEO.video_id]


def test_half_a_file_is_forgotten_once_the_whole_one_is_there(app: App, clock: Clock) -> None:
    """A copy that stalled for long was refused; nobody wants to read that for ever."""
    half = UPLOAD.model_copy(update={"generation": "0"})
    app.documents.commit([Merge("uploads", half.upload_id, {"path": UPLOAD.path})])
    ledger.reject(app, begin(app, "ingest", half), Rejected("cut off"))
    assert len(list_status(app, CHAIN)) == 1
    clock.pass_seconds(1)
    ingest_all(app)
    assert [status.video_id for status in list_status(app, CHAIN)] == [VIDEO.video_id]


def test_two_good_contents_under_one_path_are_two_videos(app: App, clock: Clock) -> None:
    """Neither is a third, unfinished one."""
    ingest_all(app)
    clock.pass_seconds(1)
    second = VIDEO.model_copy(update={"video_id": "b" * 32})
    upload = UPLOAD.model_copy(update={"generation": "2"})
    claim = begin(app, "ingest", upload)
    facts = {"video_id": second.video_id, "path": UPLOAD.path}
    app.documents.commit(
        [
            Merge("assets", second.video_id, {**facts, f"uploads.{upload.upload_id}": {"n": 1}}),
            Merge("uploads", upload.upload_id, facts),
        ]
    )
    ledger.close(app, claim, [second])
    assert [s.video_id for s in list_status(app, CHAIN)] == [second.video_id, VIDEO.video_id]


def test_another_tenant_sees_nothing(app: App) -> None:
    """Status is a query like any other."""
    ingest_all(app)
    assert list_status(app.for_tenant("other"), CHAIN) == []
    assert upload_status(app.for_tenant("other"), UPLOAD.upload_id, CHAIN) is None
