"""`gv analyze VIDEO`: one video through the analysis, without a server."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click

from scripts.cli.facts import HELP, read_facts
from scripts.cli.paths import UserPath, check_readable
from shared.config import read_settings
from shared.errors import PipelineError
from shared.models import Analysis
from shared.ports import utc_now


@click.command()
@click.argument("video", type=UserPath())
@click.option("--preview", is_flag=True, help="Look at reference frames only: half the work.")
@click.option(
    "--pictures", "folder", type=UserPath(), help="Draw contact sheet and timeline into FOLDER."
)
@click.option("--full", is_flag=True, help="Read text, find objects, transcribe, embed as well.")
@click.option(
    "--transcript", type=UserPath(), help="What is said, as FILE.srt or .vtt; implies --full."
)
@click.option("--facts", type=UserPath(), help=f"{HELP} Implies --full.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def analyze(
    video: Path,
    as_json: bool,
    preview: bool,
    folder: Path | None,
    full: bool,
    transcript: Path | None,
    facts: Path | None,
) -> None:
    """Measure VIDEO and print what was found."""
    sheets: list[bytes] = []
    try:
        ad = read_facts(facts)
        on_contact_sheet = sheets.append if folder else None
        if full or transcript or facts:
            from scripts.cli.full import full_report, understand

            analysis, inference = understand(
                video, transcript, preview=preview, on_contact_sheet=on_contact_sheet
            )
            report = full_report(analysis, inference, ad)
        else:
            analysis = measure(video, preview=preview, on_contact_sheet=on_contact_sheet)
            report = analysis.model_dump(mode="json")
    except PipelineError as problem:
        fail(problem, as_json)
    written = write_pictures(folder, video, analysis, sheets[0]) if folder else []
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    from rich.console import Console

    from scripts.cli.report import show_report

    show_report(Console(), video.name, report)
    for path in written:
        click.echo(f"  picture: {path}")


def write_pictures(folder: Path, video: Path, analysis: Analysis, sheet: bytes) -> list[Path]:
    """Contact sheet and timeline of a video, named after it; returns where they lie."""
    from shared.domain.video.timeline import draw_timeline

    folder.mkdir(parents=True, exist_ok=True)
    contact = folder / f"{video.stem}.contact.jpg"
    timeline = folder / f"{video.stem}.timeline.svg"
    contact.write_bytes(sheet)
    timeline.write_text(draw_timeline(analysis, video.name), encoding="utf-8")
    return [contact, timeline]


def measure(
    video: Path,
    *,
    preview: bool = False,
    on_contact_sheet: Callable[[bytes], None] | None = None,
) -> Analysis:
    """The analysis of a file of this machine; raises PipelineError with what is wrong with it."""
    from shared.domain.video.analyze import analyze_video
    from shared.domain.video.identity import content_id

    settings = read_settings()
    check_readable(video)
    return analyze_video(
        video,
        video_id=content_id(video, settings.tenant_id),
        limits=settings.limits,
        extracted_at=utc_now(),
        on_progress=lambda fraction, step: None,
        preview=preview,
        on_contact_sheet=on_contact_sheet,
    )


def fail(problem: PipelineError, as_json: bool) -> NoReturn:
    """Say what is wrong, for machines or for people, and end with status 1."""
    if as_json:
        click.echo(json.dumps({"error": {"code": problem.code, "message": str(problem)}}))
    else:
        click.echo(f"{problem.code}: {problem}", err=True)
    sys.exit(1)
