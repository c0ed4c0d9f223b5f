"""What every stage gets from the handler, shown on small stages with real local adapters."""

import io
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from shared import bootstrap, handler, ledger, logs
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App
from shared.errors import ConfigError, Rejected, RetryLater
from shared.events import DeadLettered, VideoAnalyzed, VideoIngested
from shared.ports import Document
from tests.support.apps import Clock, local_app
from tests.support.pushes import TRACEPARENT, push_of, request_of

VIDEO = VideoIngested(video_id="a" * 32, path="videos/a/source")
RESULT = VideoAnalyzed(video_id="a" * 32, path="videos/a/source", report_path="analysis/a/1.json")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """This process's App for the length of a test, with somebody listening to the results."""
    app = local_app(tmp_path, Clock())
    bus = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("score", VideoAnalyzed.topic())
    bootstrap.use(app)
    yield app
    bootstrap.use(None)


def stage_that(work: Callable[[VideoIngested, App], Any]) -> handler.Function:
    """A stage called analyze that does this."""

    def analyze(video: VideoIngested, app: App) -> VideoAnalyzed:
        result: VideoAnalyzed = work(video, app)
        return result

    return handler.stage(analyze)


def raising(problem: Exception) -> handler.Function:
    """A stage that fails."""

    def work(video: VideoIngested, app: App) -> VideoAnalyzed:
        raise problem

    return stage_that(work)


def published(app: App) -> Sequence[VideoAnalyzed]:
    """What came out, each message once."""
    deliveries = app.bus.pull("score", limit=10)
    return [VideoAnalyzed.from_message(delivery.message) for delivery in deliveries]


def entry(app: App) -> Document:
    """The ledger's record of the event."""
    found = app.documents.get("ledger", ledger.ledger_id("analyze", VIDEO))
    assert found is not None
    return found


def test_work_is_published_and_acknowledged(app: App) -> None:
    """The way it goes on most days."""
    assert stage_that(lambda video, app: RESULT)(push_of(VIDEO)).status_code == 204
    assert published(app) == [RESULT]
    assert entry(app).data["state"] == "done"


def test_a_duplicate_is_acknowledged_without_work(app: App) -> None:
    """The second delivery finds the event done."""
    calls: list[str] = []

    def work(video: VideoIngested, app: App) -> VideoAnalyzed:
        calls.append(video.video_id)
        return RESULT

    analyze = stage_that(work)
    assert [analyze(push_of(VIDEO)).status_code for _ in range(3)] == [204, 204, 204]
    assert len(calls) == len(published(app)) == 1


def test_rejected_is_acknowledged_and_its_reason_kept(app: App) -> None:
    """It would fail for ever."""
    assert raising(Rejected("too long"))(push_of(VIDEO)).status_code == 204
    assert (entry(app).data["state"], entry(app).data["reason"]) == ("rejected", "too long")
    assert published(app) == []


@pytest.mark.parametrize(
    ("problem", "status"),
    [(RetryLater("busy"), 503), (ConfigError("no bucket"), 500), (ValueError("bug"), 500)],
)
def test_other_errors_send_the_message_back(app: App, problem: Exception, status: int) -> None:
    """The claim is given back with the reason, and the next delivery may succeed."""
    answer = raising(problem)(push_of(VIDEO))
    assert answer.status_code == status
    assert str(problem) not in answer.get_data(as_text=True)
    assert entry(app).data["state"] == "retrying"
    assert str(problem) in entry(app).data["reason"]
    assert stage_that(lambda video, app: RESULT)(push_of(VIDEO)).status_code == 204


def test_what_is_being_worked_on_is_sent_back(app: App) -> None:
    """A loser never acknowledges."""
    ledger.claim(app, "analyze", VIDEO, {})
    assert stage_that(lambda video, app: RESULT)(push_of(VIDEO)).status_code == 503


def test_a_crash_between_keeping_and_publishing_repeats_the_same_result(app: App) -> None:
    """What was made once is published, not made again."""
    claim = ledger.claim(app, "analyze", VIDEO, {})
    assert claim is not None
    claim = ledger.record_results(app, claim, [RESULT.to_message({"k": "v"})])
    ledger.release(app, claim, "killed")

    def work(video: VideoIngested, app: App) -> VideoAnalyzed:
        raise AssertionError("made again")

    assert stage_that(work)(push_of(VIDEO)).status_code == 204
    assert published(app) == [RESULT]


@pytest.mark.parametrize(
    "body",
    [b"junk", b"{}", b'{"message": {"data": "e30="}}', b'{"message": {"data": "bm90IGpzb24="}}'],
)
def test_what_is_no_event_is_quarantined_and_acknowledged(app: App, body: bytes) -> None:
    """Anything else would make Pub/Sub repeat it for ever."""
    assert stage_that(lambda video, app: RESULT)(request_of(body)).status_code == 204
    kept = app.documents.query("quarantine").documents
    assert [document.data["body"] for document in kept] == [body.decode()]
    assert published(app) == []


