"""Jobs from outside: started once an event, and found when they die without a word."""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from shared import ledger
from shared.app import App, StartJob
from shared.errors import Conflict
from shared.events import DeadLettered, Message, event_of
from shared.ports import Document

log = logging.getLogger("geminivideo.jobs")

TRACED = ("correlation_id", "traceparent")
PAST_TIME_GRACE = timedelta(minutes=30)
"""How long after its lease an execution is left alone: its next attempt may wait for a machine."""


def start_job(app: App, wish: StartJob, trace: Mapping[str, str]) -> bool:
    """Let a job do the work of an event; False when one is at it or has done it.

    A caller that dies in here may call again: whatever was started, the work is done once.
    Raises what Jobs.start raises, Conflict when somebody else starts it at this moment.
    """
    traced = {key: trace[key] for key in TRACED if key in trace}
    message = wish.event.to_message(traced)
    opened = ledger.open_job(app, ledger.JOB_PREFIX + wish.job, wish.event, message)
    if opened is None:
        log.info("%s of %s was started before", wish.job, wish.event.identity)
        return False
    execution = app.jobs.start(wish.job, message)
    log.info("started %s", execution)
    ledger.note_execution(app, opened, execution)
    return True


def dead_letters(app: App) -> list[DeadLettered]:
    """A letter for each job of this tenant that ended without a word or ran past its time.

    The same death makes the same letter, however often it is found.
    """
    letters = []
    for record, reason in _dead(app):
        try:
            ledger.abandon(app, record, reason)
            app.jobs.cancel(record.data["execution"])
        except Conflict:
            continue
        log.error("%s: %s", record.id, reason)
        letters.append(
            DeadLettered.about(
                message_of(record),
                source_subscription=record.data["stage"].replace("_", "-"),
                delivery_count=record.data["attempt"],
                published=record.data["execution"],
            )
        )
    return letters


def restart_dead(app: App) -> int:
    """Start again what died with the machine it ran on; returns how many there were."""
    restarted = 0
    for record, reason in _dead(app):
        ledger.abandon(app, record, reason, again=True)
        app.jobs.cancel(record.data["execution"])
        message = message_of(record)
        job = record.data["stage"].removeprefix(ledger.JOB_PREFIX)
        start_job(app, StartJob(job, event_of(message)), message.attributes)
        restarted += 1
    return restarted


def message_of(record: Document) -> Message:
    """The message that a job was started with."""
    kept = record.data["message"]
    return Message(kept["topic"], kept["data"].encode(), kept["attributes"])


def _dead(app: App) -> Iterator[tuple[Document, str]]:
    for record in list(ledger.open_jobs(app)):
        execution = record.data["execution"]
        found = app.jobs.state(execution)
        if found.alive:
            lease_until = datetime.fromisoformat(record.data["lease_until"])
            if app.now() > lease_until + PAST_TIME_GRACE:
                yield record, f"{execution} ran past its time and was stopped"
            continue
        # What ended closed its record before: only a record read after the end tells.
        current = app.documents.get(ledger.KIND, record.id)
        if current is not None and current.version == record.version:
            said = record.data["reason"]
            last = f"; before that: {said}" if said and execution not in said else ""
            yield record, f"{execution} {found.state}: {found.reason}{last}"
