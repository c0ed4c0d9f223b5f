"""What the product needs from outside: one protocol a need."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from shared.events import LOCAL_TENANT, Message

if TYPE_CHECKING:
    # Stages that judge nothing need not wait for these.
    from shared.council_models import Annotations, Answer, Media, Question, Sense, Usage

JsonObject = Mapping[str, Any]


@dataclass(frozen=True)
class FileInfo:
    """One stored file; `generation` grows with each new content, `crc32c` is big-endian base64."""

    path: str
    size_bytes: int
    generation: str
    crc32c: str
    content_type: str
    updated_at: datetime


class Files(Protocol):
    """Bytes by path, `area/name`; what one tenant writes no other tenant can see."""

    def for_tenant(self, tenant_id: str) -> Self:
        """The same store, seen by one tenant."""

    def info(self, path: str) -> FileInfo | None:
        """What is known of a file; None when there is none."""

    def read(self, path: str) -> bytes:
        """The whole content; raises FileMissing."""

    def write(
        self, path: str, content: bytes | Path, *, content_type: str = "", once: bool = False
    ) -> FileInfo:
        """Store bytes, or a local file without holding it in memory.

        With `once` the first writer wins and everybody gets the info of what is stored. Nobody
        ever sees half of a content.
        """

    def copy(self, source: str, target: str, *, generation: str | None = None) -> FileInfo:
        """Copy inside the store, once; raises FileMissing when `source` is not at `generation`."""

    def local_copy(
        self, path: str, *, generation: str | None = None
    ) -> AbstractContextManager[Path]:
        """A readable local file for the duration of the context; raises FileMissing.

        The bytes are checked against the stored checksum. Callers must not write to it.
        """

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """Every file whose path starts with `prefix`, in order of path."""

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""

    def sign(self, path: str, method: Literal["GET", "PUT"], *, expires_seconds: int = 3600) -> str:
        """A URL that lets whoever holds it read or write this one path until it expires."""


@dataclass(frozen=True)
class Document:
    """A stored record: plain JSON data, and the version that a careful writer names."""

    kind: str
    id: str
    data: JsonObject
    version: str


@dataclass(frozen=True)
class Where:
    """One condition on a field (dotted for nested fields)."""

    field: str
    op: Literal["==", "<", "<=", ">", ">=", "in"]
    value: Any


@dataclass(frozen=True)
class Page:
    """Some documents, and the cursor of the next page (None at the end)."""

    documents: Sequence[Document]
    next_cursor: str | None


ABSENT = "absent"
"""The version that a document must have to be created and not replaced."""


@dataclass(frozen=True)
class Put:
    """Write a whole document; with `expect` only over that version, ABSENT: where none is."""

    kind: str
    id: str
    data: JsonObject
    expect: str | None = None
    expires_at: datetime | None = None
    vector: Sequence[float] | None = None


@dataclass(frozen=True)
class Merge:
    """Set fields (dotted for nested ones) and add to counters; the document is made when absent."""

    kind: str
    id: str
    fields: JsonObject = field(default_factory=dict)
    increments: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Delete:
    """Remove a document; with `expect` only at that version."""

    kind: str
    id: str
    expect: str | None = None


Write = Put | Merge | Delete


class Documents(Protocol):
    """Small records by kind and id: plain JSON, no list directly in a list, at most 900 KiB."""

    def for_tenant(self, tenant_id: str) -> Self:
        """The same store, seen by one tenant."""

    def tenants(self) -> Sequence[str]:
        """Every tenant that has a document here, by name."""

    def get(self, kind: str, id: str) -> Document | None:
        """One document; None when there is none or it has expired."""

    def put(self, kind: str, id: str, data: JsonObject, *, expect: str | None = None) -> str:
        """Write one document, return its new version; raises Conflict when `expect` is not met."""

    def commit(self, writes: Sequence[Write]) -> Sequence[str]:
        """All writes or none; returns the new version of each, empty for a Delete.

        Raises Conflict when an expectation is not met, DocumentInvalid for what cannot be stored.
        """

    def query(
        self,
        kind: str,
        where: Sequence[Where] = (),
        *,
        order_by: str | None = None,
        descending: bool = False,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """Documents that meet every condition, ordered by one field and then by id.

        Documents that lack the ordered field are left out. Expired ones are never seen.
        """

    def nearest(
        self, kind: str, vector: Sequence[float], where: Sequence[Where] = (), *, limit: int = 10
    ) -> Sequence[tuple[Document, float]]:
        """The documents whose vectors are closest by cosine distance (0-2), closest first."""


@dataclass(frozen=True)
class Delivery:
    """A message handed out under a lease; `receipt` is what acknowledges exactly this delivery."""

    message: Message
    message_id: str
    published_at: datetime
    attempt: int
    receipt: str
    subscription: str


class Bus(Protocol):
    """At-least-once delivery from topics to subscriptions, with retry and dead letters."""

    def publish(self, messages: Sequence[Message]) -> Sequence[str]:
        """Store messages durably for every subscription of their topics; returns their ids."""

    def pull(self, subscription: str, *, limit: int = 1) -> Sequence[Delivery]:
        """Messages that are due, leased to the caller; empty when there are none now."""

    def ack(self, delivery: Delivery) -> None:
        """This delivery is done; nothing happens when its lease was lost."""

    def nack(self, delivery: Delivery) -> None:
        """This delivery failed: it comes again after a wait, or becomes a dead letter."""


class Secrets(Protocol):
    """Tokens and keys by name, per tenant; a write is a new version, a read sees the newest."""

    def for_tenant(self, tenant_id: str) -> Self:
        """The same store, seen by one tenant."""

    def get(self, name: str) -> str:
        """The newest value; raises SecretMissing."""

    def put(self, name: str, value: str) -> None:
        """Store a new value; values never appear in logs or errors."""

    def delete(self, name: str) -> None:
        """Forget every version; nothing happens when there is none."""


@dataclass(frozen=True)
class Alert:
    """Something that a person should know."""

    severity: Literal["info", "warning", "critical"]
    title: str
    text: str
    tenant_id: str = LOCAL_TENANT


class Alerts(Protocol):
    """Tells people."""

    def send(self, alert: Alert) -> None:
        """Deliver one alert."""


@dataclass(frozen=True)
class Schedule:
    """A timed event: `cron` has five fields in UTC, `topic` is published each time."""

    name: str
    cron: str
    topic: str
    paused: bool = False


class Schedules(Protocol):
    """The timed events of the pipeline."""

    def list(self) -> Sequence[Schedule]:
        """Every schedule, by name."""

    def pause(self, name: str) -> None:
        """Stop it until resumed; raises ScheduleMissing."""

    def resume(self, name: str) -> None:
        """Let it run again; raises ScheduleMissing."""

    def run_now(self, name: str) -> None:
        """Publish its event once, now; raises ScheduleMissing."""


@dataclass(frozen=True)
class ExecutionState:
    """How far one run of a job is; `attempt` counts from 1, 0 before the first one began."""

    execution: str
    state: Literal["running", "succeeded", "failed", "cancelled", "unknown"]
    started_at: datetime | None = None
    ended_at: datetime | None = None
    attempt: int = 0
    reason: str = ""

    @property
    def alive(self) -> bool:
        """Whether it works, waits for a machine, or is about to be tried again."""
        return self.state == "running"


class Jobs(Protocol):
    """Work that takes longer than a stage may: one container started for one event.

    A job's memory, time and retries are declared once, in containers/jobs.yaml. An execution is
    called `<job>/<id>`.
    """

    def start(self, name: str, message: Message) -> str:
        """Start a job with its event, return the execution; raises JobMissing, JobInvalid.

        Started twice, a platform may run two executions: the job's claim makes one of them work
        and the other one end well at once.
        """

    def state(self, execution: str) -> ExecutionState:
        """How far an execution is; `unknown` when the platform knows no such one."""

    def cancel(self, execution: str) -> None:
        """Stop an execution: SIGTERM, and SIGKILL when it has not ended ten seconds later.

        Nothing happens when it has ended, or was never there.
        """


@dataclass(frozen=True)
class QuarantinedRow:
    """A row that a table does not take: its place in what was appended, and what is wrong."""

    index: int
    reason: str


@dataclass(frozen=True)
class Appended:
    """What became of an append: how many different rows are kept, and which are not."""

    rows: int
    quarantined: Sequence[QuarantinedRow]


class Tables(Protocol):
    """Rows that are only ever appended, in the tables of `shared/tables.py`, and named queries."""

    def for_tenant(self, tenant_id: str) -> Self:
        """The same store, seen by one tenant."""

    def append(self, table: str, rows: Sequence[JsonObject]) -> Appended:
        """Keep rows durably; repeating an append changes no query's result.

        A row that its table does not take is kept with the reason in `quarantine`, and the
        others are kept all the same. Raises TablesInvalid for a table that is not one.
        """

    def query(self, name: str, parameters: JsonObject) -> Sequence[JsonObject]:
        """The rows that the query in `shared/sql/<name>.sql` finds for this tenant.

        Raises TablesInvalid for an unknown query, or parameters that are not those it declares.
        """


class LanguageModel(Protocol):
    """A judge that reads a question and answers in the form it is given."""

    name: str
    """`scheme://model`, as the settings name it."""
    senses: "frozenset[Sense]"
    """What it can be shown."""

    def with_secrets(self, secrets: Secrets) -> Self:
        """The same model, asked with the key of one tenant."""

    def estimate(self, question: "Question") -> "Usage":
        """The most that a call can use; nothing is sent."""

    def ask(self, question: "Question", timeout_seconds: float) -> "Answer":
        """Ask once, without a retry; the whole call ends in time.

        Raises QuotaExceeded, JudgeTimeout, JudgeUnavailable, JudgeBlocked, ModelRetired,
        KeyRefused, SecretMissing, or AnswerUnusable when the answer was cut or is none.
        """


class VideoAnnotator(Protocol):
    """Says what is in a video, by measuring and without an opinion."""

    name: str

    def estimate(self, video: "Media") -> "Usage":
        """What a call uses; nothing is sent."""

    def annotate(self, video: "Media", timeout_seconds: float) -> "Annotations":
        """Annotate once; raises what LanguageModel.ask raises."""


def utc_now() -> datetime:
    """The clock of production."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """What every adapter is made with beside its URL."""

    now: Callable[[], datetime] = utc_now
    retry_min_seconds: float = 10.0
    retry_max_seconds: float = 600.0
    max_delivery_attempts: int = 10
    lease_seconds: float = 600.0
    """How long a pulled message belongs to who pulled it."""
    local_url: str = "http://127.0.0.1:8787"
    """Where the local stack answers; the base of URLs that disk files sign."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What a process that an adapter starts here finds around it, our settings included."""
