"""Log lines: JSON that Cloud Logging understands, or short coloured lines for people."""

import json
import logging
import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

COLOURS = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[1;31m"}
RESET = "\x1b[0m"


@dataclass(frozen=True)
class Trace:
    """What ties log lines, messages and documents of one piece of work together."""

    correlation_id: str
    traceparent: str
    stage: str = ""
    tenant_id: str = ""

    @property
    def trace_id(self) -> str:
        """The 32 hexadecimal digits that all spans of one upload share."""
        return self.traceparent.split("-")[1]

    @property
    def span_id(self) -> str:
        """The 16 hexadecimal digits of this step."""
        return self.traceparent.split("-")[2]

    @property
    def attributes(self) -> dict[str, str]:
        """What a message carries on."""
        return {"correlation_id": self.correlation_id, "traceparent": self.traceparent}


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def child_traceparent(parent: str | None) -> str:
    """A new span within the W3C trace of `parent`, or of a new trace when that is not one."""
    given = re.fullmatch(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})", parent or "")
    usable = given is not None and set(given[1]) != {"0"}
    trace_id, flags = (given[1], given[2]) if given and usable else (secrets.token_hex(16), "01")
    return f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"


@contextmanager
def tracing(trace: Trace) -> Iterator[None]:
    """Every log line inside the context carries the trace."""
    token = _current.set(trace)
    try:
        yield
    finally:
        _current.reset(token)


class CloudFormatter(logging.Formatter):
    """One JSON object a line with the fields that Cloud Logging lifts out."""

    def __init__(self, project: str) -> None:
        super().__init__()
        self.project = project

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line of JSON."""
        line: dict[str, object] = {
            "severity": record.levelname,
            "message": record.getMessage(),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
        }
        if record.exc_info:
            line["stack_trace"] = self.formatException(record.exc_info)
        line.update(self._trace_fields(_current.get()))
        line.update(getattr(record, "fields", {}))
        return json.dumps(line, default=str)

    def _trace_fields(self, trace: Trace | None) -> Mapping[str, object]:
        if trace is None:
            return {}
        name = f"projects/{self.project}/traces/" if self.project else ""
        return {
            "logging.googleapis.com/trace": name + trace.trace_id,
            "logging.googleapis.com/spanId": trace.span_id,
            "correlation_id": trace.correlation_id,
            "stage": trace.stage,
            "tenant_id": trace.tenant_id,
        }


class TextFormatter(logging.Formatter):
    """`12:30:01 analyze 3f2a... done in 1.2 s`, coloured by severity."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, a traceback below it when there is one."""
        trace = _current.get()
        who = f"{trace.stage} {trace.correlation_id[:8]}" if trace else record.name
        when = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        said = f"{who} {record.getMessage()}"
        line = f"{when} " + "".join(c if c.isprintable() else repr(c)[1:-1] for c in said)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        colour = COLOURS.get(record.levelname)
        return f"{colour}{line}{RESET}" if colour else line


def set_up_logging(style: str, level: str, project: str = "") -> None:
    """Send every log line to stderr in one style: `json`, `text`, or `auto` by the terminal."""
    handler = logging.StreamHandler(sys.stderr)
    as_text = style == "text" or (style == "auto" and sys.stderr.isatty())
    handler.setFormatter(TextFormatter() if as_text else CloudFormatter(project))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("werkzeug", "httpx", "httpcore", "google", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
