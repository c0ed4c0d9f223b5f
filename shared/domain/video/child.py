"""Runs the reader of untrusted bytes as a child process with limits, and understands its end."""

import json
import select
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from shared.domain.video.refusals import (
    REFUSALS,
    DecoderCrashed,
    OutOfMemory,
    ReaderFailed,
    ReaderStopped,
    ReadingTooSlow,
)
from shared.models import Limits

WORKER = "shared.domain.video.worker"
MAX_ANSWER_BYTES = 256_000_000
READ_BYTES = 1 << 16
MEMORY_SIGNS = ("MemoryError", "Insufficient memory", "Cannot allocate memory")
KILLED_FOR_TIME = {-signal.SIGXCPU}
KILLED_FOR_MEMORY = {-signal.SIGABRT}
# Somebody else's doing: a shutdown, or a kernel short of memory. It says nothing of the file.
STOPPED_FROM_OUTSIDE = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP}
ROOT = Path(__file__).resolve().parents[3]

Progress = Callable[[float, str], None]
Part = Callable[[dict[str, Any]], None]


def read_in_child(
    task: dict[str, Any],
    limits: Limits,
    on_progress: Progress | None = None,
    on_part: Part | None = None,
) -> dict[str, Any]:
    """The result of `task` from a fresh process that dies at the limits, or with this one.

    `on_part` gets what the child hands over before its result, as it comes.

    Raises the refusal that the child names; ReadingTooSlow at the deadline, OutOfMemory or
    DecoderCrashed when it was killed, ReaderFailed when our own code in it failed.
    """
    deadline = time.monotonic() + limits.deadline_seconds
    with tempfile.TemporaryFile() as noise, _start(noise) as process:
        assert process.stdin is not None
        try:
            process.stdin.write((json.dumps(task) + "\n").encode())
            process.stdin.flush()
            answer = _listen(process, deadline, on_progress, on_part)
            # Standard input stays open until here: its end tells the child that we died.
            process.stdin.close()
            if answer is not None:
                return _result(answer)
            status = process.wait(max(0.0, deadline - time.monotonic()))
            raise _post_mortem(status, noise)
        except (TimeoutError, subprocess.TimeoutExpired):
            raise ReadingTooSlow(
                f"the file was not read within {limits.deadline_seconds:g} s; "
                "it stalls or is too heavy: encode it again, shorter or smaller"
            ) from None
        except BrokenPipeError:
            raise _post_mortem(process.wait(), noise) from None
        finally:
            process.kill()


def _start(noise: IO[bytes]) -> subprocess.Popen[bytes]:
    """The worker, with nothing of our environment but what Python needs to find its packages."""
    environment = {
        "PYTHONPATH": ":".join([str(ROOT), *(entry for entry in sys.path if entry)]),
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        # Looking for plug-ins reads the metadata of every installed package.
        "PYDANTIC_DISABLE_PLUGINS": "true",
    }
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        environment["LD_LIBRARY_PATH"] = f"{sys.base_prefix}/lib"
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module, no shell
        [sys.executable, "-P", "-S", "-m", WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=noise,
        env=environment,
        start_new_session=True,
    )


def _listen(
    process: subprocess.Popen[bytes],
    deadline: float,
    on_progress: Progress | None,
    on_part: Part | None,
) -> dict[str, Any] | None:
    """The last word of the child (a result or an error), None when it ended without one."""
    assert process.stdout is not None
    waiting, taken_bytes = b"", 0
    while taken_bytes < MAX_ANSWER_BYTES:
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not select.select([process.stdout], [], [], remaining)[0]:
            raise TimeoutError
        part = process.stdout.read1(READ_BYTES)  # type: ignore[attr-defined]
        if not part:
            return None
        taken_bytes += len(part)
        *lines, waiting = (waiting + part).split(b"\n")
        for line in lines:
            message: dict[str, Any] = json.loads(line)
            if "part" in message:
                if on_part is not None:
                    on_part(message["part"])
            elif "progress" not in message:
                return message
            elif on_progress is not None:
                on_progress(float(message["progress"]), str(message["step"]))
    raise TimeoutError


def _result(answer: dict[str, Any]) -> dict[str, Any]:
    if "error" in answer:
        error = answer["error"]
        raise REFUSALS.get(error["code"], DecoderCrashed)(error["message"])
    result: dict[str, Any] = answer["result"]
    return result


def _post_mortem(status: int, noise: IO[bytes]) -> Exception:
    """What a child that died without a word died of."""
    if status in KILLED_FOR_TIME:
        return ReadingTooSlow("reading the file takes more processor time than is allowed")
    if status in KILLED_FOR_MEMORY:
        return OutOfMemory("reading the file was stopped for want of memory; encode it smaller")
    if status in STOPPED_FROM_OUTSIDE:
        return ReaderStopped(f"the reader was stopped ({signal.Signals(-status).name})")
    if status < 0:
        name = signal.Signals(-status).name
        return DecoderCrashed(f"the decoder crashed on this file ({name}); encode it again")
    noise.seek(0)
    lines = noise.read().decode(errors="replace").strip().splitlines()
    if lines and any(sign in lines[-1] for sign in MEMORY_SIGNS):
        return OutOfMemory("reading the file takes more memory than is allowed; encode it smaller")
    last_words = lines[-1] if lines else "silent"
    return ReaderFailed(f"the reader ended with status {status}: {last_words}")