@pytest.mark.parametrize(
    "body", [b"\x00" * 10, b"\xff\xfe{", b"\n\r\x1b[31m", "\ud800".encode("utf-8", "surrogatepass")]
)
def test_bytes_that_no_store_holds_are_quarantined_as_what_can_be_shown(
    app: App, body: bytes
) -> None:
    """Keeping them must not fail for what they are."""
    assert stage_that(lambda video, app: RESULT)(request_of(body)).status_code == 204
    (kept,) = app.documents.query("quarantine").documents
    assert kept.data["body_bytes"] == len(body)
    assert kept.data["body"].isprintable()


def test_an_oversized_body_is_quarantined_unread(app: App) -> None:
    """The limit is looked at before the body."""
    body = b"x" * (app.push_max_bytes + 1)
    assert stage_that(lambda video, app: RESULT)(request_of(body)).status_code == 204
    assert app.documents.query("quarantine").documents[0].data["code"] == "body_too_large"


def test_another_payload_under_a_known_identity_is_quarantined(app: App) -> None:
    """It gets neither the stored answer nor a second run."""
    analyze = stage_that(lambda video, app: RESULT)
    analyze(push_of(VIDEO))
    changed = VIDEO.model_copy(update={"path": "videos/b/source"})
    assert analyze(push_of(changed)).status_code == 204
    kept = app.documents.query("quarantine").documents
    assert [document.data["code"] for document in kept] == ["different_payload"]


@pytest.mark.parametrize("reason", ["a\0b", "\ud800", "x" * 3_000_000, "a\nb"])
def test_a_reason_that_no_store_holds_is_kept_as_far_as_it_can_be(app: App, reason: str) -> None:
    """The words of an error come from outside as well."""
    assert raising(RetryLater(reason))(push_of(VIDEO)).status_code == 503
    assert entry(app).data["state"] == "retrying"
    assert raising(Rejected(reason))(push_of(VIDEO)).status_code == 204
    assert entry(app).data["state"] == "rejected"


@pytest.mark.parametrize("given", ["a\0b", "x" * 900, "a\nb", "", "€"])
def test_a_correlation_id_from_outside_is_taken_only_when_it_is_one(app: App, given: str) -> None:
    """It goes into documents and log lines."""
    stage_that(lambda video, app: RESULT)(push_of(VIDEO, correlation_id=given))
    assert entry(app).data["correlation_id"].isalnum()


def test_a_look_at_the_progress_that_fails_does_not_fail_the_work(app: App) -> None:
    """A locked database costs a picture, not an analysis."""
    clock = app.now
    assert isinstance(clock, Clock)

    def work(video: VideoIngested, app: App) -> VideoAnalyzed:
        documents = app.documents
        clock.pass_seconds(5)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(type(documents), "commit", locked)
            app.progress(0.5, "decoding")
        return RESULT

    assert stage_that(work)(push_of(VIDEO)).status_code == 204


def locked(*arguments: Any) -> None:
    """A commit that comes at a bad time."""
    raise RetryLater("the database is locked")


def test_results_that_no_document_holds_are_not_acknowledged(app: App) -> None:
    """A mistake of ours must be seen as a dead letter, not vanish as a refusal."""
    many = [RESULT.model_copy(update={"run": n}) for n in range(1, 6000)]
    assert stage_that(lambda video, app: many)(push_of(VIDEO)).status_code == 500
    assert entry(app).data["state"] == "retrying"


def test_trace_and_correlation_go_from_message_to_message(app: App) -> None:
    """Same trace, new span, same correlation id."""
    push = push_of(VIDEO, traceparent=TRACEPARENT, correlation_id="first")
    stage_that(lambda video, app: RESULT)(push)
    attributes = app.bus.pull("score")[0].message.attributes
    assert attributes["correlation_id"] == "first"
    assert attributes["traceparent"].split("-")[1] == TRACEPARENT.split("-")[1]
    assert attributes["traceparent"].split("-")[2] != TRACEPARENT.split("-")[2]
    assert entry(app).data["traceparent"] == attributes["traceparent"]


def test_duplicates_without_a_correlation_id_get_the_same_one(app: App) -> None:
    """It follows from the event, so that retries can be found together."""
    analyze = raising(RetryLater("busy"))
    analyze(push_of(VIDEO))
    first = entry(app).data["correlation_id"]
    analyze(push_of(VIDEO))
    assert entry(app).data["correlation_id"] == first


