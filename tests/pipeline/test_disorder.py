"""Messages come twice, shuffled and at once; processes are killed: each video has one result."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from scripts.local.deliver import push_body
from scripts.local.uploads import upload_video
from scripts.stages import ROOT, chain_from, read_stages, subscription_of
from shared.adapters.bus.sqlite import SqliteBus
from shared.app import App
from shared.events import UploadFinalized, VideoAnalyzed
from shared.ports import Delivery
from shared.status import list_status
from tests.support.apps import local_app
from tests.support.videos import make_video
from tests.support.waiting import wait_until

STAGES = read_stages()
CHAIN = chain_from(STAGES, UploadFinalized.topic())


def test_every_message_twice_shuffled_and_at_once_has_one_result(
    tmp_path: Path, serve: Callable[[App], str]
) -> None:
    """Each push is sent twice by concurrent senders; the losers are told to send again."""
    app = local_app(tmp_path, local_port=0)
    bus = app.bus
    assert isinstance(bus, SqliteBus)
    for name in CHAIN:
        bus.subscribe(subscription_of(name), STAGES[name].takes)
    bus.subscribe("watch", "video-analyzed")
    url = serve(app)
    uploads = [upload_video(app, make_video(tmp_path / f"{n}.mp4", seed=n)) for n in range(4)]
    bus.publish([upload.to_message({}) for upload in uploads])
    for name in CHAIN:
        deliveries = pull_all(bus, subscription_of(name), len(uploads)) * 2
        random.Random(7).shuffle(deliveries)
        answers = push_all(url, name, deliveries)
        assert set(answers) <= {204, 503}
        assert set(push_all(url, name, deliveries)) == {204}
    assert_each_done_once(app, 4)
    assert len(bus.pull("watch", limit=100)) == 4


def pull_all(bus: SqliteBus, subscription: str, count: int) -> list[Delivery]:
    """So many messages, as soon as the stages and jobs before have sent them."""
    taken: list[Delivery] = []

    def complete() -> bool:
        taken.extend(bus.pull(subscription, limit=100))
        return len(taken) >= count

    wait_until(complete)
    return taken


def push_all(url: str, name: str, deliveries: Sequence[Delivery]) -> list[int]:
    """Every delivery pushed by eight senders at once; the status of each answer."""

    def push(delivery: Delivery) -> int:
        answer = httpx.post(f"{url}/push/{name}/", json=push_body(delivery), timeout=120)
        return answer.status_code

    with ThreadPoolExecutor(8) as pool:
        return [*pool.map(push, deliveries)]


def assert_each_done_once(app: App, count: int) -> None:
    """As many assets, patterns and reports as videos, and nothing unfinished or failed."""
    assets = list_status(app, CHAIN)
    assert len(assets) == count
    assert all(asset.finished and asset.problem is None for asset in assets)
    assert len(app.documents.query("patterns").documents) == count
    reports = [file for file in app.files.list("analysis/") if file.path.endswith(".json")]
    assert len(reports) == count
    assert len([*app.files.list("videos/")]) == count


def kill_rounds(tmp_path: Path, rounds: int, seconds: float) -> int:
    """Ten videos, a stack that is killed again and again, then one that may finish.

    Returns how many of the kills struck while a stage was at work.
    """
    uploads = tmp_path / ".local" / "files" / "uploads" / "local"
    uploads.mkdir(parents=True)
    for seed in range(10):
        make_video(tmp_path / "new.mp4", seed=seed, seconds=seconds)
        (tmp_path / "new.mp4").rename(uploads / f"ad {seed}.mp4")
    app = local_app(tmp_path / ".local")
    bus = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("watch", "video-analyzed")
    moments, struck = random.Random(rounds), 0
    for _ in range(rounds):
        with running_stack_process(tmp_path):
            wait_until(lambda: at_work(app) or all_done(app))
            time.sleep(moments.uniform(0.0, 0.8))
            struck += at_work(app)
    with running_stack_process(tmp_path):
        wait_until(lambda: all_done(app), seconds=90)
    assert_each_done_once(app, 10)
    assert_each_told(bus, 10)
    return struck


def assert_each_told(bus: SqliteBus, count: int) -> None:
    """As many facts as videos came out; a crash while publishing may tell one twice, as itself."""
    told = [VideoAnalyzed.from_message(d.message) for d in bus.pull("watch", limit=500)]
    assert len({fact.identity for fact in told}) == count
    assert len({fact.model_dump_json() for fact in told}) == count


@contextmanager
def running_stack_process(folder: Path) -> Iterator[None]:
    """The local stack in a process group of its own, killed without warning at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.stack_process"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "GEMINIVIDEO_LOCAL_PORT": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield
        assert process.poll() is None, "the stack ended by itself"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def at_work(app: App) -> bool:
    """Whether a stage of some video is running now."""
    assets = list_status(app, CHAIN)
    return any(stage.state == "running" for asset in assets for stage in asset.stages)


def all_done(app: App) -> bool:
    """Whether ten videos have come to their end."""
    assets = list_status(app, CHAIN)
    return len(assets) == 10 and all(asset.finished for asset in assets)


def test_a_stack_that_is_killed_five_times_loses_nothing(tmp_path: Path) -> None:
    """All ten videos finish after the restarts, each once."""
    assert kill_rounds(tmp_path, 5, seconds=1.0) >= 2


@pytest.mark.soak
@pytest.mark.timeout(1200)
def test_a_stack_that_is_killed_fifty_times_loses_nothing(tmp_path: Path) -> None:
    """The same with the full count."""
    assert kill_rounds(tmp_path, 50, seconds=60.0) >= 25
