"""What every function does around its work: parse, claim, call, publish, answer errors."""

import hashlib
import json
import logging
import re
import signal
import tempfile
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import functions_framework
from flask import Request, Response

from shared import bootstrap, jobs, ledger, logs
from shared.app import App, StartJob
from shared.envelope import Envelope, open_envelope
from shared.errors import Conflict, PipelineError, Rejected, RetryLater
from shared.events import BadMessage, Event, Message, event_of
from shared.ports import Alert

log = logging.getLogger("geminivideo")

ACKNOWLEDGED = 204
COME_AGAIN = 503
BROKEN = 500
KEPT_BODY_CHARACTERS = 64_000
PROGRESS_EVERY_SECONDS = 0.5
CLAIM_TRIES = 5

Results = Event | StartJob | Sequence[Event | StartJob] | None
Work = Callable[[Any, App], Results]
Function = Callable[[Request], Response]


def stage(work: Work) -> Function:
    """Make a function of `(event, app) -> event(s)`; the first annotation is the topic it takes.

    Work that returns a StartJob is done when the job is started; it emits nothing itself.
    """
    takes = first_annotation(work)

    @functions_framework.http
    @wraps(work)
    def function(request: Request) -> Response:
        return _deliver(work, takes, request)

    return typing.cast(Function, function)


class Stopped(RetryLater):
    """The platform told this process to end."""


def job(work: Work) -> Callable[[], int]:
    """Make a container's main of `(event, app) -> event(s)`; it returns the exit status.

    0: done, refused with the reason, or in the hands of another execution. 1: the claim is given
    back, and the platform is to try again; so it is after SIGTERM.
    """
    takes = first_annotation(work)

    @wraps(work)
    def main() -> int:
        return 0 if _run_job(work, takes).status_code == ACKNOWLEDGED else 1

    return main


@dataclass(frozen=True)
class WebhookCall:
    """A request from outside, as it came: the body's bytes matter for signatures."""

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class WebhookAnswer:
    """What the caller gets, and the events that are stored before it gets it."""

    events: Sequence[Event] = ()
    status: int = 200
    text: str = ""


class Unauthorized(Rejected):
    """The caller did not prove who it is."""


class BodyTooLarge(Rejected):
    """A body over the limit."""


def webhook(work: Callable[[WebhookCall, App], WebhookAnswer]) -> Function:
    """Make a public HTTP function of `(call, app) -> answer`; it answers after the bus has stored.

    Unauthorized -> 401, BodyTooLarge -> 413, other Rejected -> 400, anything else -> 5xx, so
    that the caller sends again. No answer repeats what the caller sent.
    """

    @functions_framework.http
    @wraps(work)
    def function(request: Request) -> Response:
        return _answer(work, request)

    return typing.cast(Function, function)


def first_annotation(work: Callable[..., Any]) -> type[Event]:
    """The event class that a stage takes."""
    hints = typing.get_type_hints(work)
    takes = next(iter(hints.values()))
    if not (isinstance(takes, type) and issubclass(takes, Event)):
        raise TypeError(f"{work.__name__}: the first parameter must be annotated with an Event")
    return takes


def _deliver(work: Work, takes: type[Event], request: Request) -> Response:
    app, name = bootstrap.app(), work.__name__
    body = b""
    try:
        body = _read_body(request, app)
        envelope = open_envelope(dict(request.headers), body)
        event = takes.from_message(envelope.message)
    except Rejected as problem:
        return _quarantine(app, name, body, problem)
    trace = _trace(name, event, envelope, request)
    with logs.tracing(trace):
        return _run(work, event, app.for_tenant(event.tenant_id), trace)


def _run_job(work: Work, takes: type[Event]) -> Response:
    call, app = bootstrap.job_call(), bootstrap.app().for_job()
    name = ledger.JOB_PREFIX + work.__name__
    try:
        message = _started_with(call.message)
        event = takes.from_message(message)
    except Rejected as problem:
        return _quarantine(app, name, call.message.encode(), problem)
    trace = _trace_of(name, event, message.attributes, None)

    def stoppable(event: Event, app: App) -> Results:
        with _stopped_by_sigterm():
            return work(event, app)

    execution = f"{work.__name__}/{call.execution}"
    with logs.tracing(trace), _own_temporary_files(name):
        return _run(stoppable, event, app.for_tenant(event.tenant_id), trace, execution)


