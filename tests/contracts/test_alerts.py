"""Every adapter for alerts tells people in a way that nobody outside can forge."""

import json
import logging
import subprocess
import sys
import unicodedata
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.alerts import console
from shared.errors import ConfigError
from shared.logs import CloudFormatter, TextFormatter
from shared.ports import Alert, Alerts, Options

FORGERIES = [
    "one\n12:00:00 geminivideo.alerts all is well",
    "one\r\x1b[2Kall is well",
    "\x1b]0;title\x07",
    "line\u2028separator\u2029\x85\x0b\x0c",
    "\u202egnol",
    "\x00\x7f\x9b31m",
    "\udc80",
]


@pytest.fixture(params=["console://"])
def alerts(request: pytest.FixtureRequest) -> Alerts:
    """Every adapter in turn."""
    return console.connect(request.param, Options())


def lines_of(alert: Alert, formatter: logging.Formatter) -> list[str]:
    """What an alert looks like on a stream."""
    records: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append(self.format(record))

    handler = Keep()
    handler.setFormatter(formatter)
    console.LOGGER.addHandler(handler)
    console.LOGGER.setLevel(logging.INFO)
    try:
        console.connect("console://", Options()).send(alert)
    finally:
        console.LOGGER.removeHandler(handler)
        console.LOGGER.setLevel(logging.NOTSET)
    return records


@pytest.mark.parametrize(
    ("severity", "level"), [("info", "INFO"), ("warning", "WARNING"), ("critical", "CRITICAL")]
)
def test_severity_is_the_level_and_the_parts_are_fields(
    alerts: Alerts,
    caplog: pytest.LogCaptureFixture,
    severity: Literal["info", "warning", "critical"],
    level: str,
) -> None:
    with caplog.at_level(logging.INFO, "geminivideo.alerts"):
        alerts.send(Alert(severity, "Dead letter", "analyze gave up: 100 %s", "acme"))
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("geminivideo.alerts", level)
    assert record.getMessage() == "Dead letter: analyze gave up: 100 %s (tenant acme)"
    line = json.loads(CloudFormatter("").format(record))
    assert (line["severity"], line["tenant_id"]) == (level, "acme")
    assert line["alert"] == {
        "severity": severity,
        "title": "Dead letter",
        "text": "analyze gave up: 100 %s",
    }


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("formatter", [logging.Formatter(), TextFormatter(), CloudFormatter("")])
def test_text_from_outside_cannot_forge_a_line_or_move_the_cursor(
    formatter: logging.Formatter, forgery: str
) -> None:
    (shown,) = lines_of(Alert("info", forgery, forgery, forgery), formatter)
    assert shown.isprintable()
    assert shown.encode().splitlines() == [shown.encode()]


@settings(deadline=None)
@given(st.text(), st.text())
def test_whatever_is_said_is_one_printable_line(title: str, text: str) -> None:
    (shown,) = lines_of(Alert("info", title, text), logging.Formatter())
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


def test_what_can_be_read_is_left_as_it_is() -> None:
    (shown,) = lines_of(Alert("info", "Größe 🎬", r"C:\videos is full"), logging.Formatter())
    assert shown == r"Größe 🎬: C:\videos is full (tenant local)"


def test_without_any_set_up_a_warning_reaches_stderr_as_one_line() -> None:
    script = (
        "from shared.adapters.alerts import console; from shared.ports import *;"
        "console.connect('console://', Options()).send(Alert('critical', 'a\\nb', 'c'))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout == b""
    assert done.stderr == b"a\\nb: c (tenant local)\n"


@pytest.mark.parametrize("url", ["console:", "console://stdout", "slack://hook"])
def test_a_url_that_is_not_the_console_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected console://"):
        console.connect(url, Options())
