"""Whatever Google wraps a message in, the same message comes out; anything else is refused."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.envelope import BadEnvelope, open_envelope

DATA = base64.b64encode(b'{"a": 1}').decode()
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "42",
    "source": "//pubsub.googleapis.com/projects/p/topics/t",
    "type": "google.cloud.pubsub.topic.v1.messagePublished",
}
MESSAGE = {"data": DATA, "attributes": {"k": "v"}, "messageId": "42"}


def body(**fields: Any) -> bytes:
    """A JSON body."""
    return json.dumps(fields).encode()


SAME_MESSAGE = {
    "push": ({}, body(message=MESSAGE, subscription="projects/p/subscriptions/s")),
    "push without a subscription": ({}, body(message=MESSAGE)),
    "push with the other spelling": (
        {},
        body(message={"data": DATA, "attributes": {"k": "v"}, "message_id": "42"}),
    ),
    "structured CloudEvent": (
        {"Content-Type": "application/cloudevents+json"},
        body(**EVENT, data={"message": MESSAGE}),
    ),
    "binary CloudEvent": (
        {"Content-Type": "application/json", **{f"ce-{k}": v for k, v in EVENT.items()}},
        body(message=MESSAGE),
    ),
    "background event": (
        {},
        body(
            context={"eventId": "42", "eventType": "google.pubsub.topic.publish"},
            data={"data": DATA, "attributes": {"k": "v"}},
        ),
    ),
    "oldest background event": (
        {},
        body(
            eventId="42",
            eventType="providers/cloud.pubsub/eventTypes/topic.publish",
            data={"data": DATA, "attributes": {"k": "v"}},
        ),
    ),
}


@pytest.mark.parametrize("kind", SAME_MESSAGE)
def test_every_wrapping_holds_the_same_message(kind: str) -> None:
    """Data, attributes and id do not depend on the wrapping."""
    envelope = open_envelope(*SAME_MESSAGE[kind])
    assert envelope.message.data == b'{"a": 1}'
    assert envelope.message.attributes == {"k": "v"}
    assert (envelope.message_id, envelope.attempt) == ("42", 1)


def test_a_push_tells_its_subscription_and_attempt() -> None:
    """The bare subscription and the number that Pub/Sub counts."""
    pushed = body(message=MESSAGE, subscription="projects/p/subscriptions/s", deliveryAttempt=3)
    envelope = open_envelope({}, pushed)
    assert (envelope.subscription, envelope.attempt) == ("s", 3)


@pytest.mark.parametrize("wrapping", ["cloud event", "background event"])
def test_a_storage_event_is_a_finalized_upload(wrapping: str) -> None:
    """What Eventarc would send for an upload reads like a bucket's notification."""
    resource = {"name": "uploads/local/a.mp4", "generation": "7", "size": "3"}
    if wrapping == "cloud event":
        sent = body(**{**EVENT, "type": "google.cloud.storage.object.v1.finalized"}, data=resource)
    else:
        context = {"eventId": "42", "eventType": "google.storage.object.finalize"}
        sent = body(context=context, data=resource)
    message = open_envelope({}, sent).message
    assert json.loads(message.data) == resource
    assert message.attributes == {"eventType": "OBJECT_FINALIZE"}


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": 25},
        {"id": {"a": 1}},
        {"id": None},
        {"source": ""},
        {"type": ""},
        {"specversion": ""},
        {"specversion": "0.9"},
        {"datacontenttype": "xyz"},
        {"datacontenttype": ""},
        {"dataschema": ""},
        {"subject": ""},
        {"time": "lunchtime"},
        {"time": "2018-04-05T18:31Z"},
        {"time": "2018-04-05T18:31:00X"},
        {"time": "2018-04-05T18:31:00+25:00"},
        {"time": "2018-04-05T18:31:00+05"},
        {"time": "2018-13-05T18:31:00Z"},
        {"MyExtension": "bad"},
        {"my.extension": "bad"},
        {"extension": 1.5},
        {"data_base64": "eyAieHl6IjogMTIzIH0="},
    ],
)
def test_an_invalid_cloud_event_is_refused(change: dict[str, Any]) -> None:
    """Each rule of CloudEvents 1.0 that functions-framework lets pass."""
    with pytest.raises(BadEnvelope):
        open_envelope({}, body(**{**EVENT, "data": {"message": MESSAGE}, **change}))


@pytest.mark.parametrize(
    "extra",
    [
        {"time": "2018-04-05T17:31:00Z"},
        {"time": "2018-04-05T17:31:00.000000000Z"},
        {"time": "2018-04-05T18:31:00+01:00"},
        {"datacontenttype": None, "dataschema": None, "subject": None, "time": None},
        {"extinteger": 10, "extboolean": True, "extstring": "text"},
        {"source": "#fragment"},
    ],
)
def test_a_valid_cloud_event_is_taken(extra: dict[str, Any]) -> None:
    """Optional attributes and extensions do not get in the way."""
    sent = body(**{**EVENT, "data": {"message": MESSAGE}, **extra})
    assert open_envelope({}, sent).message.data == b'{"a": 1}'


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"\xff\xfe",
        body(),
        body(message="text"),
        body(message={}),
        body(message={"data": "***"}),
        body(message={"data": DATA, "attributes": {"k": 1}}),
        body(message={"data": 5}),
        body(message={"attributes": ["k"]}),
        body(message=MESSAGE, deliveryAttempt="many"),
        body(context="x"),
        body(context={"eventType": "google.firebase.auth.create", "eventId": "1"}, data={}),
        b"[" * 100_000,
    ],
)
def test_junk_is_refused_and_not_echoed(junk: bytes) -> None:
    """A clear error, never another exception."""
    with pytest.raises(BadEnvelope, match="not a delivery"):
        open_envelope({"Authorization": "Bearer canary"}, junk)


@given(st.binary(max_size=200), st.dictionaries(st.text(max_size=10), st.text(max_size=10)))
def test_no_bytes_break_the_border(junk: bytes, headers: dict[str, str]) -> None:
    """Any bytes with any headers: an envelope or BadEnvelope."""
    try:
        open_envelope(headers, junk)
    except BadEnvelope as problem:
        assert str(problem)  # noqa: PT017 - both outcomes are right