def _started_with(text: str) -> Message:
    try:
        fields = json.loads(text)
        return Message(fields["topic"], fields["data"].encode(), dict(fields["attributes"]))
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise BadMessage(f"not what a job is started with: {problem}") from problem


@contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the work; afterwards the few writes that tell so are left to finish."""

    def stop(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise Stopped("the platform told this job to end (SIGTERM)")

    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


@contextmanager
def _own_temporary_files(name: str) -> Iterator[None]:
    """Temporary files in a folder of this attempt, gone when it ends."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory(prefix=f"{name}-", ignore_cleanup_errors=True) as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def _run(work: Work, event: Event, app: App, trace: logs.Trace, execution: str = "") -> Response:
    name = trace.stage
    claim: ledger.Claim | None = None
    try:
        claim = _claim(app, event, trace, execution)
        if claim is None:
            log.info("%s was done before, or is in other hands", event.identity)
            return Response(status=ACKNOWLEDGED)
        log.info("started, attempt %s", claim.record["attempt"])
        _work_and_publish(work, claim, app, trace)
    except Rejected as problem:
        if claim is None:
            return _quarantine(app, name, event.model_dump_json().encode(), problem)
        return _reject(app, claim, problem)
    except RetryLater as problem:
        return _give_back(app, claim, problem, COME_AGAIN)
    except Exception as problem:
        log.exception("failed")
        return _give_back(app, claim, problem, BROKEN)
    return Response(status=ACKNOWLEDGED)


def _claim(app: App, event: Event, trace: logs.Trace, execution: str) -> ledger.Claim | None:
    """The right to do the work; for a job's second execution None while the first is at it."""
    if not execution:
        return ledger.claim(app, trace.stage, event, trace.attributes)
    for left in reversed(range(CLAIM_TRIES)):
        try:
            return ledger.claim(app, trace.stage, event, trace.attributes, execution=execution)
        except ledger.Leased:
            return None
        except Conflict:
            # Whoever started this execution writes down its name at the same moment.
            if not left:
                raise
    return None


def _work_and_publish(work: Work, claim: ledger.Claim, app: App, trace: logs.Trace) -> None:
    """Keep the results, publish, close: a crash in between repeats messages and loses none."""
    messages = claim.results
    if messages is None:
        results = work(claim.event, replace(app, progress=_progress(app, claim)))
        made = [results] if isinstance(results, Event | StartJob) else list(results or ())
        if any(isinstance(result, StartJob) for result in made):
            return _hand_over(made, claim, app, trace)
        emitted = [result for result in made if isinstance(result, Event)]
        messages = [event.to_message(trace.attributes) for event in emitted]
        claim = ledger.record_results(app, claim, messages)
    if messages:
        app.bus.publish(messages)
    closed = ledger.close(app, claim, [event_of(message) for message in messages])
    log.info("done in %s s", closed.record["seconds"])
    return None


def _hand_over(
    made: Sequence[Event | StartJob], claim: ledger.Claim, app: App, trace: logs.Trace
) -> None:
    """Start what a stage wants started: done twice, it starts nothing twice."""
    names = set()
    for wish in made:
        if not isinstance(wish, StartJob):
            raise TypeError(f"{claim.stage} returned events beside jobs to start; choose one")
        jobs.start_job(app, wish, trace.attributes)
        names.add(wish.job)
    ledger.close(app, claim, handed_over=claim.stage in names)
    log.info("handed over to %s", ", ".join(sorted(names)))


def _progress(app: App, claim: ledger.Claim) -> Callable[[float, str], None]:
    """Writes progress to the subject, at most twice a second."""
    last = [app.now()]

    def progress(fraction: float, step: str) -> None:
        now = app.now()
        if (now - last[0]).total_seconds() >= PROGRESS_EVERY_SECONDS:
            last[0] = now
            try:
                ledger.show_progress(app, claim, fraction, step)
            except RetryLater as problem:
                # Nobody's work may fail because somebody's look at it is late.
                log.info("progress not shown: %s", problem)

    return progress


def _reject(app: App, claim: ledger.Claim, problem: Rejected) -> Response:
    log.warning("rejected: %s: %s", problem.code, problem)
    try:
        ledger.reject(app, claim, problem)
    except RetryLater as later:
        return _give_back(app, None, later, COME_AGAIN)
    return Response(status=ACKNOWLEDGED)


