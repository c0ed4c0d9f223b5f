"""The ledger: one holder at a time, late writers refused, results kept before publishing."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared import ledger
from shared.app import App
from shared.errors import Conflict, Rejected, RetryLater
from shared.events import Message, VideoIngested
from tests.support.apps import Clock, local_app

VIDEO = VideoIngested(video_id="a" * 32, path="videos/a/source")
TRACE = {"correlation_id": "c", "traceparent": "t"}


@pytest.fixture
def clock() -> Clock:
    """A clock to turn."""
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> App:
    """An App that follows the clock."""
    return local_app(tmp_path, clock)


def take(app: App, video: VideoIngested = VIDEO) -> ledger.Claim:
    """A claim that must succeed."""
    claim = ledger.claim(app, "analyze", video, TRACE)
    assert claim is not None
    return claim


def shown(app: App) -> dict[str, object]:
    """What the asset says about the stage."""
    asset = app.documents.get("assets", VIDEO.video_id)
    assert asset is not None
    stage: dict[str, object] = asset.data["stages"]["analyze"]
    return stage


def test_a_second_claim_is_told_to_come_again(app: App) -> None:
    """While the lease holds, nobody else works on the event."""
    take(app)
    with pytest.raises(ledger.Leased):
        take(app)


def test_a_lease_that_ran_out_is_taken_over_with_the_next_attempt(app: App, clock: Clock) -> None:
    """A crash leaves a running claim behind; the next one counts on."""
    take(app)
    clock.pass_seconds(app.lease_seconds + 1)
    assert take(app).record["attempt"] == 2


def test_a_holder_that_wakes_after_its_lease_is_refused(app: App, clock: Clock) -> None:
    """Every late write of the zombie expects a version that is gone."""
    zombie = take(app)
    clock.pass_seconds(app.lease_seconds + 1)
    successor = take(app)
    ledger.close(app, successor)
    for late_write in (
        lambda: ledger.record_results(app, zombie, []),
        lambda: ledger.close(app, zombie),
        lambda: ledger.release(app, zombie, "late"),
        lambda: ledger.reject(app, zombie, Rejected("late")),
    ):
        with pytest.raises(Conflict):
            late_write()
    assert shown(app)["state"] == "done"


def test_what_is_done_is_not_claimed_again(app: App) -> None:
    """A duplicate of a finished event is told so."""
    ledger.close(app, take(app))
    assert ledger.claim(app, "analyze", VIDEO, TRACE) is None


def test_what_is_rejected_is_not_claimed_again(app: App) -> None:
    """The reason stays where people look."""
    ledger.reject(app, take(app), ledger.DifferentPayload("no good"))
    assert ledger.claim(app, "analyze", VIDEO, TRACE) is None
    assert (shown(app)["state"], shown(app)["reason"]) == ("rejected", "no good")
    assert shown(app)["code"] == "different_payload"


def test_a_released_claim_can_be_taken_at_once(app: App) -> None:
    """A failed attempt shows its reason until the next one succeeds."""
    ledger.release(app, take(app), "disk full")
    assert (shown(app)["state"], shown(app)["reason"]) == ("retrying", "disk full")
    assert take(app).record["attempt"] == 2


def test_results_outlive_a_crash_before_publishing(app: App, clock: Clock) -> None:
    """The next holder publishes what the first one made, and does not make it again."""
    made = [Message("video-analyzed", b'{"x": 1}', {"k": "v"})]
    ledger.record_results(app, take(app), made)
    clock.pass_seconds(app.lease_seconds + 1)
    assert take(app).results == made


def test_the_same_identity_with_another_content_is_refused(app: App) -> None:
    """It is not a duplicate, and must not get the stored answer."""
    ledger.close(app, take(app))
    with pytest.raises(ledger.DifferentPayload):
        take(app, VIDEO.model_copy(update={"path": "videos/b/source"}))


def test_a_new_run_is_a_new_event(app: App) -> None:
    """Repeating on purpose is possible."""
    ledger.close(app, take(app))
    assert take(app, VIDEO.model_copy(update={"run": 2})).record["attempt"] == 1


def test_of_many_claims_at_once_one_wins(app: App) -> None:
    """Sixteen workers, one event, one holder."""

    def attempt(_: int) -> bool:
        try:
            return ledger.claim(app, "analyze", VIDEO, TRACE) is not None
        except RetryLater:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(16))) == 1


def test_a_dead_letter_shows_the_last_reason_and_can_be_replayed(app: App) -> None:
    """Failed is not the end: a replay may claim it."""
    ledger.release(app, take(app), "no memory")
    ledger.fail(app, "analyze", VIDEO, "given up after 10 deliveries")
    assert shown(app)["state"] == "failed"
    assert shown(app)["reason"] == "given up after 10 deliveries: no memory"
    assert take(app).record["attempt"] == 2


def test_a_dead_letter_of_what_was_done_meanwhile_changes_nothing(app: App) -> None:
    """The result counts, not the message that gave up."""
    ledger.close(app, take(app))
    ledger.fail(app, "analyze", VIDEO, "given up")
    assert shown(app)["state"] == "done"


def test_a_dead_letter_waits_for_a_holder_that_still_works(app: App) -> None:
    """It may still succeed."""
    take(app)
    with pytest.raises(ledger.Leased):
        ledger.fail(app, "analyze", VIDEO, "given up")


def test_leases_of_dead_processes_are_given_back(app: App) -> None:
    """What the local stack does when it starts again."""
    for letter in "abc":
        take(app, VIDEO.model_copy(update={"video_id": letter * 32}))
    assert ledger.free_leases(app) == 3
    assert take(app).record["attempt"] == 2


def test_the_claims_of_one_tenant_are_not_those_of_another(app: App) -> None:
    """The same event of two tenants is two pieces of work."""
    take(app)
    other = VIDEO.model_copy(update={"tenant_id": "other"})
    assert ledger.claim(app.for_tenant("other"), "analyze", other, TRACE) is not None


def test_every_document_of_the_work_carries_its_trace(app: App) -> None:
    """Ledger and asset name the correlation id and the span."""
    take(app)
    for kind, key in (("ledger", ledger.ledger_id("analyze", VIDEO)), ("assets", VIDEO.video_id)):
        document = app.documents.get(kind, key)
        assert document is not None
        assert (document.data["correlation_id"], document.data["traceparent"]) == ("c", "t")
