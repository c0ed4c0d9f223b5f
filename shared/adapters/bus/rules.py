"""What every bus holds to: names, sizes, waits and dead letters as Pub/Sub defines them."""

import random
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from shared.errors import ConfigError, Rejected
from shared.events import Message

MAX_MESSAGE_BYTES = 10_000_000
MAX_ATTRIBUTES = 100
MAX_KEY_BYTES = 256
MAX_VALUE_BYTES = 1024
MAX_PULL = 1000
NAME = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9._~+%-]{2,254}")
DEAD_LETTER = "CloudPubSubDeadLetterSource"

# What one message and one attribute cost on the wire beside their text, rounded up.
FRAME_BYTES = 200
ATTRIBUTE_FRAME_BYTES = 12


class MessageInvalid(Rejected):
    """A message that no bus can carry."""


def check_name(what: str, name: str) -> str:
    """Return the id of a topic or subscription unchanged; raises ConfigError.

    An id has 3-255 letters, digits and `-._~+%`, starts with a letter and not with `goog`
    (https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names).
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{what} {name!r}: expected 3-255 letters, digits or -._~+%, starting with a letter "
            "and not with goog; use the name of a stage or an event, with hyphens"
        )
    return name


def check_limit(limit: int) -> int:
    """Return how many messages to pull at most unchanged; raises ValueError outside 1-1000."""
    if not 1 <= limit <= MAX_PULL:
        raise ValueError(f"limit={limit}: expected 1-{MAX_PULL} messages a pull")
    return limit


def check_waits(shortest: float, longest: float) -> None:
    """Raise ConfigError when these seconds cannot be the limits of a wait."""
    if not 0 <= shortest <= longest:
        raise ConfigError(
            f"waits of {shortest} to {longest} s: expected retry_min_seconds to be the smaller "
            "one, and not negative"
        )


def check_messages(messages: Sequence[Message]) -> None:
    """Raise MessageInvalid or ConfigError for the first message that Pub/Sub would refuse."""
    for message in messages:
        check_name("topic", message.topic)
        if not message.data and not message.attributes:
            raise MessageInvalid(f"{message.topic}: a message needs data or an attribute")
        if len(message.attributes) > MAX_ATTRIBUTES:
            raise MessageInvalid(
                f"{message.topic}: {len(message.attributes)} attributes, "
                f"expected at most {MAX_ATTRIBUTES}; put them into the data"
            )
        for key, value in message.attributes.items():
            _check_attribute(message.topic, key, value)
        if (size := wire_bytes(message)) > MAX_MESSAGE_BYTES:
            raise MessageInvalid(
                f"{message.topic}: the message takes {size} bytes, expected at most "
                f"{MAX_MESSAGE_BYTES}; write it to a file and send its path"
            )


def _check_attribute(topic: str, key: object, value: object) -> None:
    for text, most in ((key, MAX_KEY_BYTES), (value, MAX_VALUE_BYTES)):
        if not isinstance(text, str):
            raise MessageInvalid(f"{topic}: attribute {key!r}: expected text, got {text!r:.60}")
        try:
            size = len(text.encode())
        except UnicodeEncodeError as problem:
            raise MessageInvalid(f"{topic}: attribute {key!r:.60}: broken Unicode") from problem
        if size > most:
            raise MessageInvalid(
                f"{topic}: attribute {key!r:.60}: {size} bytes, expected at most {most}; "
                "put it into the data"
            )
    if not key or str(key).startswith("goog"):
        raise MessageInvalid(f"{topic}: attribute {key!r}: a key is not empty nor starts with goog")


def wire_bytes(message: Message) -> int:
    """The most that one message takes in a publish request, in bytes."""
    attributes = sum(
        len(key.encode()) + len(value.encode()) + ATTRIBUTE_FRAME_BYTES
        for key, value in message.attributes.items()
    )
    return len(message.data) + attributes + FRAME_BYTES


def backoff_seconds(attempt: int, shortest: float, longest: float) -> float:
    """How long a delivery waits after its failed `attempt` (from 1), within shortest-longest.

    Exponential with equal jitter: the second half of the wait is random, so that what failed
    together does not come again together, and ten attempts still outlast a lease
    (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
    """
    ceiling = min(longest, shortest * 2 ** min(attempt, 64))
    return max(shortest, random.uniform(ceiling / 2, ceiling))  # noqa: S311 - not a secret


def dead_letter(
    topic: str, failed: Message, *, subscription: str, deliveries: int, published_at: datetime
) -> Message:
    """The message that Pub/Sub forwards to a dead-letter topic: the same, with its source."""
    stamp = published_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    source = {
        f"{DEAD_LETTER}Subscription": subscription,
        f"{DEAD_LETTER}SubscriptionProject": "local",
        f"{DEAD_LETTER}DeliveryCount": str(deliveries),
        f"{DEAD_LETTER}TopicPublishTime": stamp,
    }
    attributes: Mapping[str, str] = {**failed.attributes, **source}
    return Message(topic, failed.data, attributes)
