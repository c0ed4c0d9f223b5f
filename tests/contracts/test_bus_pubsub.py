"""What only the Pub/Sub bus promises: Google's errors become ours, and nothing is left running."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions

from shared.adapters.bus import pubsub
from shared.adapters.bus.rules import MAX_MESSAGE_BYTES, MessageInvalid, wire_bytes
from shared.errors import ConfigError, PipelineError, RetryLater
from shared.events import Message
from shared.ports import Delivery, Options, utc_now
from tests.support.emulators import free_port

api: Any = api_exceptions
auth: Any = auth_exceptions

ROOT = Path(__file__).parents[2]
MESSAGE = Message("video-ingested", b"fact", {"topic": "video-ingested"})
DELIVERY = Delivery(MESSAGE, "1", utc_now(), 1, "receipt", "analyze")

ERRORS: list[tuple[Exception, type[PipelineError], str]] = [
    (api.NotFound("gone"), ConfigError, "does not exist: terraform/ makes it"),
    (api.PermissionDenied("no"), ConfigError, "roles/pubsub.publisher"),
    (api.Unauthenticated("who"), ConfigError, "not allowed"),
    (api.FailedPrecondition("push"), ConfigError, "cannot be used like this"),
    (api.InvalidArgument("too large"), MessageInvalid, "too large"),
    (api.ServiceUnavailable("away"), RetryLater, "cannot be reached now"),
    (api.DeadlineExceeded("slow"), RetryLater, "cannot be reached now"),
    (api.ResourceExhausted("quota"), RetryLater, "cannot be reached now"),
    (api.InternalServerError("oops"), RetryLater, "cannot be reached now"),
    (api.RetryError("tried", cause=None), RetryLater, "cannot be reached now"),
    (auth.DefaultCredentialsError("none"), ConfigError, "application-default login"),
    (auth.RefreshError("expired"), ConfigError, "application-default login"),
    (auth.TransportError("network"), RetryLater, "cannot be reached now"),
]


class BrokenClient:
    """The SDK's client when every request fails in one way."""

    def __init__(self, problem: Exception) -> None:
        self._problem = problem

    def __getattr__(self, method: str) -> object:
        def fail(**request: object) -> None:
            raise self._problem

        return fail


@pytest.mark.parametrize(("problem", "expected", "text"), ERRORS, ids=lambda value: str(value)[:40])
def test_every_error_of_google_becomes_one_of_ours(
    problem: Exception, expected: type[PipelineError], text: str
) -> None:
    bus = pubsub.connect("pubsub://some-project", Options())
    bus.__dict__["_publisher"] = bus.__dict__["_subscriber"] = BrokenClient(problem)

    with pytest.raises(expected, match=text) as publishing:
        bus.publish([MESSAGE])
    with pytest.raises(expected):
        bus.ack(DELIVERY)
    with pytest.raises(expected):
        bus.nack(DELIVERY)
    assert "'video-ingested' of project 'some-project'" in str(publishing.value)
    if not isinstance(problem, api.DeadlineExceeded):
        with pytest.raises(expected):
            bus.pull("analyze")


def test_a_pull_that_waited_in_vain_is_empty() -> None:
    bus = pubsub.connect("pubsub://some-project", Options())
    bus.__dict__["_subscriber"] = BrokenClient(api.DeadlineExceeded("nothing came"))

    assert list(bus.pull("analyze")) == []


@pytest.mark.parametrize("url", ["pubsub://", "pubsub://a/b", "sqlite://x", "pubsub://a?b", ""])
def test_a_url_without_a_project_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected pubsub://PROJECT"):
        pubsub.connect(url, Options())


def test_a_missing_topic_is_named_with_the_way_out(
    pubsub_emulator: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
    bus = pubsub.connect("pubsub://some-project", Options())

    with pytest.raises(ConfigError, match=r"no-such-topic.*does not exist"):
        bus.publish([Message("no-such-topic", b"fact")])
    bus.close()


def test_a_server_that_is_away_is_tried_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{free_port()}")
    monkeypatch.setattr(pubsub, "RETRY_SECONDS", 0.5)
    bus = pubsub.connect("pubsub://some-project", Options())

    with pytest.raises(RetryLater, match="cannot be reached now"):
        bus.publish([MESSAGE])
    bus.close()


def test_requests_hold_one_topic_and_stay_under_the_limits() -> None:
    small = [Message(("one-topic", "other-topic")[n % 2], b"x") for n in range(4500)]
    large = [Message("one-topic", bytes(4_000_000)) for _ in range(5)]
    messages = [*small, *large]

    requests = list(pubsub._requests(messages))

    assert sorted(number for request in requests for number in request) == list(range(4505))
    for request in requests:
        assert len({messages[number].topic for number in request}) == 1
        assert len(request) <= 1000
        assert sum(wire_bytes(messages[number]) for number in request) <= MAX_MESSAGE_BYTES
        assert request == sorted(request)


PROGRAM = """
import threading
from shared.adapters.bus import pubsub
from shared.events import Message
from shared.errors import ConfigError
from shared.ports import Options
bus = pubsub.connect("pubsub://some-project", Options())
for call in (lambda: bus.publish([Message("some-topic", b"x")]), lambda: bus.pull("some-stage")):
    try:
        call()
    except ConfigError:
        pass
    else:
        raise SystemExit("expected no topic and no subscription")
print(threading.active_count())
"""


@pytest.mark.parametrize("ending", ["bus.close()", ""])
def test_a_program_ends_at_once_and_silently(
    pubsub_emulator: str, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", pubsub_emulator)
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning"]

    ended = subprocess.run(
        [*command, "-c", PROGRAM + ending], cwd=ROOT, capture_output=True, text=True, timeout=20
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "1\n", "")
