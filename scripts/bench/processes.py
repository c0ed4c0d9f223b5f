"""Runs commands and says what their whole process trees took."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.stages import ROOT

TIMED = Path(__file__).with_name("timed.py")
LAST_WORDS = 300

Command = Sequence[str | Path]


class Unavailable(Exception):
    """A figure cannot be measured on this machine now; the message is the reason."""


@dataclass(frozen=True)
class Run:
    """What one command took: processor time and memory of its tree, and what it printed."""

    cpu_seconds: float
    wall_seconds: float
    peak_mb: float
    output: str


class Clock:
    """The time that the whole bench may take."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until everything must have ended; never negative."""
        return max(0.0, self._end - time.monotonic())


def run_one(command: Command, clock: Clock) -> Run:
    """One command from start to end; raises Unavailable when it fails or the time is up."""
    return run_together([command], clock)[0]


def run_together(commands: Sequence[Command], clock: Clock) -> list[Run]:
    """Commands that run at the same time; raises Unavailable when one fails or the time is up."""
    with tempfile.TemporaryDirectory() as folder:
        places = [Path(folder) / str(index) for index in range(len(commands))]
        started = [_start(c, place) for c, place in zip(commands, places, strict=True)]
        try:
            return [_finish(p, place, clock) for p, place in zip(started, places, strict=True)]
        finally:
            for process in started:
                _kill(process)


def _start(command: Command, place: Path) -> subprocess.Popen[bytes]:
    place.mkdir()
    with open(place / "output", "wb") as output, open(place / "problem", "wb") as problem:
        return subprocess.Popen(  # noqa: S603 - the bench's own commands, no shell
            [sys.executable, "-I", "-S", TIMED, place / "took", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=problem,
            cwd=ROOT,
            start_new_session=True,
        )


def _finish(process: subprocess.Popen[bytes], place: Path, clock: Clock) -> Run:
    try:
        status = process.wait(clock.left)
    except subprocess.TimeoutExpired:
        raise Unavailable("the bench's time was up before this could be measured") from None
    output = (place / "output").read_text(errors="replace")
    if status:
        said = (place / "problem").read_text(errors="replace").strip() or output.strip()
        raise Unavailable(f"the command failed: {said[-LAST_WORDS:] or 'it said nothing'}")
    return Run(**json.loads((place / "took").read_text()), output=output)


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End what is left of a command's group; nothing happens to one that has ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
