"""The SQLite bus among many users, with a broken file or disk, and under kill -9."""

import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.bus import sqlite
from shared.adapters.bus.sqlite import SqliteBus
from shared.errors import ConfigError, RetryLater
from shared.events import Message
from shared.ports import Options

ROOT = Path(__file__).parents[2]
TOPIC, STAGE = "video-ingested", "analyze"
real_connect: Callable[..., sqlite3.Connection] = sqlite3.connect


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[SqliteBus]:
    with closing(open_bus(tmp_path)) as bus:
        bus.subscribe(STAGE, TOPIC)
        yield bus


def open_bus(folder: Path) -> SqliteBus:
    return sqlite.connect(f"sqlite://{folder}/bus.db", Options())


def publish(bus: SqliteBus, *data: bytes) -> None:
    bus.publish([Message(TOPIC, each) for each in data])


def pulled(bus: SqliteBus) -> list[bytes]:
    return [delivery.message.data for delivery in bus.pull(STAGE, limit=100)]


@pytest.mark.parametrize("url", ["sqlite://", "sqlite://folder/", "sqlite://:memory:", "x://y", ""])
def test_a_url_that_is_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected sqlite://FILE"):
        sqlite.connect(url, Options())


def test_waits_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"waits of 20 to 10 s"):
        sqlite.connect(
            f"sqlite://{tmp_path}/bus.db", Options(retry_min_seconds=20, retry_max_seconds=10)
        )


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")

    with pytest.raises(ConfigError, match="taken cannot be the bus's folder"):
        open_bus(tmp_path / "taken")


def test_a_file_that_is_no_bus_is_named(tmp_path: Path) -> None:
    (tmp_path / "bus.db").write_bytes(b"this is not a database " * 100)

    with pytest.raises(ConfigError, match=r"bus\.db is damaged or no bus"):
        open_bus(tmp_path)


def test_a_bus_of_another_version_is_left_alone(bus: SqliteBus) -> None:
    with closing(real_connect(bus._path)) as database:
        database.execute("PRAGMA user_version = 7")

    with pytest.raises(ConfigError, match="has version 7"):
        open_bus(bus._path.parent)


def test_a_full_disk_is_said_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(open_bus(tmp_path)) as bus:
        bus.subscribe(STAGE, TOPIC)
        publish(bus, b"before")
        bus.close()

        def small_disk(*arguments: Any, **options: Any) -> sqlite3.Connection:
            database = real_connect(*arguments, **options)
            database.execute("PRAGMA max_page_count = 20")
            return database

        with monkeypatch.context() as patched:
            patched.setattr(sqlite3, "connect", small_disk)
            with pytest.raises(RetryLater, match=r"bus\.db: the disk is full; free some space"):
                publish(bus, b"small", bytes(1_000_000))
            assert bus.counts()[STAGE].waiting == 1
        bus.close()
        publish(bus, b"after")

        assert pulled(bus) == [b"before", b"after"]


def test_a_disk_that_refuses_writes_is_said(tmp_path: Path) -> None:
    program = (
        "import resource, signal, sys\n"
        "from shared.adapters.bus import sqlite\n"
        "from shared.errors import RetryLater\n"
        "from shared.events import Message\n"
        "from shared.ports import Options\n"
        "bus = sqlite.connect(sys.argv[1], Options())\n"
        "bus.subscribe('analyze', 'video-ingested')\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
        "try:\n"
        "    bus.publish([Message('video-ingested', bytes(1_000_000))])\n"
        "except RetryLater as problem:\n"
        "    print(problem)\n"
        "bus.publish([Message('video-ingested', b'small')])\n"
        "print(len(bus.pull('analyze', limit=9)))\n"
    )
    ended = run(program, f"sqlite://{tmp_path}/bus.db")

    lines = ended.stdout.splitlines()
    assert "bus.db: the disk refuses reads or writes" in lines[0]
    assert lines[1:] == ["1"]


def run(program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)