def _give_back(app: App, claim: ledger.Claim | None, problem: Exception, status: int) -> Response:
    code = problem.code if isinstance(problem, PipelineError) else type(problem).__name__
    log.warning("will be tried again: %s: %s", code, problem)
    try:
        if claim is not None:
            ledger.release(app, claim, f"{code}: {problem}")
    except Conflict:
        log.warning("the lease was lost: somebody else goes on")
    except RetryLater as later:
        log.warning("the lease could not be given back, it runs out by itself: %s", later)
    return Response(code, status=status, mimetype="text/plain")


def _quarantine(app: App, name: str, body: bytes, problem: Rejected) -> Response:
    """Keep what can never be handled, and acknowledge it: anything else would repeat for ever."""
    reason = ledger.plain_text(str(problem))
    at = app.now().isoformat()
    kept = {
        "tenant_id": app.tenant_id,
        "stage": name,
        "code": problem.code,
        "reason": reason,
        "body": ledger.plain_text(body.decode("utf-8", "replace"), KEPT_BODY_CHARACTERS),
        "body_bytes": len(body),
        "at": at,
    }
    log.error("quarantined: %s: %s", problem.code, problem)
    try:
        # An unread body has no identity of its own; when it came tells it from others.
        identity = name.encode() + (body or at.encode())
        app.documents.put("quarantine", hashlib.sha256(identity).hexdigest()[:32], kept)
        title = f"{name} quarantined a message"
        app.alerts.send(Alert("warning", title, reason, app.tenant_id))
    except PipelineError as unkept:
        return _give_back(app, None, unkept, COME_AGAIN)
    return Response(status=ACKNOWLEDGED)


def _read_body(request: Request, app: App) -> bytes:
    if (request.content_length or 0) > app.push_max_bytes:
        raise BodyTooLarge(
            f"{request.content_length} bytes; at most {app.push_max_bytes} are taken"
        )
    return request.get_data()


def _trace(name: str, event: Event, envelope: Envelope, request: Request) -> logs.Trace:
    header = request.headers.get("traceparent")
    return _trace_of(name, event, envelope.message.attributes, header)


def _trace_of(
    name: str, event: Event, attributes: Mapping[str, str], header: str | None
) -> logs.Trace:
    parent = attributes.get("traceparent") or header
    first = hashlib.sha256(f"{event.tenant_id}/{event.identity}".encode()).hexdigest()[:32]
    given = attributes.get("correlation_id", "")
    correlation_id = given if re.fullmatch(r"[0-9A-Za-z-]{1,64}", given) else first
    return logs.Trace(correlation_id, logs.child_traceparent(parent), name, event.tenant_id)


def _answer(work: Callable[[WebhookCall, App], WebhookAnswer], request: Request) -> Response:
    app = bootstrap.app()
    trace = logs.child_traceparent(request.headers.get("traceparent"))
    with logs.tracing(logs.Trace(trace.split("-")[1], trace, work.__name__)):
        try:
            body = _read_body(request, app)
            call = WebhookCall(request.method, dict(request.headers), dict(request.args), body)
            answer = work(call, app)
            _publish_all(app, answer.events, trace)
        except Rejected as problem:
            log.warning("refused: %s: %s", problem.code, problem)
            return Response(problem.code, status=_refusal(problem), mimetype="text/plain")
        except RetryLater as problem:
            log.warning("not stored: %s: %s", problem.code, problem)
            return Response(problem.code, status=COME_AGAIN, mimetype="text/plain")
        except Exception:
            log.exception("failed")
            return Response("failed", status=BROKEN, mimetype="text/plain")
    return Response(answer.text, status=answer.status, mimetype="text/plain")


def _publish_all(app: App, events: Sequence[Event], traceparent: str) -> None:
    attributes = {"correlation_id": traceparent.split("-")[1], "traceparent": traceparent}
    messages: list[Message] = [event.to_message(attributes) for event in events]
    if messages:
        app.bus.publish(messages)


def _refusal(problem: Rejected) -> int:
    if isinstance(problem, Unauthorized):
        return 401
    return 413 if isinstance(problem, BodyTooLarge) else 400
