"""A job is started once an event, its stage is done then, and its death is found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared import bootstrap, handler, jobs, ledger
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App, StartJob
from shared.errors import RetryLater
from shared.events import DeadLettered, JobsDue, Message, VideoAnalyzed, VideoIngested
from shared.status import AssetStatus, list_status
from tests.support.apps import Clock, local_app
from tests.support.jobs import NotedJobs
from tests.support.pushes import push_of, request_of
from tests.support.stages import load_main, work_of
from tests.support.toy_jobs import with_jobs

VIDEO = VideoIngested(video_id="a" * 32, path="videos/a/source")
WISH = StartJob("analyze", VIDEO)


@pytest.fixture
def clock() -> Clock:
    """A clock to turn."""
    return Clock()


@pytest.fixture
def noted() -> NotedJobs:
    """What was started."""
    return NotedJobs()


@pytest.fixture
def app(tmp_path: Path, clock: Clock, noted: NotedJobs) -> Iterator[App]:
    """This process's App, with jobs that are only noted."""
    app = with_jobs(local_app(tmp_path, clock), noted)
    bootstrap.use(app)
    yield app
    bootstrap.use(None)


@handler.stage
def analyze(video: VideoIngested, app: App) -> StartJob:
    """A stage that lets a job do everything."""
    return StartJob("analyze", video)


@handler.stage
def undecided(video: VideoIngested, app: App) -> list[StartJob | VideoIngested]:
    """A stage that wants both."""
    return [StartJob("analyze", video), video]


def shown(app: App) -> AssetStatus:
    """What people see."""
    app.documents.put("assets", "x", {})
    (status,) = list_status(app, ["analyze"])
    return status


def entry(app: App, stage: str) -> dict[str, Any]:
    """A record of the ledger."""
    found = app.documents.get(ledger.KIND, ledger.ledger_id(stage, VIDEO))
    return dict(found.data) if found else {}


def claimed_by(app: App, execution: str) -> ledger.Claim:
    """The claim of an execution, which must succeed."""
    claim = ledger.claim(app, "job_analyze", VIDEO, {}, execution=execution)
    assert claim is not None
    return claim


def test_a_stage_that_starts_a_job_is_done_and_people_see_the_job(
    app: App, noted: NotedJobs
) -> None:
    assert analyze(push_of(VIDEO)).status_code == 204
    assert entry(app, "analyze")["state"] == "done"
    assert entry(app, "job_analyze")["execution"] == "analyze/1"
    assert noted.started[0].attributes["tenant_id"] == "local"
    assert not shown(app).finished
    assert shown(app).stages[0].state == "waiting"
    claim = claimed_by(app, "analyze/1")
    assert shown(app).stages[0].state == "running"
    ledger.show_progress(app, claim, 0.5, "decode")
    assert shown(app).stages[0].progress == 0.5
    ledger.close(app, claim)
    assert shown(app).finished


def test_a_duplicate_starts_nothing(app: App, noted: NotedJobs) -> None:
    for _ in range(3):
        assert analyze(push_of(VIDEO)).status_code == 204
        assert not jobs.start_job(app, WISH, {})
    assert len(noted.started) == 1


def test_a_stage_that_dies_before_it_is_done_starts_nothing_twice(
    app: App, noted: NotedJobs, clock: Clock
) -> None:
    """Its lease runs out, the message comes again."""
    claim = ledger.claim(app, "analyze", VIDEO, {})
    assert claim is not None
    jobs.start_job(app, WISH, {})
    clock.pass_seconds(app.lease_seconds + 1)
    assert analyze(push_of(VIDEO)).status_code == 204
    assert len(noted.started) == 1
    assert entry(app, "analyze")["state"] == "done"


def test_what_could_not_be_started_is_started_when_the_message_comes_again(
    app: App, noted: NotedJobs
) -> None:
    noted.problem = RetryLater("no room")
    assert analyze(push_of(VIDEO)).status_code == 503
    noted.problem = None
    assert analyze(push_of(VIDEO)).status_code == 204
    assert entry(app, "job_analyze")["execution"] == "analyze/1"


