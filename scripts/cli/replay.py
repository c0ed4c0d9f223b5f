"""`gv replay`: dead letters back into the pipeline."""

import click

from scripts.stages import read_stages
from shared import bootstrap
from shared.config import read_settings
from shared.errors import Rejected
from shared.events import DeadLettered, Message, event_of
from shared.ports import App, Document, Merge, Where


@click.command()
@click.option("--stage", help="Only what this stage could not handle.")
def replay(stage: str | None) -> None:
    """Publish every dead letter once more; what was done meanwhile is not done again."""
    known = [*read_stages()]
    if stage is not None and stage.replace("-", "_") not in known:
        raise click.BadParameter(f"{stage!r} is no stage; there are {', '.join(known)}")
    app = bootstrap.build_app(read_settings())
    where = [Where("stage", "==", stage.replace("-", "_"))] if stage else []
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
        topic = event_of(kept.message).topic()
    except Rejected as problem:
        click.echo(f"{letter.id} stays where it is: {problem}", err=True)
        return False
    app.bus.publish([Message(topic, kept.message.data, kept.attributes)])
    stamp = app.now().isoformat(timespec="microseconds")
    app.documents.commit([Merge("dead_letters", letter.id, {"replayed_at": stamp})])
    return True
