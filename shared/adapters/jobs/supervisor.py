"""Stays beside one local execution: attempts, time and memory limits, and what became of it."""

import ctypes
import fcntl
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
LOOK_EVERY_SECONDS = 0.05
CANCELLED = "cancelled"


@dataclass
class Execution:
    """One execution's folder and what is written there."""

    place: Path
    task: Mapping[str, Any]
    status: dict[str, Any] = field(default_factory=dict)

    def tell(self, **changes: Any) -> None:
        """Write the status; nobody ever reads half of one."""
        self.status |= changes
        half_written = self.place / "status.part"
        half_written.write_text(json.dumps(self.status))
        half_written.replace(self.place / "status.json")

    @property
    def wants_to_end(self) -> bool:
        """Whether somebody asked for the end."""
        return (self.place / "cancel").exists()


def main() -> None:
    """Take the lock, let the caller go, and stay until the job has ended."""
    execution = Execution(Path(sys.argv[1]), json.loads(sys.stdin.buffer.read()))
    lock = (execution.place / "lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    execution.tell(
        state="running", attempt=0, started_at=_now(), ended_at=None, reason="", pid=None
    )
    if os.fork():
        # The caller has what it needs; the lock stays with the one that goes on.
        os._exit(0)
    os.setsid()
    run(execution)
    lock.close()


def run(execution: Execution) -> None:
    """Try until it succeeds, is cancelled, or has had its retries."""
    attempts = execution.task["retries"] + 1
    reason = ""
    with taken_slot(execution):
        for attempt in range(1, attempts + 1):
            if execution.wants_to_end:
                reason = CANCELLED
                break
            reason = run_once(execution, attempt)
            if reason in ("", CANCELLED):
                break
    state = {"": "succeeded", CANCELLED: "cancelled"}.get(reason, "failed")
    execution.tell(state=state, reason=reason, ended_at=_now(), pid=None)


@contextmanager
def taken_slot(execution: Execution) -> Iterator[None]:
    """One of the places that this machine has for jobs, waited for; a death gives it back.

    Ten renders at once would each be slower than one after the other, and need ten times the
    memory. Whoever is cancelled while waiting goes on without a place.
    """
    places = Path(execution.task["slots_folder"])
    places.mkdir(exist_ok=True)
    with ExitStack() as held:
        files = [
            held.enter_context((places / str(number)).open("w"))
            for number in range(execution.task["slots"])
        ]
        while not execution.wants_to_end and not any(map(_locked, files)):
            time.sleep(LOOK_EVERY_SECONDS)
        yield


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def run_once(execution: Execution, attempt: int) -> str:
    """One attempt with temporary files of its own; returns what went wrong, empty: nothing."""
    task, temporary = execution.task, execution.place / f"attempt-{attempt}"
    temporary.mkdir()
    try:
        process = subprocess.Popen(  # noqa: S603 - the job that jobs.yaml declares, no shell
            task["command"],
            env={**task["environment"], "TMPDIR": str(temporary)},
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_limits(task["memory_bytes"]),  # noqa: PLW1509 - this process has one thread
        )
        execution.tell(attempt=attempt, pid=process.pid)
        return _watch(execution, process, attempt)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _watch(execution: Execution, process: "subprocess.Popen[bytes]", attempt: int) -> str:
    """Wait for the end of an attempt, or make one."""
    deadline = time.monotonic() + execution.task["timeout_seconds"]
    stopped = ""
    while process.poll() is None and not stopped:
        time.sleep(LOOK_EVERY_SECONDS)
        if execution.wants_to_end:
            stopped = CANCELLED
        elif time.monotonic() > deadline:
            stopped = f"attempt {attempt} took longer than {execution.task['timeout_seconds']} s"
    if stopped:
        _end(process, execution.task["stop_seconds"])
        return stopped
    status = process.wait()
    if status == 0:
        return ""
    how = f"was killed ({signal.Signals(-status).name})" if status < 0 else f"ended with {status}"
    return f"attempt {attempt} {how}"


def _end(process: "subprocess.Popen[bytes]", stop_seconds: float) -> None:
    """SIGTERM to the job, SIGKILL to all it started when it stays."""
    process.terminate()
    try:
        process.wait(stop_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _limits(memory_bytes: int) -> Callable[[], None]:
    """What the job's process does first: a limit on its memory, and death with its supervisor."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    own_pid = os.getpid()

    def limit() -> None:
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        # Only the soft limit: the reader of videos sets its own.
        wanted = memory_bytes if hard == resource.RLIM_INFINITY else min(memory_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != own_pid:
                os._exit(1)

    return limit


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    main()
