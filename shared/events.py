"""Every fact that travels through the pipeline; the class name of an event is its topic."""

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from shared.errors import Rejected
from shared.file_paths import FilePath

LOCAL_TENANT = "local"

TENANT_PATTERN = r"^[a-z0-9][a-z0-9-]{0,62}$"
TenantId = Annotated[str, StringConstraints(pattern=TENANT_PATTERN)]
VideoId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
ConceptId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Occasion = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,64}$")]
Generation = Annotated[str, Field(coerce_numbers_to_str=True, pattern=r"^[0-9]{1,20}$")]


class BadMessage(Rejected):
    """A message that is not the event its topic promises."""


@dataclass(frozen=True)
class Message:
    """What a bus carries: bytes, and attributes that are all strings."""

    topic: str
    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    published_at: datetime | None = None
    """When the bus took it, where that is known; a schedule's slot follows from it."""


class Event(BaseModel):
    """A fact in the past tense. `identity_fields` say when two messages are the same fact."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    identity_fields: ClassVar[tuple[str, ...]] = ()
    subject_kind: ClassVar[str] = ""
    """The kind of document that shows this event's progress: `uploads`, `assets`, ... or none."""
    subject_fields: ClassVar[tuple[str, ...]] = ()
    """What names that document; empty: the first of the identity fields."""

    tenant_id: TenantId = LOCAL_TENANT
    run: int = Field(
        default=1, ge=1, le=1_000_000, description="grows when somebody repeats the work on purpose"
    )

    @classmethod
    def topic(cls) -> str:
        """The class name with hyphens: `VideoIngested` -> `video-ingested`."""
        return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", cls.__name__).lower()

    @property
    def identity(self) -> str:
        """What makes two messages the same fact within a tenant, safe as a document id."""
        return "-".join(
            [*(str(getattr(self, name)) for name in self.identity_fields), str(self.run)]
        )

    @property
    def subject_id(self) -> str:
        """The id of the document that shows this event's progress."""
        names = self.subject_fields or self.identity_fields[:1]
        return "-".join(str(getattr(self, name)) for name in names)

    def to_message(self, attributes: Mapping[str, str]) -> Message:
        """The message that carries this event; `attributes` are the trace and correlation."""
        return Message(
            self.topic(),
            self.model_dump_json().encode(),
            {**attributes, "topic": self.topic(), "tenant_id": self.tenant_id},
        )

    @classmethod
    def from_message(cls, message: Message) -> Self:
        """The event in a message; raises BadMessage when it is not one."""
        try:
            return cls.model_validate(cls.fields_of(message))
        except (ValidationError, ValueError, RecursionError) as problem:
            raise BadMessage(f"not a {cls.__name__}: {problem}") from problem

    @classmethod
    def fields_of(cls, message: Message) -> dict[str, Any]:
        """The fields in a message's data, before they are validated."""
        fields = json.loads(message.data)
        if not isinstance(fields, dict):
            raise ValueError(f"expected a JSON object, got {type(fields).__name__}")
        return fields


