"""The child that reads untrusted bytes: limits itself, does one task, answers in JSON lines."""

import ctypes
import json
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shared.errors import Rejected
from shared.models import Limits

PR_SET_PDEATHSIG = 1
NOISE_BYTES = 1_000_000


def main() -> None:
    """Reads one task from standard input and writes progress and one answer to standard output."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    # What a native library prints must not stand between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    task = json.loads(sys.stdin.buffer.readline())
    limits = Limits.model_validate(task["limits"])
    guard_this_process(limits)

    def say(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message) + "\n")
        answers.flush()

    try:
        say({"result": _do(task, limits, say)})
    except Rejected as refusal:
        say({"error": {"code": refusal.code, "message": str(refusal)}})
    except MemoryError:
        say({"error": {"code": "out_of_memory", "message": _too_much(limits)}})
    answers.close()
    # Decoder threads may hang in a broken file; everything is said, so nobody waits for them.
    os._exit(0)


def _do(
    task: dict[str, Any], limits: Limits, say: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    if task["do"] == "inspect":
        from shared.domain.video.media import inspect_media

        return inspect_media(Path(task["path"]), task["demuxer"], limits)

    if task["do"] == "probe":
        from shared.domain.render.probe import probe_media

        return probe_media(Path(task["path"]), task["demuxer"], limits)

    def on_progress(share: float, step: str) -> None:
        say({"progress": round(share, 3), "step": step})

    if task["do"] == "infer":
        from shared.domain.inference.sampling import sample_video

        return sample_video(task, limits, on_progress, lambda part: say({"part": part}))
    from shared.domain.video.measure import measure_video

    return measure_video(task, limits, on_progress)


def _too_much(limits: Limits) -> str:
    mega = limits.max_memory_bytes // 1_000_000
    return f"reading the file takes more than {mega} MB of memory; encode it smaller"


def guard_this_process(limits: Limits) -> None:
    """Limits on memory, processor time and files for this process, and an end with its parent."""
    _limit_resources(limits)
    _die_with_the_parent()


def _limit_resources(limits: Limits) -> None:
    if sys.platform == "linux":
        # Elsewhere the address space counts mapped libraries and cannot be limited usefully.
        resource.setrlimit(resource.RLIMIT_AS, (limits.max_memory_bytes, limits.max_memory_bytes))
    cpu_seconds = int(limits.deadline_seconds * (os.cpu_count() or 1)) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (NOISE_BYTES, NOISE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _die_with_the_parent() -> None:
    """Linux kills us with the parent; the end of standard input does it everywhere."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch_standard_input, daemon=True).start()


def _watch_standard_input() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main()
