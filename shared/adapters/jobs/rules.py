"""What every adapter for jobs agrees on: names, the environment of a job, how large a call is."""

import json
import re
from collections.abc import Mapping

from shared.errors import ConfigError, JobMissing, Rejected
from shared.events import Message

MESSAGE_VARIABLE = "GEMINIVIDEO_JOB_MESSAGE"
EXECUTION_VARIABLE = "GEMINIVIDEO_JOB_EXECUTION"
TIMEOUT_VARIABLE = "GEMINIVIDEO_JOB_TIMEOUT_SECONDS"
MOST_BYTES = 32_000
"""Cloud Run takes 32 KiB for one variable; events carry ids, so this is plenty."""
STOP_SECONDS = 10.0
"""What Cloud Run leaves a job between SIGTERM and SIGKILL."""
_NAME = re.compile(r"[a-z]+(_[a-z]+)*")
_EXECUTION = re.compile(r"([a-z]+(?:_[a-z]+)*)/([a-z0-9][a-z0-9-]{0,62})")


class JobInvalid(Rejected):
    """An event that no job can be started with."""


def call_text(message: Message) -> str:
    """What the job's process reads its event from; raises JobInvalid when that is too large."""
    try:
        data = message.data.decode()
    except UnicodeDecodeError as problem:
        raise JobInvalid(f"{message.topic}: data is not text ({problem})") from problem
    call = {"topic": message.topic, "data": data, "attributes": dict(message.attributes)}
    text = json.dumps(call)
    if len(text) > MOST_BYTES:
        raise JobInvalid(f"{message.topic}: {len(text)} bytes; a job takes at most {MOST_BYTES}")
    return text


def check_name(name: str, known: Mapping[str, object] | None = None) -> None:
    """Raises JobMissing for what is no job's name, or none of those that are known."""
    if _NAME.fullmatch(name) and (known is None or name in known):
        return
    listed = f"; known: {', '.join(known)}" if known else ""
    raise JobMissing(f"no job {name[:60]!r}{listed}")


def parts_of(execution: str) -> tuple[str, str]:
    """The job and the platform's own id; raises ConfigError for what is no execution's name."""
    found = _EXECUTION.fullmatch(execution)
    if found is None:
        raise ConfigError(f"{execution[:120]!r} is no execution: expected <job>/<id>")
    return found[1], found[2]


def cloud_name(job: str) -> str:
    """A job's name in the cloud: hyphens for underscores."""
    return job.replace("_", "-")