class UploadFinalized(Event):
    """A file arrived under `uploads/`; on the wire this is Cloud Storage's own notification."""

    identity_fields = ("upload_id",)
    subject_kind = "uploads"

    path: Annotated[FilePath, Field(pattern="^uploads/")]
    generation: Generation
    size_bytes: int = Field(ge=0)

    @property
    def upload_id(self) -> str:
        """One id for one content of one path: 32 hexadecimal digits."""
        name = f"{self.tenant_id}/{self.path}#{self.generation}"
        return hashlib.sha256(name.encode()).hexdigest()[:32]

    @property
    def name(self) -> str:
        """The file's own name, as its owner wrote it."""
        return self.path.rsplit("/", 1)[-1]

    @classmethod
    def fields_of(cls, message: Message) -> dict[str, Any]:
        """Reads an object resource of Cloud Storage's JSON API, `uploads/<tenant>/<name>`."""
        if message.attributes.get("eventType", "OBJECT_FINALIZE") != "OBJECT_FINALIZE":
            raise ValueError(
                f"eventType {message.attributes['eventType']!r} is not OBJECT_FINALIZE"
            )
        resource = super().fields_of(message)
        area, _, rest = str(resource.get("name", "")).partition("/")
        tenant_id, _, name = rest.partition("/")
        if area != "uploads" or not name:
            raise ValueError(f"object {resource.get('name')!r} is not uploads/<tenant>/<name>")
        return {
            "tenant_id": tenant_id,
            "path": f"uploads/{name}",
            "generation": resource.get("generation"),
            "size_bytes": resource.get("size"),
            "run": resource.get("run", 1),
        }

    def to_message(self, attributes: Mapping[str, str]) -> Message:
        """The notification that Cloud Storage would send for this upload."""
        object_name = f"uploads/{self.tenant_id}/{self.path.removeprefix('uploads/')}"
        resource = {
            "kind": "storage#object",
            "name": object_name,
            "generation": self.generation,
            "size": str(self.size_bytes),
            "run": self.run,
        }
        notification = {
            "eventType": "OBJECT_FINALIZE",
            "payloadFormat": "JSON_API_V1",
            "objectId": object_name,
            "objectGeneration": self.generation,
        }
        return Message(self.topic(), json.dumps(resource).encode(), {**attributes, **notification})


class VideoIngested(Event):
    """A usable video is stored under its content id."""

    identity_fields = ("video_id",)
    subject_kind = "assets"

    video_id: VideoId
    path: FilePath


class VideoAnalyzed(Event):
    """The analysis of a video is stored."""

    identity_fields = ("video_id",)
    subject_kind = "assets"

    video_id: VideoId
    path: FilePath
    report_path: FilePath


class VideoInferred(Event):
    """What the models saw and heard in a video is stored, or why they could not."""

    identity_fields = ("video_id",)
    subject_kind = "assets"

    video_id: VideoId
    path: FilePath
    report_path: FilePath
    inference_path: FilePath


class VideoScored(Event):
    """The scores and the prediction of a video are stored."""

    identity_fields = ("video_id",)
    subject_kind = "assets"

    video_id: VideoId
    path: FilePath
    report_path: FilePath
    inference_path: FilePath
    scores_path: FilePath


class VideoJudged(Event):
    """The council's verdict on a video is stored."""

    identity_fields = ("video_id",)
    subject_kind = "assets"

    video_id: VideoId
    path: FilePath
    report_path: FilePath
    inference_path: FilePath
    scores_path: FilePath
    verdict_path: FilePath


class VariationsRequested(Event):
    """Somebody wants a concept varied; the concept is stored under the hash of its content."""

    identity_fields = ("concept_id",)
    subject_kind = "concepts"

    concept_id: ConceptId
    concept_path: FilePath
    video_id: VideoId | None = Field(default=None, description="the footage; None: colour cards")


class VariationsPlanned(Event):
    """The variations of a concept are planned and ranked, and the best are chosen."""

    identity_fields = ("concept_id",)
    subject_kind = "concepts"

    concept_id: ConceptId
    plan_path: FilePath
    selected: tuple[int, ...] = Field(
        default=(), max_length=100, description="numbers of the variations to render, best first"
    )


class VariationChosen(Event):
    """One variation of a plan is to be rendered; a job is started with this."""

    identity_fields = subject_fields = ("concept_id", "variation_number")
    subject_kind = "renditions"

    concept_id: ConceptId
    variation_number: int = Field(ge=1)
    plan_path: FilePath


class VariationRendered(Event):
    """One variation is a file: rendered, checked, and stored with its timeline."""

    identity_fields = subject_fields = ("concept_id", "variation_number")
    subject_kind = "renditions"

    concept_id: ConceptId
    variation_number: int = Field(ge=1)
    rendition_path: FilePath = Field(description="the record of what was made and how it was found")


