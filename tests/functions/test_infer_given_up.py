"""When infer is given up the chain goes on without it, once; a replay infers in another run."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.replay import replay_one
from scripts.stages import chain_from, read_stages
from shared import jobs, ledger
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App, StartJob
from shared.errors import RetryLater
from shared.events import DeadLettered, Message, UploadFinalized, VideoAnalyzed, VideoInferred
from shared.inference import keep_inference
from shared.inference_models import ANALYSERS, Inference
from shared.ports import Merge
from shared.status import AssetStatus, list_status
from tests.support.apps import Clock, local_app
from tests.support.jobs import NotedJobs
from tests.support.stages import work_of
from tests.support.toy_jobs import with_jobs

VIDEO_ID = "c" * 32
VIDEO = VideoAnalyzed(
    video_id=VIDEO_ID, path=f"videos/{VIDEO_ID}/source", report_path=f"analysis/{VIDEO_ID}/1.json"
)
CHAIN = chain_from(read_stages(), UploadFinalized.topic())


@pytest.fixture
def noted() -> NotedJobs:
    """What was started."""
    return NotedJobs()


@pytest.fixture
def app(tmp_path: Path, noted: NotedJobs) -> App:
    """An App whose jobs are only noted, with the video as the stages before leave it."""
    app = with_jobs(local_app(tmp_path, Clock()), noted)
    fields = {"name": "ad.mp4", "updated_at": "2026-01-02"}
    before = {f"stages.{name}": {"state": "done", "run": 1} for name in ("ingest", "analyze")}
    app.documents.commit([Merge("assets", VIDEO_ID, {**fields, **before})])
    return app


def record(letter: DeadLettered, app: App) -> VideoInferred | None:
    """The stage's own work."""
    result: VideoInferred | None = work_of("record_dead_letter")(letter, app)
    return result


def died(app: App, noted: NotedJobs) -> DeadLettered:
    """The letter of a job that was started, worked and died."""
    jobs.start_job(app, StartJob("infer", VIDEO), {"correlation_id": "c"})
    execution = f"infer/{len(noted.started)}"
    assert ledger.claim(app, "job_infer", VIDEO, {}, execution=execution) is not None
    noted.states[execution] = "failed"
    (letter,) = jobs.dead_letters(app)
    return letter


def of_the_stage() -> DeadLettered:
    """The letter of a message whose job could not be started ten times."""
    return DeadLettered.about(
        VIDEO.to_message({}), source_subscription="infer", delivery_count=10, published="now"
    )


def shown(app: App) -> AssetStatus:
    """What people see."""
    (status,) = list_status(app, CHAIN)
    return status


def inference_of(event: VideoInferred | None, app: App) -> Inference:
    """The record that the chain goes on with."""
    assert event is not None
    return Inference.model_validate_json(app.files.read(event.inference_path))


def test_a_job_that_died_leaves_a_record_with_every_analyser_unavailable(
    app: App, noted: NotedJobs
) -> None:
    event = record(died(app, noted), app)
    found = inference_of(event, app)
    assert [part.name for part in found.analysers] == list(ANALYSERS)
    assert {part.status for part in found.analysers} == {"unavailable"}
    assert all("infer/1 failed: so it goes" in part.reason for part in found.analysers)
    assert event == VideoInferred(
        **VIDEO.model_dump(), inference_path=f"inference/{VIDEO_ID}/1.json"
    )
    (kept,) = app.documents.query("dead_letters").documents
    assert kept.data["went_on"]


def test_people_see_that_infer_failed_and_the_rest_is_awaited(app: App, noted: NotedJobs) -> None:
    record(died(app, noted), app)
    infer, score = (s for s in shown(app).stages if s.name in ("infer", "score"))
    assert (infer.state, infer.went_on) == ("failed", True)
    assert "infer/1 failed" in infer.reason
    assert score.state == "waiting"
    assert shown(app).problem is None
    assert not shown(app).finished
    for name in ("score", "council", "index_patterns"):
        app.documents.commit([Merge("assets", VIDEO_ID, {f"stages.{name}": {"state": "done"}})])
    assert shown(app).finished


