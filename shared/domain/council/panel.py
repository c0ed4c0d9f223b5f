"""All judges asked at once under one deadline: who hangs holds up nobody."""

from collections.abc import Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic

from shared.domain.council.seats import Heard, Seat
from shared.errors import ConfigError, JudgeTimeout, PipelineError


class SdkMissing(ConfigError):
    """The vendor's package is not installed here."""


class JudgeCrashed(PipelineError):
    """A judge ended with an error that nobody foresaw; the log has its traceback."""


@dataclass(frozen=True)
class Reply:
    """What became of asking one judge."""

    seat: Seat
    outcome: Heard | PipelineError
    seconds: float


def ask_all(seats: Sequence[Seat], deadline_seconds: float) -> list[Reply]:
    """One reply a seat, in their order, after `deadline_seconds` at the latest.

    Each judge has a thread of its own that its own time limit ends; a reply after the deadline
    is not read any more, and a daemon thread keeps no process alive.
    """
    started = monotonic()
    replies: SimpleQueue[tuple[int, Reply]] = SimpleQueue()
    for number, seat in enumerate(seats):
        arguments = (number, seat, started + deadline_seconds, replies)
        Thread(target=_hear, args=arguments, name=f"judge {seat.name}", daemon=True).start()
    came: dict[int, Reply] = {}
    while len(came) < len(seats):
        try:
            number, reply = replies.get(timeout=max(0.0, started + deadline_seconds - monotonic()))
        except Empty:
            break
        came[number] = reply
    return [
        came.get(number) or _late(seat, deadline_seconds, monotonic() - started)
        for number, seat in enumerate(seats)
    ]


def _hear(
    number: int, seat: Seat, ends_at: float, replies: "SimpleQueue[tuple[int, Reply]]"
) -> None:
    began = monotonic()
    outcome: Heard | PipelineError = JudgeCrashed(f"{seat.name}: see the log")
    try:
        outcome = seat.hear(max(0.1, ends_at - began))
    except PipelineError as problem:
        outcome = problem
    except ImportError as problem:
        outcome = SdkMissing(f"{seat.name}: {problem}; pip install -r requirements/llm.txt")
    finally:
        # Whatever else was raised goes on to threading's hook, which writes its traceback.
        replies.put((number, Reply(seat, outcome, monotonic() - began)))


def _late(seat: Seat, deadline_seconds: float, seconds: float) -> Reply:
    problem = JudgeTimeout(f"{seat.name}: no answer within the council's {deadline_seconds:g} s")
    return Reply(seat, problem, seconds)
