"""What only the SQLite bus promises: fencing, time that never runs back, administration."""

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.bus import rules, sqlite
from shared.adapters.bus.sqlite import Backlog, SqliteBus
from shared.errors import ConfigError
from shared.events import Message
from shared.ports import Options

ROOT = Path(__file__).parents[2]
TOPIC, STAGE, DEAD, LETTERS = "video-ingested", "analyze", "dead-lettered", "record-dead-letter"
LEASE_SECONDS = 600.0
real_connect: Callable[..., sqlite3.Connection] = sqlite3.connect


class Clock:
    """A wall clock that a test turns."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def turn(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bus(tmp_path: Path, clock: Clock) -> Iterator[SqliteBus]:
    with closing(open_bus(tmp_path, clock)) as bus:
        bus.subscribe(STAGE, TOPIC, dead_letter_topic=DEAD)
        bus.subscribe(LETTERS, DEAD)
        yield bus


def open_bus(folder: Path, clock: Clock, **options: Any) -> SqliteBus:
    return sqlite.connect(f"sqlite://{folder}/bus.db", Options(now=clock, **options))


def publish(bus: SqliteBus, *data: bytes) -> None:
    bus.publish([Message(TOPIC, each) for each in data])


def pulled(bus: SqliteBus, limit: int = 100) -> list[bytes]:
    return [delivery.message.data for delivery in bus.pull(STAGE, limit=limit)]


def test_an_old_receipt_neither_acknowledges_nor_refuses(bus: SqliteBus, clock: Clock) -> None:
    publish(bus, b"fact")
    (late,) = bus.pull(STAGE)
    clock.turn(LEASE_SECONDS)
    (current,) = bus.pull(STAGE)

    bus.ack(late)
    bus.nack(late)

    assert bus.counts()[STAGE].leased == 1
    clock.turn(LEASE_SECONDS)
    (last,) = bus.pull(STAGE)
    assert (late.attempt, current.attempt, last.attempt) == (1, 2, 3)
    assert len({late.receipt, current.receipt, last.receipt}) == 3


def test_a_lease_lasts_exactly_as_long_as_its_option(bus: SqliteBus, clock: Clock) -> None:
    publish(bus, b"fact")
    bus.pull(STAGE)

    clock.turn(LEASE_SECONDS - 0.001)
    assert pulled(bus) == []
    clock.turn(0.001)
    assert pulled(bus) == [b"fact"]


def test_a_late_acknowledgement_counts_while_nobody_else_has_the_message(
    bus: SqliteBus, clock: Clock
) -> None:
    publish(bus, b"fact")
    (delivery,) = bus.pull(STAGE)
    clock.turn(2 * LEASE_SECONDS)

    bus.ack(delivery)

    assert pulled(bus) == []


def test_what_is_longest_due_comes_first(bus: SqliteBus, clock: Clock) -> None:
    publish(bus, b"refused")
    bus.nack(bus.pull(STAGE)[0])
    clock.turn(5)
    publish(bus, b"second", b"third")
    clock.turn(600)
    publish(bus, b"last")

    assert pulled(bus, limit=2) == [b"second", b"third"]
    assert pulled(bus) == [b"refused", b"last"]


def test_waits_grow_and_nine_of_them_outlast_a_lease(bus: SqliteBus, clock: Clock) -> None:
    publish(bus, b"fact")
    (delivery,) = bus.pull(STAGE)
    waits = []
    for ceiling in (20, 40, 80, 160, 320, 600, 600, 600, 600):
        bus.nack(delivery)
        seconds = 0
        while not (found := bus.pull(STAGE)):
            clock.turn(1)
            seconds += 1
        assert ceiling / 2 <= seconds <= ceiling + 1
        waits.append(seconds)
        delivery = found[0]

    assert sum(waits) > LEASE_SECONDS
    assert delivery.attempt == 10


@settings(deadline=None)
@given(
    attempt=st.integers(1, 10_000),
    shortest=st.floats(0, 600),
    longer=st.floats(0, 600),
)
def test_every_wait_lies_within_its_limits(attempt: int, shortest: float, longer: float) -> None:
    wait = rules.backoff_seconds(attempt, shortest, shortest + longer)

    assert shortest <= wait <= shortest + longer


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.tuples(st.binary(max_size=50), st.dictionaries(st.text(), st.text(), max_size=3)))
)
def test_what_the_rules_let_through_comes_back_equal(
    tmp_path_factory: pytest.TempPathFactory, contents: list[tuple[bytes, dict[str, str]]]
) -> None:
    messages = []
    for data, attributes in contents:
        message = Message(TOPIC, data, attributes)
        try:
            rules.check_messages([message])
        except rules.MessageInvalid:
            continue
        messages.append(message)
    with closing(open_bus(tmp_path_factory.mktemp("bus"), Clock())) as bus:
        bus.subscribe(STAGE, TOPIC)
        bus.publish(messages)

        assert [delivery.message for delivery in bus.pull(STAGE, limit=1000)] == messages


def test_a_clock_set_back_an_hour_makes_no_lease_longer(bus: SqliteBus, clock: Clock) -> None:
    publish(bus, b"leased", b"refused")
    leased, refused = bus.pull(STAGE, limit=2)
    bus.nack(refused)
    clock.turn(300)
    publish(bus, b"fresh")
    clock.turn(-3600)

    assert pulled(bus) == [b"refused", b"fresh"]
    clock.turn(299)
    assert pulled(bus) == []
    clock.turn(1)
    assert pulled(bus) == [b"leased"]
    bus.ack(leased)
    assert bus.counts()[STAGE].leased == 3


def test_a_clock_that_keeps_going_back_loses_nothing(bus: SqliteBus, clock: Clock) -> None:
    waiting = {b"%d" % n for n in range(60)}
    for n in range(60):
        publish(bus, b"%d" % n)
        clock.turn(random.uniform(-3600, 30))
        for delivery in bus.pull(STAGE):
            waiting.discard(delivery.message.data)
            bus.ack(delivery)

    assert not waiting
    assert bus.counts()[STAGE] == Backlog(0, 0, 0.0)


def test_a_clock_set_forward_only_repeats_deliveries(bus: SqliteBus, clock: Clock) -> None:
    publish(bus, b"fact")
    bus.pull(STAGE)
    clock.turn(365 * 86400)
    (again,) = bus.pull(STAGE)
    clock.turn(-365 * 86400)

    assert again.attempt == 2
    assert pulled(bus) == []
    clock.turn(LEASE_SECONDS)
    assert pulled(bus) == [b"fact"]


def test_published_at_is_the_wall_clock_also_after_it_went_back(
    bus: SqliteBus, clock: Clock
) -> None:
    publish(bus, b"before")
    clock.turn(-3600)
    publish(bus, b"after")

    before, after = bus.pull(STAGE, limit=2)
    assert before.published_at - after.published_at == timedelta(hours=1)
    assert after.published_at == clock.at


def test_recover_makes_everything_due_and_counts_an_interruption_once(
    bus: SqliteBus, clock: Clock
) -> None:
    publish(bus, b"refused", b"interrupted")
    refused, _ = bus.pull(STAGE, limit=2)
    bus.nack(refused)
    publish(bus, b"fresh")

    assert bus.recover() == 1
    assert bus.recover() == 0

    deliveries = bus.pull(STAGE, limit=10)
    assert [(d.message.data, d.attempt) for d in deliveries] == [
        (b"refused", 2),
        (b"interrupted", 2),
        (b"fresh", 1),
    ]


def test_a_receipt_from_before_recover_does_nothing(bus: SqliteBus) -> None:
    publish(bus, b"fact")
    (delivery,) = bus.pull(STAGE)
    bus.recover()

    bus.ack(delivery)

    assert pulled(bus) == [b"fact"]


def test_a_message_that_kills_its_process_becomes_a_dead_letter(
    tmp_path: Path, clock: Clock
) -> None:
    with closing(open_bus(tmp_path, clock, max_delivery_attempts=3)) as bus:
        bus.subscribe(STAGE, TOPIC, dead_letter_topic=DEAD)
        bus.subscribe(LETTERS, DEAD)
        publish(bus, b"bomb", b"good")
        for _ in range(3):
            assert pulled(bus, limit=1) == [b"bomb"]
            bus.recover()

        assert pulled(bus, limit=1) == [b"good"]
        (letter,) = bus.pull(LETTERS)
    assert letter.message.data == b"bomb"
    assert letter.message.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "3"


def test_a_dead_letter_waits_for_a_subscription_instead_of_vanishing(
    tmp_path: Path, clock: Clock
) -> None:
    with closing(open_bus(tmp_path, clock, max_delivery_attempts=1)) as bus:
        bus.subscribe(STAGE, TOPIC, dead_letter_topic=DEAD)
        publish(bus, b"poison")
        bus.nack(bus.pull(STAGE)[0])
        clock.turn(600)
        (again,) = bus.pull(STAGE)
        bus.subscribe(LETTERS, DEAD)
        bus.nack(again)

        assert again.attempt == 2
        assert bus.pull(LETTERS)[0].message.data == b"poison"


def test_without_dead_letters_a_message_comes_until_it_is_acknowledged(
    tmp_path: Path, clock: Clock
) -> None:
    with closing(open_bus(tmp_path, clock, max_delivery_attempts=1)) as bus:
        bus.subscribe(STAGE, TOPIC)
        publish(bus, b"fact")
        for attempt in range(1, 100):
            (delivery,) = bus.pull(STAGE)
            assert delivery.attempt == attempt
            bus.nack(delivery)
            clock.turn(600)


def test_counts_say_what_waits_what_is_leased_and_how_old_it_is(
    bus: SqliteBus, clock: Clock
) -> None:
    publish(bus, b"one", b"two")
    clock.turn(60)
    publish(bus, b"three")
    bus.pull(STAGE)
    clock.turn(30)

    assert bus.counts() == {STAGE: Backlog(2, 1, 90.0), LETTERS: Backlog(0, 0, 0.0)}
    clock.turn(LEASE_SECONDS)
    assert bus.counts()[STAGE] == Backlog(3, 0, 690.0)


def test_a_message_to_a_topic_without_subscriptions_is_dropped(bus: SqliteBus) -> None:
    (message_id,) = bus.publish([Message("nobody-listens", b"fact")])
    bus.subscribe("late-comer", "nobody-listens")

    assert message_id
    assert list(bus.pull("late-comer")) == []
    assert stored(bus) == 0


def test_acknowledged_messages_do_not_pile_up(bus: SqliteBus) -> None:
    bus.subscribe("also-analyze", TOPIC)
    for _ in range(20):
        publish(bus, bytes(100_000))
        bus.ack(bus.pull(STAGE)[0])
        assert stored(bus) == 1
        bus.ack(bus.pull("also-analyze")[0])

    assert stored(bus) == 0
    assert bus._path.stat().st_size < 1_000_000


def stored(bus: SqliteBus) -> int:
    with closing(real_connect(bus._path)) as database:
        return int(database.execute("SELECT count(*) FROM messages").fetchone()[0])


def test_subscribing_again_changes_nothing_and_keeps_what_waits(bus: SqliteBus) -> None:
    publish(bus, b"fact")

    bus.subscribe(STAGE, TOPIC, dead_letter_topic=DEAD)

    assert pulled(bus) == [b"fact"]
    with pytest.raises(ConfigError, match="expected 3-255"):
        bus.subscribe("../stage", TOPIC)


def test_ten_megabytes_fit_through(bus: SqliteBus) -> None:
    data = random.Random(1).randbytes(9_999_000)

    publish(bus, data)

    assert pulled(bus) == [data]


def test_an_idle_consumer_writes_nothing(bus: SqliteBus) -> None:
    publish(bus, b"fact")
    bus.pull(STAGE)
    log = Path(f"{bus._path}-wal")
    before = (bus._path.read_bytes(), log.read_bytes())

    for _ in range(20):
        assert pulled(bus) == []

    assert (bus._path.read_bytes(), log.read_bytes()) == before


def test_the_file_of_a_closed_bus_is_a_bus_again(tmp_path: Path, clock: Clock) -> None:
    with closing(open_bus(tmp_path / "new" / "folder", clock)) as bus:
        bus.subscribe(STAGE, TOPIC)
        publish(bus, b"fact")

    with closing(open_bus(tmp_path / "new" / "folder", clock)) as bus:
        assert pulled(bus) == [b"fact"]
        assert sorted(each.name for each in bus._path.parent.iterdir())[0] == "bus.db"


def test_a_relative_url_means_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with closing(sqlite.connect("sqlite://.local/bus.db", Options())) as bus:
        bus.subscribe(STAGE, TOPIC)

    assert (tmp_path / ".local" / "bus.db").is_file()
