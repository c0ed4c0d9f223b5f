"""`gv create CONCEPT.json`: fifty variations of a concept, ranked, the best as files."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scripts.cli.analyze import fail
from scripts.cli.paths import UserPath, check_readable
from shared.config import read_settings
from shared.creative_models import Variation, VariationPlan
from shared.errors import PipelineError

if TYPE_CHECKING:
    from rich.table import Table

    from scripts.cli.create_files import Made
    from shared.app import App
    from shared.compliance_models import Compliance
    from shared.domain.creative.footage import Footage

SHOWN = {"concept_id", "variations", "selected", "notes", "model_version"}


@click.command()
@click.argument("concept", type=UserPath())
@click.option("--video", type=UserPath(), help="The footage; without it ads are colour cards.")
@click.option(
    "--transcript", type=UserPath(), help="What is said in the footage, as FILE.srt or .vtt."
)
@click.option(
    "--render", "count", type=click.IntRange(1, 50), help="Make files of the best N variations."
)
@click.option("--out", type=UserPath(), help="Where they go; renditions/<concept> when not said.")
@click.option("--json", "as_json", is_flag=True, help="Print the variations as one JSON object.")
def create(
    concept: Path,
    video: Path | None,
    transcript: Path | None,
    count: int | None,
    out: Path | None,
    as_json: bool,
) -> None:
    """Plan 50 variations of CONCEPT, a JSON file, and say which to render first and why."""
    from shared.bootstrap import build_app

    try:
        app = build_app(read_settings())
        plan = plan_file(concept, video, app)
        if count is not None:
            folder = out or here(f"renditions/{plan.concept_id[:12]}")
            made = render_best(plan, count, (video, transcript), folder, app)
    except PipelineError as problem:
        fail(problem, as_json)
    shown = plan.model_dump(mode="json", include=SHOWN)
    if count is None:
        click.echo(json.dumps(shown, ensure_ascii=False)) if as_json else show_plan(plan)
        return
    if as_json:
        files = [rendition_row(one) for one in made]
        click.echo(json.dumps({**shown, "renditions": files}, ensure_ascii=False))
    else:
        show_made(made, folder)
    failed = [one for one in made if isinstance(one.outcome, PipelineError)]
    sys.exit(1 if failed or not made else 0)


def here(path: str) -> Path:
    """A path by where the user stands."""
    return UserPath().convert(path, None, click.get_current_context())


def plan_file(concept: Path, video: Path | None, app: "App") -> VariationPlan:
    """The plan of a concept's file, stored; raises ConceptInvalid and what planning raises."""
    from shared.creation import keep_as_next_run, keep_concept, plan_concept
    from shared.domain.creative.concept import read_concept

    check_readable(concept)
    given = read_concept(concept.read_bytes(), concept.name)
    video_id = None
    if video is not None:
        from shared.domain.video.identity import content_id

        check_readable(video)
        video_id = content_id(video, app.tenant_id)
    wanted = keep_concept(given, app, video_id)
    return keep_as_next_run(plan_concept(wanted, app), app)[0]


def render_best(
    plan: VariationPlan,
    count: int,
    footage: tuple[Path | None, Path | None],
    folder: Path,
    app: "App",
) -> "list[Made]":
    """Make the best variations, showing how far each is; `footage` is a video and its captions."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from scripts.cli import create_files

    video, transcript = footage
    columns = (TextColumn("  {task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        material: tuple[list[Footage], dict[str, Path]] = ([], {})
        if video is not None:
            looking = progress.add_task(f"looking at {video.name!r:.60}", total=1.0)
            seen = create_files.see_footage(video, transcript, app)
            material = ([seen], {seen.name: video})
            progress.update(looking, completed=1.0)
        if logo := plan.concept.brand.logo_path:
            material[1][logo] = here(logo)
            check_readable(material[1][logo])

        def tell(variation: Variation) -> "create_files.Told":
            line = progress.add_task(f"#{variation.render_priority}", total=1.0)

            def told(fraction: float, step: str) -> None:
                described = f"#{variation.render_priority} {step}"
                progress.update(line, completed=fraction, description=described)

            return told

        return create_files.make_all(plan, plan.chosen[:count], material, folder, app, tell)


def rendition_row(one: "Made") -> dict[str, Any]:
    """One rendition for machines."""
    from shared.boards import notes_of

    made = one.outcome
    if isinstance(made, PipelineError):
        return {"id": one.variation.id, "error": {"code": made.code, "message": str(made)}}
    return {
        "id": one.variation.id,
        "render_priority": one.variation.render_priority,
        "predicted_score": one.variation.predicted_score,
        "video": str(one.folder / made.rendered.video),
        "thumbnail": str(one.folder / made.rendered.thumbnail),
        "preview": str(one.folder / made.rendered.preview) if made.rendered.preview else None,
        "timeline": str(one.folder / "timeline.json"),
        "compliance": {check.placement: check.verdict for check in made.compliance},
        "seconds": made.rendered.seconds,
        "pictures_sha256": made.rendered.pictures_sha256,
        "notes": notes_of(made),
        "fixes": list(made.fixes),
    }


def show_made(made: "Sequence[Made]", folder: Path) -> None:
    """One line a rendition, and where the page lies."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    rows = Table.grid(padding=(0, 2))
    for one in made:
        it = one.variation
        place = Text(f"#{it.render_priority}", "bold")
        if isinstance(one.outcome, PipelineError):
            rows.add_row(place, Text(f"failed: {one.outcome}", "red"))
            continue
        checked, colour = verdicts_told(one.outcome.compliance)
        rows.add_row(
            place,
            Text(f"{it.predicted_score:.2f}"),
            Text(f"{one.outcome.rendered.seconds:.1f} s"),
            Text(f"{it.hook} / {it.cta}"),
            Text(checked, colour),
        )
    console.print(rows)
    console.print(Text(f"Side by side: {folder / 'index.html'}", "bold"))


def verdicts_told(checks: "Sequence[Compliance]") -> tuple[str, str]:
    """Where it may run and the worst that was found where it is meant to, and its colour."""
    own = checks[0]
    failing = [check.placement for check in checks if check.verdict == "fail"]
    told = f"{own.placement} {own.verdict}"
    remarks = [one for one in own.findings if one.grade != "pass"]
    if remarks:
        told += f": {remarks[0].rule.replace('_', ' ')}, {remarks[0].found}"
    may_run = f"may run at {len(checks) - len(failing)} of {len(checks)} placements"
    told = f"{may_run}; {told}" + (f"; fails at {', '.join(failing)}" if failing else "")
    return told, "red" if own.verdict == "fail" else "yellow" if remarks or failing else "green"


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
