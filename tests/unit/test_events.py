"""Events survive the wire, and what only looks like one is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.errors import Rejected
from shared.events import (
    BadMessage,
    DeadLettered,
    Event,
    JobsDue,
    Message,
    UploadFinalized,
    VideoAnalyzed,
    VideoIngested,
    event_of,
)
from shared.file_paths import check_path

VIDEO_ID = "0123456789abcdef" * 2
TRACE = {"correlation_id": "c", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}

TENANTS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True)
VIDEO_IDS = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
RUNS = st.integers(1, 10**6)
SEGMENTS = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"),
    min_size=1,
    max_size=40,
).filter(lambda segment: segment not in (".", ".."))
RESTS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
PATHS = st.tuples(SEGMENTS, RESTS).map("/".join)

UPLOADS = st.builds(
    UploadFinalized,
    tenant_id=TENANTS,
    run=RUNS,
    path=RESTS.map("uploads/{}".format),
    generation=st.integers(0, 10**20 - 1),
    size_bytes=st.integers(0, 10**12),
)
INGESTED = st.builds(VideoIngested, tenant_id=TENANTS, run=RUNS, video_id=VIDEO_IDS, path=PATHS)
ANALYZED = st.builds(
    VideoAnalyzed,
    tenant_id=TENANTS,
    run=RUNS,
    video_id=VIDEO_IDS,
    path=PATHS,
    report_path=PATHS,
)
ATTACKS = [
    "",
    "name",
    "/etc/passwd",
    "uploads/",
    "uploads//name",
    "uploads/../other/name",
    "uploads/..",
    "uploads/.",
    "./uploads/name",
    "uploads/name/",
    "uploads/a\0b",
    "uploads/a\nb",
    "uploads/a\x7fb",
    "uploads/\udc80",
    "uploads/" + "a" * 893,
    "uploads/" + "é" * 447,
]


def resource(**changes: Any) -> Message:
    """A notification of Cloud Storage with some fields changed; None takes a field away."""
    fields = {"name": "uploads/acme/ad.mp4", "generation": "17", "size": "5"} | changes
    kept = {name: value for name, value in fields.items() if value is not None}
    return Message("upload-finalized", json.dumps(kept).encode())


def ingested(**changes: Any) -> Message:
    """The message of an ingested video with some fields changed."""
    fields = {"tenant_id": "acme", "video_id": VIDEO_ID, "path": "videos/a.mp4"} | changes
    return Message("video-ingested", json.dumps(fields).encode())


@settings(deadline=None)
@given(PATHS)
def test_a_path_of_any_script_is_returned_unchanged(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", ["a/b", "uploads/...", "uploads/..a", "a/ ", "a/" + "x" * 898])
def test_odd_names_that_stay_inside_are_paths(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", ATTACKS)
def test_a_path_that_could_leave_its_tenant_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        check_path(path)
    with pytest.raises(BadMessage, match="path"):
        event_of(ingested(path=path))


@settings(deadline=None)
@given(st.text())
def test_whatever_is_taken_as_a_path_has_only_plain_segments(text: str) -> None:
    try:
        segments = check_path(text).split("/")
    except ValueError:
        return
    assert len(segments) >= 2
    assert not {"", ".", ".."} & set(segments)
    assert len(text.encode()) <= 900


@settings(deadline=None)
@given(st.one_of(UPLOADS, INGESTED, ANALYZED))
def test_an_event_survives_the_wire(event: Event) -> None:
    message = event.to_message(TRACE)
    assert event_of(message) == event
    assert type(event).from_message(message) == event
    assert message.topic == event.topic()
    assert message.attributes.items() >= TRACE.items()
    assert all(isinstance(value, str) for value in message.attributes.values())


@settings(deadline=None)
@given(st.one_of(UPLOADS, INGESTED, ANALYZED))
def test_an_event_that_lost_its_topic_is_known_by_its_attributes(event: Event) -> None:
    message = event.to_message(TRACE)
    assert event_of(Message("", message.data, message.attributes)) == event


def test_topics_are_class_names_with_hyphens() -> None:
    topics = {event.topic() for event in Event.__subclasses__()}
    assert topics >= {"upload-finalized", "video-ingested", "video-analyzed", "dead-lettered"}


JUNK = [
    b"",
    b"\xff\xfe",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b"{",
    b"{}",
    b"NaN",
    b"1" * 5000,
    b"\x00" * 100,
]


@pytest.mark.parametrize("data", JUNK)
@pytest.mark.parametrize("topic", ["upload-finalized", "video-ingested", "video-analyzed"])
def test_junk_is_a_bad_message(topic: str, data: bytes) -> None:
    with pytest.raises(BadMessage):
        event_of(Message(topic, data))


@pytest.mark.parametrize("data", [b"[" * 200_000, b'{"a":' * 200_000], ids=["lists", "objects"])
@pytest.mark.parametrize("topic", ["upload-finalized", "video-ingested"])
def test_json_that_is_nested_too_deeply_is_a_bad_message(topic: str, data: bytes) -> None:
    with pytest.raises(BadMessage):
        event_of(Message(topic, data))


@settings(deadline=None)
@given(st.sampled_from(["upload-finalized", "video-ingested"]), st.binary(max_size=300))
def test_random_bytes_are_a_bad_message(topic: str, data: bytes) -> None:
    with pytest.raises(BadMessage):
        event_of(Message(topic, data))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ["tenant_id", "video_id", "path", "run", "name", "generation", "size"]


@settings(deadline=None)
@given(
    st.sampled_from(["upload-finalized", "video-ingested"]),
    st.dictionaries(st.sampled_from(FIELDS), JSON_VALUES),
)
def test_any_json_is_an_event_or_a_bad_message(topic: str, fields: dict[str, Any]) -> None:
    message = Message(topic, json.dumps(fields).encode())
    try:
        event = event_of(message)
    except BadMessage:
        return
    assert event_of(event.to_message({})) == event


def test_a_bad_message_is_rejected_for_good() -> None:
    assert issubclass(BadMessage, Rejected)
    with pytest.raises(BadMessage) as caught:
        event_of(Message("video-ingested", b"{}"))
    assert caught.value.code == "bad_message"


@pytest.mark.parametrize("topic", ["", "event", "record", "video_ingested", "VideoIngested", "x"])
def test_a_topic_that_nobody_knows_is_refused_with_those_known(topic: str) -> None:
    with pytest.raises(BadMessage, match=r"is not one of .*video-analyzed"):
        event_of(Message(topic, b"{}"))


@pytest.mark.parametrize(
    "tenant_id", ["", "A", "a/b", "..", "-a", "a_b", "a\n", "a" * 64, "ä", 7, None, ["a"], "a\0"]
)
def test_a_tenant_that_is_not_one_is_refused(tenant_id: object) -> None:
    with pytest.raises(BadMessage, match="tenant_id"):
        event_of(ingested(tenant_id=tenant_id))


@pytest.mark.parametrize("video_id", ["", VIDEO_ID + "\n", VIDEO_ID.upper(), "../" + VIDEO_ID, 7])
def test_a_video_id_that_is_not_one_is_refused(video_id: object) -> None:
    with pytest.raises(BadMessage, match="video_id"):
        event_of(ingested(video_id=video_id))


@pytest.mark.parametrize("run", [0, -1, 1.5, "x", None, float("inf")])
def test_a_run_that_is_not_a_count_is_refused(run: object) -> None:
    with pytest.raises(BadMessage, match="run"):
        event_of(ingested(run=run))


@pytest.mark.parametrize(("generation", "size"), [("17", "5"), (17, 5), ("17", 5), (17, "5")])
def test_a_notification_is_read_with_numbers_as_strings_or_as_numbers(
    generation: object, size: object
) -> None:
    upload = event_of(resource(generation=generation, size=size))
    assert upload == UploadFinalized(
        tenant_id="acme", path="uploads/ad.mp4", generation="17", size_bytes=5
    )


def test_a_real_notification_with_its_many_other_fields_is_read() -> None:
    attributes = {
        "eventType": "OBJECT_FINALIZE",
        "payloadFormat": "JSON_API_V1",
        "bucketId": "ads",
        "objectId": "uploads/acme/deep/er/ad.mp4",
        "objectGeneration": "1763719200000000",
        "notificationConfig": "projects/_/buckets/ads/notificationConfigs/1",
    }
    body = {
        "kind": "storage#object",
        "id": "ads/uploads/acme/deep/er/ad.mp4/1763719200000000",
        "name": "uploads/acme/deep/er/ad.mp4",
        "bucket": "ads",
        "generation": "1763719200000000",
        "metageneration": "1",
        "contentType": "video/mp4",
        "size": "1048576",
        "crc32c": "AAAAAA==",
    }
    upload = event_of(Message("", json.dumps(body).encode(), attributes))
    assert isinstance(upload, UploadFinalized)
    assert (upload.tenant_id, upload.path) == ("acme", "uploads/deep/er/ad.mp4")
    assert (upload.name, upload.size_bytes, upload.run) == ("ad.mp4", 1_048_576, 1)


@pytest.mark.parametrize("event_type", ["OBJECT_DELETE", "OBJECT_ARCHIVE", "", "object_finalize"])
def test_a_notification_of_anything_but_a_new_file_is_refused(event_type: str) -> None:
    message = Message("upload-finalized", resource().data, {"eventType": event_type})
    with pytest.raises(BadMessage, match="is not OBJECT_FINALIZE"):
        event_of(message)


@pytest.mark.parametrize(
    "name",
    [
        None,
        "",
        17,
        "ad.mp4",
        "uploads/ad.mp4",
        "uploads//ad.mp4",
        "uploads/acme/",
        "uploads/acme//ad.mp4",
        "uploads/../ad.mp4",
        "uploads/acme/../other/ad.mp4",
        "uploads/ACME/ad.mp4",
        "Uploads/acme/ad.mp4",
        "analysis/acme/ad.mp4",
        "/uploads/acme/ad.mp4",
        "uploads/acme/a\nb.mp4",
    ],
)
def test_an_object_outside_every_tenants_uploads_is_refused(name: object) -> None:
    with pytest.raises(BadMessage):
        event_of(resource(name=name))


@pytest.mark.parametrize("generation", [None, "", "x", "-1", -1, 1.5, True, "1" * 21, "1\n", "١"])
def test_a_generation_that_is_not_a_number_is_refused(generation: object) -> None:
    with pytest.raises(BadMessage, match="generation"):
        event_of(resource(generation=generation))


@pytest.mark.parametrize("size", [None, "", "-1", "many", 1.5])
def test_a_size_that_is_not_a_count_of_bytes_is_refused(size: object) -> None:
    with pytest.raises(BadMessage, match="size_bytes"):
        event_of(resource(size=size))


@settings(deadline=None)
@given(UPLOADS, UPLOADS)
def test_an_upload_id_names_one_content_of_one_path_of_one_tenant(
    first: UploadFinalized, second: UploadFinalized
) -> None:
    same = [(e.tenant_id, e.path, e.generation) for e in (first, second)]
    assert (first.upload_id == second.upload_id) == (same[0] == same[1])
    again = first.model_copy(update={"run": first.run + 1, "size_bytes": 0})
    assert again.upload_id == first.upload_id
    assert again.identity != first.identity
    assert first.subject_id == first.upload_id


@settings(deadline=None)
@given(st.one_of(UPLOADS, INGESTED, ANALYZED))
def test_an_identity_is_safe_as_the_id_of_a_document(event: Event) -> None:
    assert set(event.identity) <= set("0123456789abcdef-")
    assert event.identity.endswith(f"-{event.run}")


@pytest.mark.parametrize("name", VideoIngested.model_fields)
def test_an_event_cannot_be_changed(name: str) -> None:
    event = VideoIngested(video_id=VIDEO_ID, path="videos/a.mp4")
    with pytest.raises(ValidationError, match="frozen"):
        setattr(event, name, getattr(event, name))


@settings(deadline=None)
@given(st.binary(), st.dictionaries(st.text(), st.text()), TENANTS)
def test_a_dead_letter_keeps_body_and_attributes_as_they_came(
    data: bytes, attributes: dict[str, str], tenant_id: str
) -> None:
    kept = attributes | {"tenant_id": tenant_id, "topic": "video-ingested"}
    source = {
        "CloudPubSubDeadLetterSourceSubscription": "analyze",
        "CloudPubSubDeadLetterSourceDeliveryCount": "10",
    }
    letter = event_of(Message("dead-lettered", data, kept | source))
    assert isinstance(letter, DeadLettered)
    assert (letter.source_subscription, letter.delivery_count) == ("analyze", 10)
    assert letter.tenant_id == tenant_id
    assert base64.b64decode(letter.body) == letter.message.data == data
    assert letter.message.attributes == kept


def test_the_same_dead_letter_has_one_id_and_another_one_another() -> None:
    def letter_id(data: bytes, **attributes: str) -> str:
        letter = event_of(Message("dead-lettered", data, attributes))
        assert isinstance(letter, DeadLettered)
        return letter.letter_id

    first = letter_id(b"a", CloudPubSubDeadLetterSourceDeliveryCount="5")
    assert first == letter_id(b"a", CloudPubSubDeadLetterSourceDeliveryCount="6")
    others = [
        letter_id(b"b"),
        letter_id(b"a", topic="t"),
        letter_id(b"a", CloudPubSubDeadLetterSourceSubscription="s"),
    ]
    assert len({first, *others}) == 4


def test_a_letter_of_ours_reads_like_one_of_pubsub() -> None:
    message = VideoIngested(video_id=VIDEO_ID, path="videos/a.mp4").to_message({"traceparent": "t"})
    facts = {"source_subscription": "job-analyze", "delivery_count": 2, "published": "analyze/1"}
    letter = DeadLettered.about(message, **facts)  # type: ignore[arg-type]
    sent = letter.to_message({"correlation_id": "of the watcher"})
    assert event_of(sent) == letter == DeadLettered.about(message, **facts)  # type: ignore[arg-type]
    assert letter.message.attributes == message.attributes
    assert DeadLettered.about(message, **{**facts, "published": "analyze/2"}) != letter  # type: ignore[arg-type]


@given(st.integers(0, 10**6), st.integers(-149, 149))
def test_messages_of_one_slot_are_one_fact(slot: int, late_seconds: int) -> None:
    """Cloud Scheduler's message says nothing: its slot is the nearest to when it was published."""
    at = datetime.fromtimestamp(1_700_000_100 + 300 * slot, UTC)
    on_time, late = (
        JobsDue.from_message(Message("", b"{}", {}, moment))
        for moment in (at, at + timedelta(seconds=late_seconds))
    )
    assert on_time == late
    assert on_time.occasion == at.strftime("%Y%m%dT%H%M%SZ")
    local = Message("jobs-due", b"{}", {"slot": at.isoformat()}, at + timedelta(days=1))
    assert event_of(local) == on_time


def test_a_run_on_demand_swallows_no_slot() -> None:
    asked = JobsDue.from_message(Message("", b"{}", {"request_id": "abc"}))
    assert asked.occasion == "request-abc"


@pytest.mark.parametrize(
    "attributes", [{}, {"slot": "noon"}, {"request_id": "../x"}, {"request_id": "x" * 99}]
)
def test_a_schedule_without_a_turn_is_refused(attributes: dict[str, str]) -> None:
    with pytest.raises(BadMessage):
        JobsDue.from_message(Message("", b"{}", attributes))
