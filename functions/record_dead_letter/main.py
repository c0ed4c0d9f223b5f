"""Record a dead letter: keep the message for replay, mark its video as failed, tell people."""

from shared import ledger
from shared.app import App
from shared.errors import Rejected
from shared.events import DeadLettered, VideoAnalyzed, VideoInferred, event_of
from shared.handler import stage
from shared.inference import STAGE as INFER
from shared.inference import give_up_inference
from shared.ports import Alert, Merge


@stage
def record_dead_letter(letter: DeadLettered, app: App) -> VideoInferred | None:
    """The body goes to Files, what a person needs to decide goes to Documents.

    A chain that can do without what is lost goes on; a replay then does it in another run.
    """
    stage_name = letter.source_subscription.replace("-", "_")
    tries = "attempts" if stage_name.startswith(ledger.JOB_PREFIX) else "deliveries"
    reason = f"given up after {letter.delivery_count} {tries}"
    path = f"dead-letters/{letter.letter_id}.json"
    app.files.write(
        path, letter.model_dump_json().encode(), content_type="application/json", once=True
    )
    facts = {
        "tenant_id": app.tenant_id,
        "stage": stage_name,
        "path": path,
        "reason": reason,
        "at": app.now().isoformat(timespec="microseconds"),
        "correlation_id": letter.attributes.get("correlation_id", ""),
    }
    app.documents.commit([Merge("dead_letters", letter.letter_id, facts)])
    instead = mark_failed(letter, stage_name, reason, app)
    lost = "what it was to find is missing" if instead else "a message is lost"
    title = f"{stage_name}: {lost} until replayed"
    app.alerts.send(Alert("critical", title, reason, app.tenant_id))
    return instead


def mark_failed(
    letter: DeadLettered, stage_name: str, reason: str, app: App
) -> VideoInferred | None:
    """Show the failure where people look; a message that is no event has no such place."""
    try:
        event = event_of(letter.message)
    except Rejected as problem:
        facts = {"reason": f"{reason}; {problem}"}
        app.documents.commit([Merge("dead_letters", letter.letter_id, facts)])
        return None
    theirs = app.for_tenant(event.tenant_id)
    if ledger.shown_name(stage_name) != INFER or not isinstance(event, VideoAnalyzed):
        ledger.fail(theirs, stage_name, event, reason)
        return None
    instead = give_up_inference(stage_name, event, reason, theirs)
    if instead is not None:
        app.documents.commit([Merge("dead_letters", letter.letter_id, {"went_on": True})])
    return instead