def test_a_locked_file_is_said(bus: SqliteBus, monkeypatch: pytest.MonkeyPatch) -> None:
    bus.close()
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with closing(real_connect(bus._path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(RetryLater, match=r"bus\.db: another process keeps it locked"):
            publish(bus, b"fact")

    publish(bus, b"fact")
    assert pulled(bus) == [b"fact"]


def test_a_writer_waits_for_the_one_before_it(bus: SqliteBus) -> None:
    with closing(real_connect(bus._path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.2, other.execute, ["COMMIT"])
        timer.start()
        publish(bus, b"fact")
        timer.join()

    assert pulled(bus) == [b"fact"]


def test_a_new_file_is_made_while_another_process_makes_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def impatient(*arguments: Any, **options: Any) -> sqlite3.Connection:
        return real_connect(*arguments, **{**options, "timeout": 0})

    monkeypatch.setattr(sqlite3, "connect", impatient)
    path = tmp_path / "bus.db"
    with closing(real_connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(0.2, other.execute, ["COMMIT"])
        timer.start()
        with closing(open_bus(tmp_path)) as bus:
            bus.subscribe(STAGE, TOPIC)
            publish(bus, b"fact")
            assert pulled(bus) == [b"fact"]
        timer.join()


def test_a_read_only_file_is_said(bus: SqliteBus, monkeypatch: pytest.MonkeyPatch) -> None:
    bus.close()

    def read_only(path: Path, **options: Any) -> sqlite3.Connection:
        return real_connect(f"file:{path}?mode=ro", uri=True, **options)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    with pytest.raises(RetryLater, match=r"bus\.db: it is read-only"):
        publish(bus, b"fact")


def test_a_file_that_cannot_be_opened_is_said(tmp_path: Path) -> None:
    (tmp_path / "bus.db").mkdir()

    with pytest.raises(RetryLater, match=r"bus\.db: it cannot be opened"):
        open_bus(tmp_path)


def test_sixteen_threads_share_the_work_and_nothing_comes_twice(tmp_path: Path) -> None:
    with closing(sqlite.connect(f"sqlite://{tmp_path}/bus.db", Options())) as bus:
        bus.subscribe(STAGE, TOPIC)
        publish(bus, *(b"%d" % n for n in range(320)))
        seen: list[bytes] = []

        def consume(_: int) -> None:
            for _ in range(20):
                (delivery,) = bus.pull(STAGE)
                seen.append(delivery.message.data)
                bus.ack(delivery)

        with ThreadPoolExecutor(16) as pool:
            list(pool.map(consume, range(16)))

        assert sorted(seen) == sorted(b"%d" % n for n in range(320))
        assert bus.counts()[STAGE].waiting == 0


OPENER = """
import sys
from shared.adapters.bus import sqlite
from shared.events import Message
from shared.ports import Options
bus = sqlite.connect(sys.argv[1], Options())
bus.subscribe("analyze", "video-ingested")
for n in range(20):
    bus.publish([Message("video-ingested", b"fact")])
"""


def test_processes_that_start_together_make_one_bus(tmp_path: Path) -> None:
    url = f"sqlite://{tmp_path}/bus.db"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: run(OPENER, url), range(4)))

    with closing(sqlite.connect(url, Options())) as bus:
        assert bus.counts()[STAGE].waiting == 80


PUBLISHER = """
import itertools, os, sys, time
from shared.adapters.bus import sqlite
from shared.events import Message
from shared.ports import Options
bus = sqlite.connect(sys.argv[1], Options())
for n in itertools.count():
    names = [f"{os.getpid()}-{n}-{part}" for part in range(3)]
    bus.publish([Message("video-ingested", name.encode() + bytes(n % 5 * 9000)) for name in names])
    os.write(1, "".join(name + "\\n" for name in names).encode())
    time.sleep(0.002)
"""
CONSUMER = """
import os, random, sys, time
from shared.adapters.bus import sqlite
from shared.ports import Options
bus = sqlite.connect(sys.argv[1], Options(retry_min_seconds=0, retry_max_seconds=0))
while True:
    for delivery in bus.pull("analyze", limit=3):
        if random.random() < 0.2:
            bus.nack(delivery)
            continue
        name = delivery.message.data.rstrip(b"\\0")
        os.write(1, b"before " + name + b"\\n")
        bus.ack(delivery)
        os.write(1, b"after " + name + b"\\n")
"""


@pytest.mark.parametrize(
    "rounds",
    [5, pytest.param(500, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
)
def test_kill_nine_at_any_moment_loses_nothing(tmp_path: Path, rounds: int) -> None:
    url = f"sqlite://{tmp_path}/bus.db"
    options = Options(max_delivery_attempts=1_000_000)
    published, offered, finished, waiting = set[str](), set[str](), set[str](), set[str]()
    with closing(sqlite.connect(url, options)) as bus:
        bus.subscribe(STAGE, TOPIC)
    for _ in range(rounds):
        sent, handled = kill_both_while_they_work(url, tmp_path)
        published |= set(sent)
        offered |= {line.removeprefix("before ") for line in handled if line[0] == "b"}
        finished |= {line.removeprefix("after ") for line in handled if line[0] == "a"}
        assert check_integrity(tmp_path / "bus.db") == "ok"
        waiting |= drain(url, options)

    assert published <= waiting | offered
    assert not waiting & finished
    assert len(published) > rounds
    assert len(finished) > rounds


def kill_both_while_they_work(url: str, folder: Path) -> tuple[list[str], list[str]]:
    """Whole lines that a publisher and a consumer wrote before each was killed."""
    outputs = [folder / "published.txt", folder / "handled.txt"]
    processes = []
    for program, output in zip((PUBLISHER, CONSUMER), outputs, strict=True):
        with output.open("wb") as file:
            command = [sys.executable, "-c", program, url]
            processes.append(subprocess.Popen(command, cwd=ROOT, stdout=file))
    deadline = time.monotonic() + 20
    while not all(output.stat().st_size for output in outputs):
        assert time.monotonic() < deadline, "nothing was published and handled"
        time.sleep(0.01)
    random.shuffle(processes)
    for process in processes:
        time.sleep(random.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL)
    assert [process.wait() for process in processes] == [-signal.SIGKILL] * 2
    sent, handled = (output.read_text().rpartition("\n")[0].splitlines() for output in outputs)
    return sent, handled


def check_integrity(path: Path) -> str:
    with closing(real_connect(path)) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def drain(url: str, options: Options) -> set[str]:
    """Take everything that is left after a crash, so that many rounds need no more disk."""
    names = set()
    with closing(sqlite.connect(url, options)) as bus:
        bus.recover()
        while deliveries := bus.pull(STAGE, limit=1000):
            for delivery in deliveries:
                names.add(delivery.message.data.rstrip(b"\0").decode())
                bus.ack(delivery)
    return names
