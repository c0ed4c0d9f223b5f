"""`gv status`: how far every video is."""

import json
from collections.abc import Sequence

import click

from scripts.local.lock import HOME, is_running
from scripts.stages import chain_from, read_stages
from shared import bootstrap
from shared.config import read_settings
from shared.events import UploadFinalized
from shared.status import AssetStatus, StageStatus, list_status

COLOURS = {
    "done": "green",
    "running": "blue",
    "rejected": "red",
    "failed": "red",
    "not_reached": "dim",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
@click.option("--limit", default=20, show_default=True, help="How many at most.")
def status(as_json: bool, limit: int) -> None:
    """Show the newest videos and what each stage did with them."""
    app = bootstrap.build_app(read_settings())
    assets = list_status(app, chain_from(read_stages(), UploadFinalized.topic()), limit=limit)
    if as_json:
        click.echo(json.dumps([asset.model_dump(mode="json") for asset in assets]))
    elif not assets:
        click.echo("Nothing yet. scripts/run VIDEO puts a video in.")
    else:
        show(assets)
        if not is_running(HOME) and not all(asset.finished for asset in assets):
            click.echo("No local stack is running here; scripts/run goes on with the rest.")


def show(assets: Sequence[AssetStatus]) -> None:
    """A table on the terminal: a row a video, a column a stage."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("video", *[stage.name for stage in assets[0].stages], box=None, pad_edge=False)
    for asset in assets:
        cells = [Text(words(stage), COLOURS.get(stage.state, "yellow")) for stage in asset.stages]
        table.add_row(Text(asset.name, "bold", overflow="fold"), *cells)
        table.add_row(Text(asset.video_id or asset.upload_id, "dim", no_wrap=True))
        for stage in asset.stages:
            if stage.stopped or stage.went_on:
                table.add_row(Text(stage.reason, "red", overflow="fold"))
    Console().print(table)


def words(stage: StageStatus) -> str:
    """One stage in a few words: `done in 1.2 s`, `running 40 %`, `rejected: not_a_video`."""
    again = f", try {stage.attempt}" if stage.attempt > 1 else ""
    if stage.state == "done" and stage.seconds is not None:
        return f"done in {stage.seconds:.1f} s{again}"
    if stage.state == "running":
        done = "" if stage.progress is None else f" {stage.progress:.0%} {stage.step}"
        return f"running{done}{again}"
    if stage.state in ("waiting", "interrupted", "not_reached"):
        return stage.state.replace("_", " ")
    if stage.went_on:
        return f"{stage.state}{again}, the rest went on without it"
    return f"{stage.state}{again}: {stage.code or stage.reason}"
