"""What was done already: claims with a lease, fenced by the version that every write expects."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.app import App
from shared.errors import Conflict, DocumentInvalid, PipelineError, Rejected, RetryLater
from shared.events import Event, Message
from shared.ports import ABSENT, Document, Merge, Put, Where, Write

KIND = "ledger"
LONGEST_REASON = 1_000
SHOWN = (
    *("state", "run", "attempt", "since", "lease_until", "finished_at"),
    *("seconds", "reason", "code"),
)
FINAL_STATES = ("done", "rejected")
JOB_PREFIX = "job_"
"""A job keeps its place in the ledger apart from the stage of the same name that starts it."""
STARTED = "started"
"""A job's event that no execution has claimed yet; people see it waiting."""


class Leased(RetryLater):
    """Somebody else is working on this event right now."""


class ResultsTooLarge(PipelineError):
    """More results than one document holds: a mistake of ours, so it is not acknowledged."""


class DifferentPayload(Rejected):
    """A message with the identity of an earlier one and another content."""


@dataclass(frozen=True)
class Claim:
    """The right to work on one event, valid while `version` is the stored one."""

    stage: str
    event: Event
    version: str
    record: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id of the ledger document."""
        return ledger_id(self.stage, self.event)

    @property
    def results(self) -> Sequence[Message] | None:
        """The messages that an earlier attempt had made before it stopped; None when none had."""
        stored = self.record.get("results")
        if stored is None:
            return None
        return [Message(r["topic"], r["data"].encode(), r["attributes"]) for r in stored]


def ledger_id(stage: str, event: Event) -> str:
    """One id for one stage and one event identity; the tenant is in the Documents port."""
    return f"{stage}:{event.identity}"


def claim(
    app: App, stage: str, event: Event, trace: Mapping[str, str], *, execution: str = ""
) -> Claim | None:
    """Take an event for this process; None when it was finished before.

    A job names its `execution`: the next attempt of the same one takes over from one that died,
    because a platform runs them one after the other.
    Raises Leased while somebody else holds it, DifferentPayload when the same identity came
    with another content, Conflict when somebody else was faster.
    """
    stored = app.documents.get(KIND, ledger_id(stage, event))
    payload = _digest(event)
    if stored is not None:
        _refuse_different(stored, payload)
        if stored.data["state"] in FINAL_STATES:
            return None
        if not execution or stored.data.get("execution") != execution:
            _refuse_leased(app, stored)
    record = {
        **(_job_fields(execution, event.to_message(trace), stored) if execution else {}),
        "stage": stage,
        "event": event.topic(),
        "run": event.run,
        "payload": payload,
        "state": "running",
        "attempt": (stored.data["attempt"] if stored else 0) + 1,
        "since": _stamp(app.now()),
        "lease_until": _stamp(app.now() + timedelta(seconds=app.lease_seconds)),
        "results": stored.data["results"] if stored else None,
        "reason": stored.data["reason"] if stored else "",
        **trace,
    }
    return _write(app, Claim(stage, event, stored.version if stored else ABSENT, {}), record)


def open_job(app: App, stage: str, event: Event, message: Message) -> Claim | None:
    """Note that a job is to do the work of an event; None when one is at it or has done it.

    What was noted and never started is noted anew, and so is what failed. `message` is kept for
    whoever has to start it again. Raises DifferentPayload and Conflict like `claim`.
    """
    stored = app.documents.get(KIND, ledger_id(stage, event))
    if stored is not None:
        _refuse_different(stored, _digest(event))
        if stored.data["state"] in FINAL_STATES or (
            stored.data["state"] != "failed" and stored.data.get("execution")
        ):
            return None
    record = {
        **_never_claimed(app, stage, event),
        **({"results": stored.data["results"]} if stored else {}),
        "state": STARTED,
        "lease_until": _stamp(app.now() + timedelta(seconds=app.for_job().lease_seconds)),
        "reason": "",
        **_job_fields("", message, stored),
    }
    version = stored.version if stored else ABSENT
    return _write(app, Claim(stage, event, version, {}), record)


def note_execution(app: App, opened: Claim, execution: str) -> None:
    """Keep what the platform calls the execution that it started."""
    try:
        _write(app, opened, {**opened.record, "execution": execution})
    except Conflict:
        # The job was faster than this note: its claim names its execution itself.
        return


def open_jobs(app: App) -> Iterator[Document]:
    """Every record of a job that has an execution and no end."""
    cursor = None
    while True:
        where = [Where("state", "in", [STARTED, "running", "retrying"])]
        page = app.documents.query(KIND, where, cursor=cursor)
        yield from (record for record in page.documents if record.data.get("execution"))
        cursor = page.next_cursor
        if cursor is None:
            return


def abandon(app: App, stored: Document, reason: str, *, again: bool = False) -> None:
    """Take an event from an execution that will not go on; raises Conflict when it changed.

    With `again` it may be opened anew, else it stays with that execution until it has failed.
    """
    ended = {"state": "retrying", "reason": plain_text(reason), "lease_until": _stamp(app.now())}
    ended |= {"execution": ""} if again else {}
    app.documents.put(KIND, stored.id, {**stored.data, **ended}, expect=stored.version)


def record_results(app: App, claim: Claim, messages: Sequence[Message]) -> Claim:
    """Keep what the work led to before it is published; raises Conflict when the claim is lost."""
    results = [
        {"topic": m.topic, "data": m.data.decode(), "attributes": dict(m.attributes)}
        for m in messages
    ]
    try:
        return _write(app, claim, {**claim.record, "results": results})
    except DocumentInvalid as problem:
        raise ResultsTooLarge(f"{len(messages)} results of {claim.id}: {problem}") from problem


def close(
    app: App, claim: Claim, emitted: Sequence[Event] = (), *, handed_over: bool = False
) -> Claim:
    """The event is done; what it led to shows this stage as done too.

    A stage that `handed_over` to its job is done when that is started, and the subject shows how
    far the job is.
    """
    record = _finished(app, claim, "done", "")
    if handed_over:
        version = app.documents.put(KIND, claim.id, record, expect=claim.version)
        return replace(claim, version=version, record=record)
    subjects = {_subject(event) for event in emitted} - {None, _subject(claim.event)}
    shown = _fields_shown(app, claim.stage, record)
    return _write(app, claim, record, [Merge(*subject, shown) for subject in subjects if subject])


def reject(app: App, claim: Claim, problem: Rejected) -> None:
    """The event can never succeed: keep the reason."""
    _write(app, claim, {**_finished(app, claim, "rejected", str(problem)), "code": problem.code})


def release(app: App, claim: Claim, reason: str) -> None:
    """Let the next delivery try again."""
    _write(app, claim, _finished(app, claim, "retrying", reason))


def fail(app: App, stage: str, event: Event, reason: str) -> None:
    """Nobody will deliver this event again; raises Leased while somebody still works on it."""
    stored = app.documents.get(KIND, ledger_id(stage, event))
    if stored is not None and stored.data["state"] in FINAL_STATES:
        return
    if stored is not None:
        _refuse_leased(app, stored)
    last = stored.data["reason"] if stored else ""
    record = dict(stored.data) if stored else _never_claimed(app, stage, event)
    why = plain_text(f"{reason}: {last}" if last else reason)
    record |= {"state": "failed", "reason": why}
    record |= {"lease_until": _stamp(app.now())}
    _write(app, Claim(stage, event, stored.version if stored else ABSENT, {}), record)


def free_leases(app: App) -> int:
    """Give back every claim of stages known to be dead; returns how many there were.

    Jobs outlive the process that started them: they are looked after by their executions.
    """
    freed, cursor = 0, None
    while True:
        page = app.documents.query(KIND, [Where("state", "==", "running")], cursor=cursor)
        for held in page.documents:
            if "execution" in held.data:
                continue
            app.documents.put(
                KIND,
                held.id,
                {**held.data, "lease_until": _stamp(app.now())},
                expect=held.version,
            )
            freed += 1
        cursor = page.next_cursor
        if cursor is None:
            return freed


def show_progress(app: App, claim: Claim, fraction: float, step: str) -> None:
    """Tell whoever looks at the subject how far this stage is."""
    if claim.event.subject_kind:
        where = f"stages.{shown_name(claim.stage)}"
        fields = {f"{where}.progress": round(fraction, 3), f"{where}.step": step}
        app.documents.commit([Merge(claim.event.subject_kind, claim.event.subject_id, fields)])


def shown_name(stage: str) -> str:
    """The name that people see: a job's work stands where its stage's would."""
    return stage.removeprefix(JOB_PREFIX)


def plain_text(text: str, longest: int = LONGEST_REASON) -> str:
    """What any store can hold of a text from outside: its first characters, all printable."""
    return "".join(c if c.isprintable() else " " for c in text[:longest])


def _write(app: App, claim: Claim, record: Mapping[str, Any], more: Sequence[Write] = ()) -> Claim:
    subject = _subject(claim.event)
    writes: list[Write] = [Put(KIND, claim.id, record, expect=claim.version), *more]
    if subject is not None:
        writes.append(Merge(*subject, _fields_shown(app, claim.stage, record)))
    versions = app.documents.commit(writes)
    return replace(claim, version=versions[0], record=record)


def _refuse_different(stored: Document, payload: str) -> None:
    if stored.data["payload"] != payload:
        raise DifferentPayload(f"{stored.id} was {stored.data['payload']}, now {payload}")


def _job_fields(execution: str, message: Message, stored: Document | None) -> dict[str, Any]:
    """What a job's record says beside a stage's: whose it is, and what starts it again."""
    sent = {
        "topic": message.topic,
        "data": message.data.decode(),
        "attributes": dict(message.attributes),
    }
    kept = stored.data.get("message") if stored else None
    return {"execution": execution, "message": kept or sent}


def _refuse_leased(app: App, stored: Document) -> None:
    if stored.data["state"] == "running" and stored.data["lease_until"] > _stamp(app.now()):
        raise Leased(f"{stored.id} is leased until {stored.data['lease_until']}")


def _never_claimed(app: App, stage: str, event: Event) -> dict[str, Any]:
    return {
        "stage": stage,
        "event": event.topic(),
        "run": event.run,
        "payload": _digest(event),
        "attempt": 0,
        "since": _stamp(app.now()),
        "results": None,
    }


def _finished(app: App, claim: Claim, state: str, reason: str) -> dict[str, Any]:
    now = app.now()
    seconds = (now - datetime.fromisoformat(claim.record["since"])).total_seconds()
    ended = {
        "state": state,
        "reason": plain_text(reason),
        "finished_at": _stamp(now),
        "lease_until": _stamp(now),
    }
    return {**claim.record, **ended, "seconds": round(max(0.0, seconds), 3)}


def _shown(record: Mapping[str, Any]) -> dict[str, Any]:
    shown = {key: record[key] for key in SHOWN if key in record}
    return {**shown, "state": "waiting"} if record["state"] == STARTED else shown


def _fields_shown(app: App, stage: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """What a subject says of one stage, and the trace that leads to its log lines."""
    traced = {key: record[key] for key in ("correlation_id", "traceparent") if key in record}
    return {
        f"stages.{shown_name(stage)}": _shown(record),
        "updated_at": _stamp(app.now()),
        "tenant_id": app.tenant_id,
        **traced,
    }


def _subject(event: Event) -> tuple[str, str] | None:
    return (event.subject_kind, event.subject_id) if event.subject_kind else None


def _digest(event: Event) -> str:
    fields = event.model_dump(mode="json", exclude_defaults=True)
    return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()[:32]


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
