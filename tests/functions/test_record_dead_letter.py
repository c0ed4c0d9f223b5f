"""A message that was given up: kept, shown as failed, told, and put back by a replay."""

import logging
from pathlib import Path

import pytest

from scripts.cli.replay import replay_one
from scripts.stages import chain_from, read_stages
from shared import ledger
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App
from shared.events import DeadLettered, Message, UploadFinalized, VideoIngested
from shared.status import list_status
from tests.support.apps import Clock, local_app
from tests.support.stages import work_of

VIDEO = VideoIngested(video_id="a" * 32, path="videos/a/source")
CHAIN = chain_from(read_stages(), UploadFinalized.topic())


def letter_of(message: Message, subscription: str = "analyze") -> DeadLettered:
    """What Pub/Sub forwards after ten deliveries."""
    source = {
        "CloudPubSubDeadLetterSourceSubscription": subscription,
        "CloudPubSubDeadLetterSourceDeliveryCount": "10",
    }
    return DeadLettered.from_message(
        Message("dead-lettered", message.data, {**message.attributes, **source})
    )


def test_the_video_is_shown_as_failed_with_the_last_reason(app: App) -> None:
    """What people see is not the queue but the video."""
    claim = ledger.claim(app, "analyze", VIDEO, {})
    assert claim is not None
    ledger.release(app, claim, "reader_failed: out of disk")
    work_of("record_dead_letter")(letter_of(VIDEO.to_message({})), app)
    (status,) = list_status(app, CHAIN)
    assert status.problem is not None
    assert status.problem.state == "failed"
    assert "given up after 10 deliveries" in status.problem.reason
    assert "out of disk" in status.problem.reason


def test_somebody_is_told(app: App, caplog: pytest.LogCaptureFixture) -> None:
    """An alert, not only a record."""
    with caplog.at_level(logging.INFO):
        work_of("record_dead_letter")(letter_of(VIDEO.to_message({})), app)
    assert "analyze: a message is lost until replayed" in caplog.text


@pytest.mark.parametrize("data", [b"", b"junk", b"\xff\x00", b'{"video_id": 1}'])
def test_a_letter_that_is_no_event_is_kept_too(app: App, data: bytes) -> None:
    """Its bytes may still explain what happened."""
    letter = letter_of(Message("", data, {"topic": "video-ingested", "tenant_id": "NO SUCH"}))
    work_of("record_dead_letter")(letter, app)
    kept = DeadLettered.model_validate_json(app.files.read(f"dead-letters/{letter.letter_id}.json"))
    assert kept.message.data == data
    assert len(app.documents.query("dead_letters").documents) == 1


def test_a_replay_puts_the_message_back_once(tmp_path: Path) -> None:
    """As it came, and only once; a second replay finds it done."""
    app = local_app(tmp_path, Clock())
    bus = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("analyze", VideoIngested.topic())
    sent = VIDEO.to_message({"correlation_id": "c"})
    work_of("record_dead_letter")(letter_of(sent), app)
    (letter,) = app.documents.query("dead_letters").documents
    assert replay_one(app, letter)
    (delivery,) = bus.pull("analyze")
    assert (delivery.message.data, delivery.message.attributes) == (sent.data, sent.attributes)
    (letter,) = app.documents.query("dead_letters").documents
    assert not replay_one(app, letter)


def test_a_replayed_message_that_dies_again_is_another_letter(app: App) -> None:
    """It was published at another time; nothing of it may be lost in silence."""
    ids = set()
    for published in ("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"):
        source = {
            "CloudPubSubDeadLetterSourceSubscription": "analyze",
            "CloudPubSubDeadLetterSourceTopicPublishTime": published,
        }
        sent = VIDEO.to_message({})
        forwarded = Message("", sent.data, {**sent.attributes, **source})
        ids.add(DeadLettered.from_message(forwarded).letter_id)
    assert len(ids) == 2


def test_what_failed_runs_again_after_a_replay(app: App) -> None:
    """Failed is a state that a new delivery may leave."""
    work_of("record_dead_letter")(letter_of(VIDEO.to_message({})), app)
    assert ledger.claim(app, "analyze", VIDEO, {}) is not None