def test_a_job_that_claims_before_its_name_is_noted_keeps_its_claim(app: App) -> None:
    opened = ledger.open_job(app, "job_analyze", VIDEO, VIDEO.to_message({}))
    assert opened is not None
    claim = claimed_by(app, "analyze/1")
    ledger.note_execution(app, opened, "analyze/1")
    ledger.close(app, claim)
    assert entry(app, "job_analyze")["state"] == "done"


def test_a_second_execution_finds_the_event_in_other_hands(app: App, clock: Clock) -> None:
    jobs.start_job(app, WISH, {})
    claimed_by(app, "analyze/1")
    with pytest.raises(ledger.Leased):
        claimed_by(app, "analyze/2")
    assert claimed_by(app, "analyze/1").record["attempt"] == 2
    clock.pass_seconds(app.lease_seconds + 1)
    assert claimed_by(app, "analyze/2").record["execution"] == "analyze/2"


def test_the_late_write_of_a_job_that_was_taken_over_is_refused(app: App) -> None:
    jobs.start_job(app, WISH, {})
    zombie = claimed_by(app, "analyze/1")
    claimed_by(app, "analyze/1")
    with pytest.raises(RetryLater):
        ledger.close(app, zombie)


def test_events_and_jobs_at_once_are_a_mistake(app: App, noted: NotedJobs) -> None:
    assert undecided(push_of(VIDEO)).status_code == 500
    assert "TypeError" in entry(app, "undecided")["reason"]


def test_the_death_of_a_stack_frees_stages_but_not_jobs(app: App) -> None:
    jobs.start_job(app, WISH, {})
    claimed_by(app, "analyze/1")
    assert ledger.free_leases(app) == 0


def letters_of(app: App, slot: str = "2026-01-02T03:05:00+00:00") -> list[DeadLettered]:
    """What watch_jobs answers to a slot."""
    due = JobsDue.from_message(Message("", b"{}", {"slot": slot}))
    return list(work_of("watch_jobs")(due, app))


@pytest.mark.parametrize("state", ["failed", "cancelled", "unknown", "succeeded"])
def test_an_execution_that_ended_without_a_word_is_a_dead_letter(
    app: App, noted: NotedJobs, state: Any
) -> None:
    """Also one that says it succeeded, when the ledger knows nothing of it."""
    jobs.start_job(app, WISH, {"correlation_id": "c", "other": "x"})
    claimed_by(app, "analyze/1")
    noted.states["analyze/1"] = state
    (letter,) = letters_of(app)
    assert letter.source_subscription == "job-analyze"
    assert VideoIngested.from_message(letter.message) == VIDEO
    assert letter.attributes["correlation_id"] == "c"
    assert f"analyze/1 {state}: so it goes" in entry(app, "job_analyze")["reason"]


def test_what_is_alive_done_or_only_noted_is_left_alone(app: App, noted: NotedJobs) -> None:
    noted.problem = RetryLater("no room")
    with pytest.raises(RetryLater):
        jobs.start_job(app, WISH, {})
    assert letters_of(app) == []
    noted.problem = None
    jobs.start_job(app, WISH, {})
    assert letters_of(app) == []
    claim = claimed_by(app, "analyze/1")
    assert letters_of(app) == []
    ledger.close(app, claim)
    noted.states["analyze/1"] = "succeeded"
    assert letters_of(app) == []


def test_an_execution_past_its_time_is_stopped_and_a_dead_letter(
    app: App, noted: NotedJobs, clock: Clock
) -> None:
    """Its lease is over, and so is the time that the next attempt would have needed to begin."""
    jobs.start_job(app, WISH, {})
    claimed_by(app, "analyze/1")
    clock.pass_seconds(app.lease_seconds + 60)
    assert letters_of(app) == []
    clock.pass_seconds(jobs.PAST_TIME_GRACE.total_seconds())
    assert len(letters_of(app)) == 1
    assert noted.states["analyze/1"] == "cancelled"