class DeadLettered(Event):
    """A message that no stage could handle; the body is kept as it came."""

    identity_fields = ("letter_id",)

    letter_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    source_subscription: str
    delivery_count: int = Field(ge=0)
    body: str = Field(description="the message's data, base64")
    attributes: dict[str, str]
    published: str = Field(default="", description="when the message was, as its bus said it")

    @property
    def message(self) -> Message:
        """The message as it was before it was given up."""
        return Message("", base64.b64decode(self.body), self.attributes)

    def to_message(self, attributes: Mapping[str, str]) -> Message:
        """What Pub/Sub would forward; a letter keeps the trace of the message it is about."""
        return Message(self.topic(), base64.b64decode(self.body), self.forwarded)

    @property
    def forwarded(self) -> dict[str, str]:
        """The attributes that `fields_of` reads this letter from."""
        prefix = "CloudPubSubDeadLetterSource"
        source = {
            f"{prefix}Subscription": self.source_subscription,
            f"{prefix}DeliveryCount": str(self.delivery_count),
            f"{prefix}TopicPublishTime": self.published,
        }
        return {**self.attributes, **source}

    @classmethod
    def about(
        cls, message: Message, *, source_subscription: str, delivery_count: int, published: str
    ) -> Self:
        """The letter of a message that was given up; the same facts make the same letter."""
        letter = cls(
            letter_id="0" * 32,
            source_subscription=source_subscription,
            delivery_count=delivery_count,
            body=base64.b64encode(message.data).decode(),
            attributes=dict(message.attributes),
            published=published,
        )
        return cls.from_message(letter.to_message({}))

    @classmethod
    def fields_of(cls, message: Message) -> dict[str, Any]:
        """Reads what Pub/Sub forwards to a dead-letter topic: any data, source in attributes."""
        prefix = "CloudPubSubDeadLetterSource"
        kept = {
            key: value for key, value in message.attributes.items() if not key.startswith(prefix)
        }
        source = message.attributes.get(f"{prefix}Subscription", "")
        count = message.attributes.get(f"{prefix}DeliveryCount", "")
        owner = kept.get("tenant_id", "")
        # A replayed message that dies again is another letter: it was published at another time.
        published = message.attributes.get(f"{prefix}TopicPublishTime", "")
        body = base64.b64encode(message.data).decode()
        identity = json.dumps([source, published, kept, body], sort_keys=True)
        return {
            # Even a letter with nonsense for a tenant is kept: nothing else knows of it.
            "tenant_id": owner if re.fullmatch(TENANT_PATTERN, owner) else LOCAL_TENANT,
            "letter_id": hashlib.sha256(identity.encode()).hexdigest()[:32],
            "source_subscription": source,
            "delivery_count": int(count) if count.isascii() and count.isdigit() else 0,
            "body": body,
            "attributes": kept,
            "published": published,
        }


class JobsDue(Event):
    """It is time to look after the jobs that are at work."""

    identity_fields = ("occasion",)
    every_seconds: ClassVar[int] = 300

    occasion: Occasion

    @classmethod
    def fields_of(cls, message: Message) -> dict[str, Any]:
        """Reads what a schedule publishes."""
        return {**super().fields_of(message), "occasion": occasion_of(message, cls.every_seconds)}


def occasion_of(message: Message, every_seconds: int) -> str:
    """What makes two messages of one schedule the same fact: their slot, or a request's own id.

    Cloud Scheduler sends the same payload each time, and at least once: the slot is the time of
    publication rounded to the nearest multiple of `every_seconds` since 1970 (UTC). Raises
    ValueError when neither a slot, a request nor a time of publication is known.
    """
    attributes = message.attributes
    if "request_id" in attributes:
        return f"request-{attributes['request_id']}"
    slot = attributes.get("slot")
    at = datetime.fromisoformat(slot) if slot else message.published_at
    if at is None:
        raise ValueError("no slot, no request_id and no publish time: whose turn is it?")
    seconds = round(at.timestamp() / every_seconds) * every_seconds
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def event_of(message: Message) -> Event:
    """The event that a message carries, whichever it is; raises BadMessage."""
    topic = message.topic or message.attributes.get("topic", "")
    if not topic and "eventType" in message.attributes:
        topic = UploadFinalized.topic()
    known = {event.topic(): event for event in Event.__subclasses__()}
    if topic not in known:
        raise BadMessage(f"topic {topic!r} is not one of {', '.join(sorted(known))}")
    return known[topic].from_message(message)
