"""`gv replay`: dead letters back into the pipeline."""

import click

from scripts.stages import read_stages
from shared import bootstrap
from shared import jobs as started_jobs
from shared.app import App, StartJob
from shared.config import read_settings
from shared.errors import Rejected
from shared.events import DeadLettered, Message, event_of
from shared.ledger import JOB_PREFIX
from shared.ports import Document, Merge, Where


@click.command()
@click.option("--stage", help="Only what this stage could not handle.")
def replay(stage: str | None) -> None:
    """Publish every dead letter once more; what was done meanwhile is not done again."""
    known = [*read_stages()]
    if stage is not None and stage.replace("-", "_") not in known:
        raise click.BadParameter(f"{stage!r} is no stage; there are {', '.join(known)}")
    app = bootstrap.build_app(read_settings())
    name = stage.replace("-", "_") if stage else ""
    where = [Where("stage", "in", [name, JOB_PREFIX + name])] if stage else []
    count, cursor = 0, None
    while True:
        page = app.documents.query("dead_letters", where, cursor=cursor)
        count += sum(replay_one(app, letter) for letter in page.documents)
        cursor = page.next_cursor
        if cursor is None:
            break
    click.echo(f"{count} dead letters are on their way again.")


def replay_one(app: App, letter: Document) -> bool:
    """Publish one letter as it came, and note when; False when it was before, or is no event."""
    if "replayed_at" in letter.data:
        return False
    kept = DeadLettered.model_validate_json(app.files.read(letter.data["path"]))
    try:
        event = event_of(kept.message)
    except Rejected as problem:
        click.echo(f"{letter.id} stays where it is: {problem}", err=True)
        return False
    stage = str(letter.data["stage"])
    if stage.startswith(JOB_PREFIX):
        # The stage that started it has done its part: only the job is to be repeated.
        wish = StartJob(stage.removeprefix(JOB_PREFIX), event)
        started_jobs.start_job(app.for_tenant(event.tenant_id), wish, kept.attributes)
    else:
        app.bus.publish([Message(event.topic(), kept.message.data, kept.attributes)])
    stamp = app.now().isoformat(timespec="microseconds")
    app.documents.commit([Merge("dead_letters", letter.id, {"replayed_at": stamp})])
    return True
