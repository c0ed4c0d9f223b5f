"""`gv create CONCEPT.json`: fifty variations of a concept, ranked, without a server."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.cli.analyze import fail
from scripts.cli.paths import UserPath, check_readable
from shared.config import read_settings
from shared.creative_models import Variation, VariationPlan
from shared.errors import PipelineError

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = {"concept_id", "variations", "selected", "notes", "model_version"}


@click.command()
@click.argument("concept", type=UserPath())
@click.option("--video", type=UserPath(), help="The footage; without it ads are colour cards.")
@click.option("--json", "as_json", is_flag=True, help="Print the variations as one JSON object.")
def create(concept: Path, video: Path | None, as_json: bool) -> None:
    """Plan 50 variations of CONCEPT, a JSON file, and say which to render first and why."""
    try:
        plan = plan_file(concept, video)
    except PipelineError as problem:
        fail(problem, as_json)
    if as_json:
        click.echo(plan.model_dump_json(include=SHOWN))
    else:
        show_plan(plan)


def plan_file(concept: Path, video: Path | None) -> VariationPlan:
    """The plan of a concept's file, stored; raises ConceptInvalid and what planning raises."""
    from shared.bootstrap import build_app
    from shared.creation import keep_as_next_run, keep_concept, plan_concept
    from shared.domain.creative.concept import read_concept

    check_readable(concept)
    given = read_concept(concept.read_bytes(), concept.name)
    app = build_app(read_settings())
    video_id = None
    if video is not None:
        from shared.domain.video.identity import content_id

        check_readable(video)
        video_id = content_id(video, app.tenant_id)
    wanted = keep_concept(given, app, video_id)
    return keep_as_next_run(plan_concept(wanted, app), app)[0]


def show_plan(plan: VariationPlan) -> None:
    """The plan as people read it: one row a variation, those to render first."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print(Text(f"{plan.concept.product}: {len(plan.variations)} variations", "bold"))
    console.print(plan_rows(plan.variations))
    for note in plan.notes:
        console.print(Text(note, "yellow"))


def plan_rows(variations: tuple[Variation, ...]) -> "Table":
    """Place, number, score, texts, what is not as in the base, and why it stands there."""
    from rich.table import Table
    from rich.text import Text

    rows = Table(box=None, padding=(0, 1), header_style="dim")
    for name in ("place", "number", "score", "hook / headline / call", "changed", "why"):
        rows.add_column(name, justify="right" if name in ("place", "number", "score") else "left")
    for one in variations:
        changed = "; ".join(f"{name}: {how}" for name, how in one.variations_applied.items())
        rows.add_row(
            str(one.render_priority or "-"),
            str(one.variation_number),
            f"{one.predicted_score:.2f}",
            Text(f"{one.hook}\n{one.headline}\n{one.cta}"),
            Text(changed),
            Text(one.why),
            style="" if one.render_priority else "dim",
        )
    return rows
