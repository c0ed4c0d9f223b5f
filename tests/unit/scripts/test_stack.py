"""The local stack around the functions: schedules, leftovers of a crash, pushes, the log."""

import base64
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Event as Flag
from typing import Any

import httpx
import pytest

from scripts.local.deliver import Deliverer, push_body
from scripts.local.server import Server
from scripts.local.stack import ScheduleRunner, prepare, running_stack
from scripts.stages import Stage, read_stages
from shared import bootstrap, ledger, logs
from shared.adapters.bus.sqlite import SqliteBus
from shared.adapters.schedules.sqlite import SqliteSchedules
from shared.app import App
from shared.errors import ConfigError
from shared.events import Message, VideoIngested
from shared.ports import Delivery, Schedule
from tests.support.apps import Clock, local_app, local_settings

VIDEO = VideoIngested(video_id="a" * 32, path="videos/a/source")


@pytest.fixture
def clock() -> Clock:
    """A clock to turn."""
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> App:
    """This test's App."""
    return local_app(tmp_path, clock)


def test_leftovers_of_a_dead_stack_go_on_at_once(app: App) -> None:
    """Neither the queue's lease nor the ledger's is waited for."""
    prepare(app, read_stages())
    app.bus.publish([VIDEO.to_message({})])
    assert len(app.bus.pull("analyze")) == 1
    assert ledger.claim(app, "analyze", VIDEO, {}) is not None
    assert app.bus.pull("analyze") == []
    prepare(app, read_stages())
    assert len(app.bus.pull("analyze")) == 1
    again = ledger.claim(app, "analyze", VIDEO, {})
    assert again is not None
    assert again.record["attempt"] == 2


def test_leftovers_of_every_tenant_go_on(app: App) -> None:
    """The stack works for all of them."""
    acme = VIDEO.model_copy(update={"tenant_id": "acme"})
    assert ledger.claim(app.for_tenant("acme"), "analyze", acme, {}) is not None
    prepare(app, read_stages())
    assert ledger.claim(app.for_tenant("acme"), "analyze", acme, {}) is not None


def test_a_stack_on_cloud_adapters_is_refused_with_the_way_out(tmp_path: Path) -> None:
    """Nobody wants a laptop to take production's messages."""
    app = local_app(tmp_path, bus="pubsub://project")
    with pytest.raises(ConfigError, match="unset GEMINIVIDEO_FILES"):
        prepare(app, read_stages())


def test_a_schedule_of_stages_yaml_is_published_with_its_slot(app: App, clock: Clock) -> None:
    """Once a slot, and once more for who asks."""
    bus, schedules = app.bus, app.schedules
    assert isinstance(bus, SqliteBus)
    assert isinstance(schedules, SqliteSchedules)
    bus.subscribe("autoscale", "scaling-due")
    schedules.declare([Schedule("autoscale", "0 * * * *", "scaling-due")])
    runner = ScheduleRunner(app, schedules, Flag())
    clock.moment = datetime.now(UTC)
    runner.look()
    clock.pass_seconds(3600)
    runner.look()
    runner.look()
    schedules.run_now("autoscale")
    runner.look()
    slot, request = (delivery.message.attributes for delivery in bus.pull("autoscale", limit=9))
    assert slot["slot"].endswith(":00:00+00:00")
    assert "request_id" in request
    assert "slot" not in request


def test_a_push_looks_like_one_of_pubsub(app: App) -> None:
    """Names and encodings of the REST resource."""
    bus = app.bus
    assert isinstance(bus, SqliteBus)
    bus.subscribe("analyze", VIDEO.topic())
    bus.publish([VIDEO.to_message({"correlation_id": "c"})])
    body = push_body(bus.pull("analyze")[0])
    assert base64.b64decode(body["message"]["data"]) == VIDEO.model_dump_json().encode()
    assert body["message"]["attributes"]["correlation_id"] == "c"
    assert body["message"]["publishTime"].endswith("Z")
    assert body["subscription"] == "projects/local/subscriptions/analyze"
    assert body["deliveryAttempt"] == 1


class Recorder:
    """A bus that remembers what became of one delivery."""

    def __init__(self, delivery: Delivery) -> None:
        self.waiting, self.fate = [delivery], ""

    def publish(self, messages: Any) -> list[str]:
        """Nothing is published here."""
        raise AssertionError

    def pull(self, subscription: str, *, limit: int = 1) -> list[Delivery]:
        """The delivery, once."""
        taken, self.waiting = self.waiting, []
        return taken

    def ack(self, delivery: Delivery) -> None:
        """It was handled."""
        self.fate = "ack"

    def nack(self, delivery: Delivery) -> None:
        """It comes again."""
        self.fate = "nack"


@pytest.fixture
def answering() -> Iterator[tuple[str, list[int]]]:
    """A server that answers with the status that a test chooses."""
    status = [204]

    def answer(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response(f"{status[0]} x", [])
        return [b""]

    server = Server(answer, {}, 0)
    server.start()
    yield server.url, status
    server.stop()


@pytest.mark.parametrize(
    ("status", "fate"),
    [(200, "ack"), (202, "ack"), (204, "ack"), (302, "nack"), (400, "nack"), (503, "nack")],
)
def test_only_what_pubsub_takes_for_an_acknowledgement_is_one(
    answering: tuple[str, list[int]], status: int, fate: str
) -> None:
    """A 400 is only a nack."""
    url, answer = answering
    answer[0] = status
    message = Message("video-ingested", b"{}", {})
    bus = Recorder(Delivery(message, "1", datetime.now(UTC), 1, "r", "analyze"))
    stages: dict[str, Stage] = {"analyze": read_stages()["analyze"]}
    with httpx.Client(base_url=url) as client:
        Deliverer(bus, stages, url, Flag())._deliver_one(client, "analyze")
    assert bus.fate == fate


def test_a_running_stack_serves_page_functions_and_signed_files(tmp_path: Path) -> None:
    """One address for everything, gone when it stops."""
    settings = local_settings(tmp_path, local_port=0)
    try:
        with running_stack(settings, tmp_path) as stack:
            assert "GeminiVideo" in httpx.get(stack.url).text
            assert httpx.post(f"{stack.url}/push/ingest/", content=b"junk").status_code == 204
            stack.app.files.write("analysis/a.txt", b"content")
            signed = stack.app.files.sign("analysis/a.txt", "GET")
            assert httpx.get(signed).content == b"content"
            assert httpx.get(signed.replace("a.txt", "b.txt")).status_code == 403
        with pytest.raises(httpx.ConnectError):
            httpx.get(stack.url)
    finally:
        bootstrap.use(None)


def test_text_lines_cannot_be_forged(capsys: pytest.CaptureFixture[str]) -> None:
    """A file name with a newline and a colour stays on its line."""
    record = logging.LogRecord("n", logging.INFO, "", 0, "%s", ("a\nb\x1b[31m",), None)
    line = logs.TextFormatter().format(record)
    assert "\n" not in line
    assert "\x1b" not in line
