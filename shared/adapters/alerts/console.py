"""Alerts as log lines on the console."""

import logging

from shared.errors import ConfigError
from shared.ports import Alert, Options

LOGGER = logging.getLogger("geminivideo.alerts")
LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


def connect(url: str, options: Options) -> "ConsoleAlerts":
    """Alerts through the logging of this process; the URL is `console://`."""
    if url != "console://":
        raise ConfigError(f"{url!r}: expected console://")
    return ConsoleAlerts()


class ConsoleAlerts:
    """One line an alert, its parts in the `fields` that structured logs lift out."""

    def send(self, alert: Alert) -> None:
        """Log one line at the level of the alert's severity."""
        fields = {
            "tenant_id": alert.tenant_id,
            "alert": {"severity": alert.severity, "title": alert.title, "text": alert.text},
        }
        LOGGER.log(
            LEVELS[alert.severity],
            "%s: %s (tenant %s)",
            _printable(alert.title),
            _printable(alert.text),
            _printable(alert.tenant_id),
            extra={"fields": fields},
        )


def _printable(text: str) -> str:
    """The text with everything that could move a terminal's cursor written as an escape."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
