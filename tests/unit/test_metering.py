"""Money for calls: never over a cap, exact under duplicates, kept when a process dies."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.app import App
from shared.errors import Conflict
from shared.metering import TOTALS, Caps, Meter
from tests.support.apps import Clock, local_app

CAPS = Caps(subject_micro_usd=100, day_micro_usd=250)


@pytest.fixture
def clock() -> Clock:
    """A clock that a test can turn."""
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> App:
    """This test's App."""
    return local_app(tmp_path, clock)


def spent(app: App, total: str) -> int:
    """What a total says."""
    stored = app.documents.get(TOTALS, total)
    return int(stored.data["micro_usd"]) if stored else 0


def test_what_a_call_cost_takes_the_place_of_what_was_put_aside(app: App) -> None:
    meter = Meter(app, "video-1", CAPS)
    assert meter.hold("gemini://m", 60) == ""
    assert spent(app, "day:2026-01-02") == 60
    meter.settle("gemini://m", 7)
    assert spent(app, "day:2026-01-02") == spent(app, "subject:video-1") == 7


def test_a_second_settlement_changes_nothing(app: App) -> None:
    meter = Meter(app, "video-1", CAPS)
    meter.hold("gemini://m", 60)
    meter.settle("gemini://m", 7)
    meter.settle("gemini://m", 7)
    meter.settle("nobody", 7)
    assert spent(app, "day:2026-01-02") == 7


def test_a_call_over_the_cap_of_a_video_is_refused_before_it_is_made(app: App) -> None:
    meter = Meter(app, "video-1", CAPS)
    assert meter.hold("gemini://m", 60) == ""
    assert "a video" in meter.hold("claude://m", 60)
    assert meter.hold("claude://m", 40) == ""
    assert spent(app, "subject:video-1") == 100


def test_a_call_over_the_cap_of_a_day_is_refused_until_the_next_day(app: App, clock: Clock) -> None:
    for number in range(2):
        assert Meter(app, f"video-{number}", CAPS).hold("gemini://m", 100) == ""
    assert "a day" in Meter(app, "video-3", CAPS).hold("gemini://m", 51)
    assert Meter(app, "video-3", CAPS).hold("gemini://m", 50) == ""
    clock.pass_seconds(86_400)
    assert Meter(app, "video-4", CAPS).hold("gemini://m", 51) == ""


def test_what_a_dead_process_put_aside_stays_put_aside(app: App) -> None:
    assert Meter(app, "video-1", CAPS).hold("gemini://m", 60) == ""
    again = Meter(app, "video-1", CAPS)
    assert "a video" in again.hold("gemini://m", 60)
    assert again.hold("gemini://m", 40) == ""
    again.settle("gemini://m", 5)
    assert spent(app, "subject:video-1") == 65


def test_a_cap_of_nothing_lets_only_free_calls_through(app: App) -> None:
    meter = Meter(app, "video-1", Caps(0, 0))
    assert "cap of $0.0000" in meter.hold("gemini://m", 1)
    assert meter.hold("free://m", 0) == ""


def test_one_tenant_does_not_spend_for_another(app: App) -> None:
    Meter(app.for_tenant("acme"), "video-1", CAPS).hold("gemini://m", 100)
    assert Meter(app.for_tenant("other"), "video-1", CAPS).hold("gemini://m", 100) == ""


def test_many_at_once_never_pass_the_cap_together(tmp_path: Path) -> None:
    app = local_app(tmp_path, Clock())

    def one(number: int) -> str:
        while True:
            try:
                return Meter(app, f"video-{number % 20}", CAPS).hold("gemini://m", 30)
            except Conflict:
                continue

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(one, range(40)))
    granted = answers.count("")
    assert spent(app, "day:2026-01-02") == 30 * granted
    assert 1 <= granted <= 250 // 30


def test_a_call_cannot_earn_money(app: App) -> None:
    with pytest.raises(ValueError, match="does not earn"):
        Meter(app, "video-1", CAPS).hold("gemini://m", -1)