def test_a_stage_sees_only_the_tenant_of_its_event(app: App) -> None:
    """The App that a stage gets is that of the event's tenant."""
    seen: list[str] = []

    def work(video: VideoIngested, app: App) -> VideoAnalyzed:
        seen.append(app.tenant_id)
        app.files.write("analysis/a", b"theirs")
        return RESULT.model_copy(update={"tenant_id": app.tenant_id})

    stage_that(work)(push_of(VIDEO.model_copy(update={"tenant_id": "acme"})))
    assert seen == ["acme"]
    assert app.files.info("analysis/a") is None
    assert app.for_tenant("acme").files.read("analysis/a") == b"theirs"


def test_progress_is_shown_on_the_asset(app: App) -> None:
    """What the terminal and the page show while a stage runs."""
    clock = app.now
    assert isinstance(clock, Clock)

    def work(video: VideoIngested, app: App) -> VideoAnalyzed:
        clock.pass_seconds(1)
        app.progress(0.4, "decoding")
        asset = app.documents.get("assets", video.video_id)
        assert asset is not None
        assert asset.data["stages"]["analyze"]["progress"] == 0.4
        assert asset.data["stages"]["analyze"]["state"] == "running"
        return RESULT

    assert stage_that(work)(push_of(VIDEO)).status_code == 204


def test_a_stage_without_an_event_annotation_is_refused() -> None:
    """The signature is the contract, so it must be there."""

    def analyze(video: str, app: App) -> None:
        """Takes no event."""

    with pytest.raises(TypeError, match="annotated with an Event"):
        handler.stage(analyze)


def test_log_lines_are_what_cloud_logging_reads(app: App) -> None:
    """Severity, trace, span, stage and tenant on every line, and the stack of an exception."""
    stream = io.StringIO()
    lines = logging.StreamHandler(stream)
    lines.setFormatter(logs.CloudFormatter("p"))
    logging.getLogger("geminivideo").addHandler(lines)
    try:
        raising(ValueError("bug"))(push_of(VIDEO, traceparent=TRACEPARENT))
    finally:
        logging.getLogger("geminivideo").removeHandler(lines)
    written = [json.loads(line) for line in stream.getvalue().splitlines()]
    failed = next(line for line in written if "stack_trace" in line)
    trace = f"projects/p/traces/{TRACEPARENT.split('-')[1]}"
    assert failed["severity"] == "ERROR"
    assert {line["logging.googleapis.com/trace"] for line in written} == {trace}
    assert failed["stage"] == "analyze"
    assert failed["tenant_id"] == "local"


def webhook_that(work: Callable[[handler.WebhookCall, App], handler.WebhookAnswer]) -> Any:
    """A webhook called capi that does this."""

    def capi(call: handler.WebhookCall, app: App) -> handler.WebhookAnswer:
        return work(call, app)

    return handler.webhook(capi)


def test_a_webhook_answers_after_the_bus_has_stored(app: App) -> None:
    """The caller's 200 means that nothing is lost."""
    capi = webhook_that(lambda call, app: handler.WebhookAnswer([RESULT], text="ok"))
    answer = capi(request_of(b"{}"))
    assert (answer.status_code, answer.get_data()) == (200, b"ok")
    assert published(app) == [RESULT]


@pytest.mark.parametrize(
    ("problem", "status"),
    [
        (handler.Unauthorized("no"), 401),
        (handler.BodyTooLarge("no"), 413),
        (Rejected("no"), 400),
        (RetryLater("no"), 503),
        (ValueError("no"), 500),
    ],
)
def test_a_webhook_tells_its_caller_what_to_do(app: App, problem: Exception, status: int) -> None:
    """4xx: do not send it again; 5xx: do. The caller's words are not repeated."""

    def work(call: handler.WebhookCall, app: App) -> handler.WebhookAnswer:
        assert call.body == b"canary"
        raise problem

    answer = webhook_that(work)(request_of(b"canary", Authorization="Bearer canary"))
    assert answer.status_code == status
    assert b"canary" not in answer.get_data() + str(answer.headers).encode()


def test_a_dead_letter_is_read_from_what_pubsub_forwards() -> None:
    """Source and count come as attributes; the message is kept as it was."""
    message = VIDEO.to_message({"correlation_id": "c"})
    source = {
        "CloudPubSubDeadLetterSourceSubscription": "analyze",
        "CloudPubSubDeadLetterSourceDeliveryCount": "10",
    }
    forwarded = type(message)("", message.data, {**message.attributes, **source})
    letter = DeadLettered.from_message(forwarded)
    assert (letter.source_subscription, letter.delivery_count) == ("analyze", 10)
    assert VideoIngested.from_message(letter.message) == VIDEO