def test_the_jobs_of_every_tenant_are_looked_after(app: App, noted: NotedJobs) -> None:
    for tenant in ("acme", "zeta"):
        video = VIDEO.model_copy(update={"tenant_id": tenant})
        jobs.start_job(app.for_tenant(tenant), StartJob("analyze", video), {})
    noted.states = {}
    assert [letter.tenant_id for letter in letters_of(app)] == ["acme", "zeta"]


def test_a_death_is_shown_told_once_and_repeated_on_demand(
    tmp_path: Path, app: App, noted: NotedJobs
) -> None:
    """From the schedule's message over both stages to the replay."""
    from scripts.cli.replay import replay_one

    bus = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("record-dead-letter", DeadLettered.topic())
    assert analyze(push_of(VIDEO)).status_code == 204
    noted.states["analyze/1"] = "failed"
    for slot in ("2026-01-02T03:05:00Z", "2026-01-02T03:05:00Z", "2026-01-02T03:10:00Z"):
        assert watch(slot) == 204
    for delivery in bus.pull("record-dead-letter", limit=10):
        letter = DeadLettered.from_message(delivery.message)
        work_of("record_dead_letter")(letter, app)
    assert shown(app).problem is not None
    assert "analyze/1 failed" in shown(app).stages[0].reason
    assert watch("2026-01-02T03:15:00Z") == 204
    assert bus.pull("record-dead-letter") == []
    (kept,) = app.documents.query("dead_letters").documents
    assert replay_one(app, kept)
    (kept,) = app.documents.query("dead_letters").documents
    assert not replay_one(app, kept)
    assert [message.data for message in noted.started] == [noted.started[0].data] * 2
    ledger.close(app, claimed_by(app, "analyze/2"))
    assert shown(app).finished
    assert shown(app).problem is None


def watch(slot: str) -> int:
    """A push of the schedule's message, as Cloud Scheduler's topic sends it."""
    body = f'{{"message": {{"data": "e30=", "messageId": "1", "publishTime": "{slot}"}}}}'
    function = load_main("watch_jobs").watch_jobs
    return int(function(request_of(body.encode())).status_code)


def test_what_died_with_the_machine_is_started_again(app: App, noted: NotedJobs) -> None:
    jobs.start_job(app, WISH, {"correlation_id": "c"})
    claimed_by(app, "analyze/1")
    assert jobs.restart_dead(app) == 0
    noted.states = {}
    assert jobs.restart_dead(app) == 1
    assert entry(app, "job_analyze")["execution"] == "analyze/2"
    assert noted.started[0] == noted.started[1]
    ledger.close(app, claimed_by(app, "analyze/2"))


def test_a_job_that_begins_while_its_death_is_told_is_not_abandoned(
    app: App, noted: NotedJobs
) -> None:
    """The platform forgot it, but between two looks it wrote to the ledger."""
    jobs.start_job(app, WISH, {})
    noted.states = {}

    class Meanwhile(NotedJobs):
        def state(self, execution: str) -> Any:
            claimed_by(app, execution)
            return super().state(execution)

    assert letters_of(with_jobs(app, Meanwhile())) == []
    assert entry(app, "job_analyze")["state"] == "running"


def test_a_job_has_a_jobs_time(app: App) -> None:
    longer = replace(app, job_timeout_seconds=1000).for_job()
    assert longer.lease_seconds == 1060
    assert longer.limits.deadline_seconds == 800


def test_the_result_of_a_job_is_what_it_emits(app: App) -> None:
    """What an attempt kept before it died is published by the next one."""
    jobs.start_job(app, WISH, {})
    result = VideoAnalyzed(video_id="a" * 32, path="videos/a/b", report_path="analysis/a/1.json")
    ledger.record_results(app, claimed_by(app, "analyze/1"), [result.to_message({})])
    again = claimed_by(app, "analyze/1").results
    assert again is not None
    assert [VideoAnalyzed.from_message(message) for message in again] == [result]
