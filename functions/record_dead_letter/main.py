"""Record a dead letter: keep the message for replay, mark its video as failed, tell people."""

from shared import ledger
from shared.app import App
from shared.errors import Rejected
from shared.events import DeadLettered, event_of
from shared.handler import stage
from shared.ports import Alert, Merge


@stage
def record_dead_letter(letter: DeadLettered, app: App) -> None:
    """The body goes to Files, what a person needs to decide goes to Documents."""
    stage_name = letter.source_subscription.replace("-", "_")
    reason = f"given up after {letter.delivery_count} deliveries"
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
    mark_failed(letter, stage_name, reason, app)
    title = f"{stage_name}: a message is lost until replayed"
    app.alerts.send(Alert("critical", title, reason, app.tenant_id))


def mark_failed(letter: DeadLettered, stage_name: str, reason: str, app: App) -> None:
    """Show the failure where people look; a message that is no event has no such place."""
    try:
        event = event_of(letter.message)
    except Rejected as problem:
        facts = {"reason": f"{reason}; {problem}"}
        app.documents.commit([Merge("dead_letters", letter.letter_id, facts)])
        return
    ledger.fail(app.for_tenant(event.tenant_id), stage_name, event, reason)
