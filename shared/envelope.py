"""Opens what Google delivers: Pub/Sub pushes, CloudEvents and the older background events."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictStr,
    ValidationError,
    model_validator,
)

from shared.errors import Rejected
from shared.events import Message

PUBSUB_TYPE = "google.cloud.pubsub.topic.v1.messagePublished"
STORAGE_TYPE = "google.cloud.storage.object.v1.finalized"
LEGACY_TYPES = {
    "google.pubsub.topic.publish": PUBSUB_TYPE,
    "providers/cloud.pubsub/eventTypes/topic.publish": PUBSUB_TYPE,
    "google.storage.object.finalize": STORAGE_TYPE,
}


class BadEnvelope(Rejected):
    """A request that is no delivery of any kind that Google documents."""


@dataclass(frozen=True)
class Envelope:
    """One delivery: the message, and what the sender said about it."""

    message: Message
    message_id: str
    attempt: int
    subscription: str


def _rfc3339(text: str) -> str:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", text):
        raise ValueError(f"{text!r} is not a time of RFC 3339")
    _moment(text)
    return text


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))


NonEmpty = Annotated[StrictStr, Field(min_length=1)]


class _CloudEvent(BaseModel):
    """CloudEvents 1.0, section "Context Attributes"."""

    model_config = ConfigDict(extra="allow")

    id: NonEmpty
    source: NonEmpty
    type: NonEmpty
    specversion: Annotated[StrictStr, Field(pattern=r"^1\.0$")]
    datacontenttype: Annotated[StrictStr, Field(pattern=r"^[^/\s]+/[^/\s]+")] | None = None
    dataschema: NonEmpty | None = None
    subject: NonEmpty | None = None
    time: Annotated[StrictStr, AfterValidator(_rfc3339)] | None = None
    data: Any = None
    data_base64: StrictStr | None = None

    @model_validator(mode="after")
    def _check_extensions(self) -> "_CloudEvent":
        if self.data is not None and self.data_base64 is not None:
            raise ValueError("data and data_base64 exclude each other")
        for name, value in (self.model_extra or {}).items():
            if not re.fullmatch(r"[a-z0-9]+", name):
                raise ValueError(f"extension {name!r} is not lower-case letters and digits")
            if value is not None and not isinstance(value, str | int):
                raise ValueError(f"extension {name!r} is neither text, whole number nor boolean")
        return self


class _PubsubMessage(BaseModel):
    """Pub/Sub's REST resource PubsubMessage, whose ids Google spells in two ways."""

    model_config = ConfigDict(extra="ignore")

    data: StrictStr = ""
    attributes: dict[StrictStr, StrictStr] = Field(default_factory=dict)
    messageId: StrictStr = ""  # noqa: N815 - the wire's own name
    message_id: StrictStr = ""
    publishTime: Annotated[StrictStr, AfterValidator(_rfc3339)] | None = None  # noqa: N815 - the wire's own name

    @model_validator(mode="after")
    def _check_content(self) -> "_PubsubMessage":
        if not self.data and not self.attributes:
            raise ValueError("neither data nor attributes")
        return self


class _Push(BaseModel):
    """The body of a push request."""

    model_config = ConfigDict(extra="ignore")

    message: _PubsubMessage
    subscription: StrictStr = ""
    deliveryAttempt: Annotated[int, Field(ge=0, strict=True)] = 1  # noqa: N815 - the wire's own name


def open_envelope(headers: Mapping[str, str], body: bytes) -> Envelope:
    """The message inside a delivery, however it was wrapped; raises BadEnvelope."""
    try:
        return _open({name.lower(): value for name, value in headers.items()}, body)
    except (ValidationError, ValueError, RecursionError) as problem:
        raise BadEnvelope(f"not a delivery: {_summary(problem)}") from problem


def _open(headers: Mapping[str, str], body: bytes) -> Envelope:
    if any(name in headers for name in ("ce-id", "ce-type", "ce-source", "ce-specversion")):
        return _from_cloud_event(_binary_event(headers, body))
    fields = json.loads(body)
    if not isinstance(fields, dict):
        raise ValueError(f"expected a JSON object, got {type(fields).__name__}")
    if "specversion" in fields or "application/cloudevents" in headers.get("content-type", ""):
        return _from_cloud_event(_CloudEvent.model_validate(fields))
    if "context" in fields or "eventType" in fields:
        return _from_legacy(fields)
    return _from_push(fields)


def _binary_event(headers: Mapping[str, str], body: bytes) -> _CloudEvent:
    attributes = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
    content_type = headers.get("content-type") or None
    data = json.loads(body) if content_type is None or "json" in content_type else body
    return _CloudEvent.model_validate({**attributes, "datacontenttype": content_type, "data": data})


def _from_cloud_event(event: _CloudEvent) -> Envelope:
    if event.type == PUBSUB_TYPE:
        return _from_push(event.data if isinstance(event.data, dict) else {}, event.id)
    attributes = {"eventType": "OBJECT_FINALIZE"} if event.type == STORAGE_TYPE else {}
    if event.data_base64 is not None:
        data = base64.b64decode(event.data_base64, validate=True)
    else:
        data = event.data if isinstance(event.data, bytes) else json.dumps(event.data).encode()
    return Envelope(Message("", data, attributes), event.id, 1, "")


def _from_legacy(fields: Mapping[str, Any]) -> Envelope:
    context = fields.get("context") or fields
    if not isinstance(context, dict):
        raise ValueError(f"context is {type(context).__name__}, expected an object")
    event_type = LEGACY_TYPES.get(str(context.get("eventType")))
    if event_type is None:
        raise ValueError(f"event type {context.get('eventType')!r} is not one of {[*LEGACY_TYPES]}")
    data = fields.get("data")
    event = {
        "specversion": "1.0",
        "id": context.get("eventId"),
        "source": "legacy",
        "type": event_type,
        "data": {"message": data} if event_type == PUBSUB_TYPE else data,
    }
    return _from_cloud_event(_CloudEvent.model_validate(event))


def _from_push(fields: Mapping[str, Any], fallback_id: str = "") -> Envelope:
    push = _Push.model_validate(fields)
    try:
        data = base64.b64decode(push.message.data, validate=True)
    except binascii.Error as problem:
        raise ValueError(f"data is not base64: {problem}") from problem
    published = push.message.publishTime
    return Envelope(
        Message("", data, push.message.attributes, _moment(published) if published else None),
        push.message.messageId or push.message.message_id or fallback_id,
        max(1, push.deliveryAttempt),
        push.subscription.rsplit("/", 1)[-1],
    )


def _summary(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        return "; ".join(
            f"{'.'.join(map(str, error['loc'])) or 'event'}: {error['msg']}"
            for error in problem.errors(include_input=False)[:3]
        )
    return str(problem)[:200]
