"""What every bus promises: SQLite, and Pub/Sub against Google's emulator."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest

from shared.adapters.bus import pubsub, sqlite
from shared.adapters.bus.rules import MessageInvalid
from shared.errors import ConfigError
from shared.events import Message
from shared.ports import Bus, Delivery, Options

ATTEMPTS = 5
PROJECT = "test-project"


class Administration(Protocol):
    """What Terraform does in production."""

    def __call__(
        self, subscription: str, topic: str, *, dead_letter_topic: str | None = None
    ) -> None: ...


@dataclass(frozen=True)
class Bench:
    """A bus under test, and how its subscriptions are made."""

    bus: Bus
    subscribe: Administration
    lease_seconds: float

    def make(self, *, subscriptions: int = 1) -> tuple[str, list[str]]:
        """A fresh topic and its subscriptions."""
        topic = f"topic-{uuid4().hex}"
        names = [f"stage-{uuid4().hex}" for _ in range(subscriptions)]
        for name in names:
            self.subscribe(name, topic)
        return topic, names

    def wait(self, subscription: str, count: int = 1, *, seconds: float = 5.0) -> list[Delivery]:
        """The next `count` deliveries; fails when they do not come in time."""
        deadline = time.monotonic() + seconds
        found: list[Delivery] = []
        while len(found) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} messages came"
            found += self.bus.pull(subscription, limit=count - len(found))
        return found


@pytest.fixture(params=["sqlite", "pubsub"])
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Bench]:
    if request.param == "sqlite":
        yield from sqlite_bench(tmp_path)
    else:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", request.getfixturevalue("pubsub_emulator"))
        yield from pubsub_bench()


def sqlite_bench(folder: Path) -> Iterator[Bench]:
    options = Options(
        retry_min_seconds=0,
        retry_max_seconds=0.05,
        max_delivery_attempts=ATTEMPTS,
        lease_seconds=0.5,
    )
    bus = sqlite.connect(f"sqlite://{folder}/bus.db", options)
    yield Bench(bus, bus.subscribe, lease_seconds=0.5)
    bus.close()


def pubsub_bench() -> Iterator[Bench]:
    from google.pubsub_v1 import PublisherClient, SubscriberClient

    publisher: Any = PublisherClient()
    subscriber: Any = SubscriberClient()
    bus = pubsub.connect(f"pubsub://{PROJECT}", Options())
    yield Bench(bus, administration(publisher, subscriber), lease_seconds=10)
    bus.close()
    publisher.transport.close()
    subscriber.transport.close()


def administration(publisher: Any, subscriber: Any) -> Administration:
    from google.api_core.exceptions import AlreadyExists

    def make_topic(topic: str) -> str:
        path = f"projects/{PROJECT}/topics/{topic}"
        try:
            publisher.create_topic(name=path)
        except AlreadyExists:
            return path
        return path

    def subscribe(subscription: str, topic: str, *, dead_letter_topic: str | None = None) -> None:
        request: dict[str, Any] = {
            "name": f"projects/{PROJECT}/subscriptions/{subscription}",
            "topic": make_topic(topic),
            "ack_deadline_seconds": 10,
        }
        if dead_letter_topic is not None:
            request["dead_letter_policy"] = {
                "dead_letter_topic": make_topic(dead_letter_topic),
                "max_delivery_attempts": ATTEMPTS,
            }
        subscriber.create_subscription(request=request)

    return subscribe


def test_bytes_and_attributes_come_as_they_were_sent(bench: Bench) -> None:
    topic, (name,) = bench.make()
    message = Message(
        topic,
        bytes(range(256)) + "Größe 广告 🎬".encode(),
        {
            "topic": topic,
            "tenant_id": "local",
            "traceparent": "00-1-2-01",
            "名": "é\n\t🎬",
            "e": "",
        },
    )

    (message_id,) = bench.bus.publish([message])

    (delivery,) = bench.wait(name)
    assert delivery.message == message
    assert delivery.message_id == message_id
    assert delivery.subscription == name
    assert delivery.attempt == 1
    assert abs(datetime.now(UTC) - delivery.published_at) < timedelta(seconds=60)


def test_a_message_of_a_megabyte_arrives_whole(bench: Bench) -> None:
    topic, (name,) = bench.make()
    data = bytes(index * 7 % 251 for index in range(1_000_000))

    bench.bus.publish([Message(topic, data)])

    assert bench.wait(name)[0].message.data == data


def test_a_message_may_have_no_data_when_it_has_an_attribute(bench: Bench) -> None:
    topic, (name,) = bench.make()

    bench.bus.publish([Message(topic, b"", {"slot": "2026-01-01T00:00:00Z"})])

    assert bench.wait(name)[0].message == Message(topic, b"", {"slot": "2026-01-01T00:00:00Z"})


def test_each_subscription_gets_its_own_copy(bench: Bench) -> None:
    topic, (first, second) = bench.make(subscriptions=2)
    bench.bus.publish([Message(topic, b"fact")])

    bench.bus.ack(bench.wait(first)[0])

    assert bench.wait(second)[0].message.data == b"fact"


def test_many_messages_of_two_topics_go_in_one_call(bench: Bench) -> None:
    one, (first,) = bench.make()
    other, (second,) = bench.make()
    messages = [Message((one, other)[n % 2], b"%d" % n) for n in range(300)]

    ids = bench.bus.publish(messages)

    by_id = dict(zip(ids, messages, strict=True))
    deliveries = [*bench.wait(first, 150), *bench.wait(second, 150)]
    assert len(by_id) == 300
    assert {d.message_id: d.message for d in deliveries} == by_id


def test_publishing_nothing_returns_nothing(bench: Bench) -> None:
    assert list(bench.bus.publish([])) == []


def test_a_pull_takes_no_more_than_its_limit(bench: Bench) -> None:
    topic, (name,) = bench.make()
    bench.bus.publish([Message(topic, b"%d" % n) for n in range(5)])

    assert len(bench.bus.pull(name)) == 1
    assert len(bench.bus.pull(name, limit=2)) == 2


def test_a_leased_message_is_not_handed_out_again(bench: Bench) -> None:
    topic, (name,) = bench.make()
    bench.bus.publish([Message(topic, b"fact")])
    bench.wait(name)

    assert list(bench.bus.pull(name)) == []


def test_a_refused_delivery_comes_again_with_a_higher_attempt(bench: Bench) -> None:
    topic, (name,) = bench.make()
    bench.subscribe(other := f"stage-{uuid4().hex}", topic, dead_letter_topic=f"dead-{topic}")
    bench.bus.publish([Message(topic, b"fact")])
    delivery = bench.wait(other)[0]

    bench.bus.nack(delivery)

    again = bench.wait(other)[0]
    assert (again.message, again.message_id) == (delivery.message, delivery.message_id)
    assert again.attempt == 2
    assert again.receipt != delivery.receipt
    assert bench.wait(name)[0].attempt == 1


def test_an_unanswered_delivery_comes_again_after_its_lease(bench: Bench) -> None:
    topic, (name,) = bench.make()
    bench.bus.publish([Message(topic, b"fact")])
    first = bench.wait(name)[0]

    again = bench.wait(name, seconds=bench.lease_seconds + 8)[0]

    assert again.message_id == first.message_id
    assert again.receipt != first.receipt


def test_an_acknowledged_message_never_comes_again(bench: Bench) -> None:
    topic, (name,) = bench.make()
    bench.bus.publish([Message(topic, b"fact")])
    delivery = bench.wait(name)[0]

    bench.bus.ack(delivery)
    bench.bus.ack(delivery)
    bench.bus.nack(delivery)

    assert list(bench.bus.pull(name)) == []


def test_what_fails_every_time_becomes_a_dead_letter_with_its_source(bench: Bench) -> None:
    topic, dead = f"topic-{uuid4().hex}", f"dead-{uuid4().hex}"
    stage, letters = f"stage-{uuid4().hex}", f"letters-{uuid4().hex}"
    bench.subscribe(stage, topic, dead_letter_topic=dead)
    bench.subscribe(letters, dead)
    bench.bus.publish([Message(topic, b"poison \xff", {"topic": topic, "tenant_id": "local"})])

    attempts, letter = refuse_until_dead(bench.bus, stage, letters)

    assert attempts == [1, 2, 3, 4, 5]
    assert letter.message.topic == dead
    assert letter.message.data == b"poison \xff"
    attributes = dict(letter.message.attributes)
    published_at = attributes.pop("CloudPubSubDeadLetterSourceTopicPublishTime")
    assert abs(datetime.now(UTC) - datetime.fromisoformat(published_at)) < timedelta(seconds=60)
    assert attributes.pop("CloudPubSubDeadLetterSourceSubscriptionProject") in ("local", PROJECT)
    assert attributes == {
        "topic": topic,
        "tenant_id": "local",
        "CloudPubSubDeadLetterSourceSubscription": stage,
        "CloudPubSubDeadLetterSourceDeliveryCount": "5",
    }
    assert list(bench.bus.pull(stage)) == []


def refuse_until_dead(bus: Bus, stage: str, letters: str) -> tuple[list[int], Delivery]:
    """Refuse every delivery until there is a dead letter; the attempts that were seen, and it."""
    attempts: list[int] = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for delivery in bus.pull(stage):
            attempts.append(delivery.attempt)
            bus.nack(delivery)
        if len(attempts) >= ATTEMPTS and (found := bus.pull(letters)):
            return attempts, found[0]
    raise AssertionError(f"no dead letter after the attempts {attempts}")


def test_an_unknown_subscription_is_named(bench: Bench) -> None:
    with pytest.raises(ConfigError, match=r"no-such-stage.*does not exist"):
        bench.bus.pull("no-such-stage")


def test_a_name_that_is_none_is_refused_before_it_is_used(bench: Bench) -> None:
    for name in ("", "ab", "a/b", "../x", "a b", "1abc", "google", "é" * 5, "abc\n", "a" * 256):
        with pytest.raises(ConfigError, match="expected 3-255"):
            bench.bus.publish([Message(name, b"fact")])
        with pytest.raises(ConfigError):
            bench.bus.pull(name)


REFUSED: list[tuple[bytes, dict[str, Any], str]] = [
    (b"", {}, "needs data or an attribute"),
    (b"x" * 10_000_000, {}, "write it to a file"),
    (b"x", {f"key{n}": "" for n in range(101)}, "101 attributes"),
    (b"x", {"key": "v" * 1025}, "at most 1024"),
    (b"x", {"k" * 257: "v"}, "at most 256"),
    (b"x", {"key": "\ud800"}, "broken Unicode"),
    (b"x", {"": "v"}, "not empty"),
    (b"x", {"googkey": "v"}, "goog"),
    (b"x", {"number": 7}, "expected text"),
]


def test_what_pubsub_would_refuse_is_refused_with_its_reason(bench: Bench) -> None:
    topic, (name,) = bench.make()

    for data, attributes, reason in REFUSED:
        with pytest.raises(MessageInvalid, match=reason):
            bench.bus.publish([Message(topic, b"good"), Message(topic, data, attributes)])

    assert list(bench.bus.pull(name)) == []


def test_a_pull_of_no_messages_is_a_mistake(bench: Bench) -> None:
    for limit in (0, -1, 1001):
        with pytest.raises(ValueError, match="expected 1-1000"):
            bench.bus.pull("some-stage", limit=limit)