def test_somebody_is_told(app: App, noted: NotedJobs, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    record(died(app, noted), app)
    assert "job_infer: what it was to find is missing until replayed" in caplog.text


def test_the_same_death_goes_on_with_the_same_event(app: App, noted: NotedJobs) -> None:
    """A crash after the record was stored, or a second letter about the same event."""
    letter = died(app, noted)
    first = record(letter, app)
    stored = inference_of(first, app)
    assert record(letter, app) == first
    assert record(of_the_stage(), app) == first
    assert inference_of(first, app) == stored


def test_a_start_that_fails_for_good_goes_on_too(app: App, noted: NotedJobs) -> None:
    noted.problem = RetryLater("no room")
    with pytest.raises(RetryLater):
        jobs.start_job(app, StartJob("infer", VIDEO), {})
    claim = ledger.claim(app, "infer", VIDEO, {})
    assert claim is not None
    ledger.release(app, claim, "retry_later: no room")
    found = inference_of(record(of_the_stage(), app), app)
    assert "given up after 10 deliveries: retry_later: no room" in found.analysers[0].reason
    noted.problem = None
    assert not jobs.start_job(app, StartJob("infer", VIDEO), {})
    assert noted.started == []


def test_a_letter_of_the_stage_changes_nothing_while_the_job_is_at_it_or_done(
    app: App, noted: NotedJobs
) -> None:
    jobs.start_job(app, StartJob("infer", VIDEO), {})
    assert record(of_the_stage(), app) is None
    claim = ledger.claim(app, "job_infer", VIDEO, {}, execution="infer/1")
    assert claim is not None
    assert record(of_the_stage(), app) is None
    ledger.close(app, claim)
    assert record(of_the_stage(), app) is None
    assert next(s for s in shown(app).stages if s.name == "infer").state == "done"


def test_an_attempt_that_comes_too_late_does_nothing(app: App, noted: NotedJobs) -> None:
    """The chain went on: a second inference of the same run would tell another story."""
    letter = died(app, noted)
    late = ledger.claim(app, "job_infer", VIDEO, {}, execution="infer/1")
    assert late is not None
    with pytest.raises(ledger.Leased):
        record(letter, app)
    ledger.release(app, late, "killed")
    record(letter, app)
    assert ledger.claim(app, "job_infer", VIDEO, {}, execution="infer/1") is None
    assert not jobs.start_job(app, StartJob("infer", VIDEO), {})
    with pytest.raises(RetryLater):
        ledger.close(app, late)


def test_what_was_found_before_the_death_is_not_lost(app: App, noted: NotedJobs) -> None:
    letter = died(app, noted)
    found = Inference(video_id=VIDEO_ID, text=(), analysers=())
    keep_inference(VIDEO, found, app)
    assert inference_of(record(letter, app), app) == found


def test_a_replay_infers_in_the_next_run_and_only_once(app: App, noted: NotedJobs) -> None:
    bus: Any = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("infer", VideoAnalyzed.topic())
    record(died(app, noted), app)
    (letter,) = app.documents.query("dead_letters").documents
    assert replay_one(app, letter)
    (delivery,) = bus.pull("infer", limit=10)
    again = VideoAnalyzed.from_message(Message("", delivery.message.data, {}))
    assert again == VIDEO.model_copy(update={"run": 2})
    assert jobs.start_job(app, StartJob("infer", again), {})
    # A replay that died before it was noted: what runs already is not sent again.
    assert replay_one(app, letter)
    assert bus.pull("infer") == []
    (letter,) = app.documents.query("dead_letters").documents
    assert not replay_one(app, letter)
    claim = ledger.claim(app, "job_infer", again, {}, execution="infer/2")
    assert claim is not None
    ledger.close(app, claim)
    infer = next(s for s in shown(app).stages if s.name == "infer")
    assert (infer.state, infer.went_on) == ("done", False)


def test_another_stages_letter_still_ends_its_chain(app: App) -> None:
    letter = DeadLettered.about(
        VideoInferred(**VIDEO.model_dump(), inference_path="inference/x/1.json").to_message({}),
        source_subscription="score",
        delivery_count=10,
        published="now",
    )
    assert record(letter, replace(app)) is None
    problem = shown(app).problem
    assert problem is not None
    assert problem.name == "score"
