"""`gv analyze VIDEO`: one video through the analysis, without a server."""

import json
import sys
from pathlib import Path
from typing import NoReturn

import click

from scripts.cli.paths import UserPath
from shared.config import read_settings
from shared.errors import FileMissing, PipelineError
from shared.models import Analysis
from shared.ports import utc_now


@click.command()
@click.argument("video", type=UserPath())
@click.option("--preview", is_flag=True, help="Look at reference frames only: half the work.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
def analyze(video: Path, as_json: bool, preview: bool) -> None:
    """Measure VIDEO and print what was found."""
    try:
        analysis = measure(video, preview=preview)
    except PipelineError as problem:
        fail(problem, as_json)
    if as_json:
        click.echo(analysis.model_dump_json())
        return
    from rich.console import Console

    from scripts.cli.report import show_report

    show_report(Console(), video.name, analysis.model_dump(mode="json"))


def measure(video: Path, *, preview: bool = False) -> Analysis:
    """The analysis of a file of this machine; raises PipelineError with what is wrong with it."""
    from shared.domain.video.analyze import analyze_video
    from shared.domain.video.identity import content_id

    settings = read_settings()
    check_file(video)
    return analyze_video(
        video,
        video_id=content_id(video, settings.tenant_id),
        limits=settings.limits,
        extracted_at=utc_now(),
        on_progress=lambda fraction, step: None,
        preview=preview,
    )


def check_file(video: Path) -> None:
    """Raise FileMissing for what is no readable file on this machine."""
    try:
        with video.open("rb"):
            return
    except OSError as problem:
        raise FileMissing(f"{str(video)!r}: {problem.strerror}") from problem


def fail(problem: PipelineError, as_json: bool) -> NoReturn:
    """Say what is wrong, for machines or for people, and end with status 1."""
    if as_json:
        click.echo(json.dumps({"error": {"code": problem.code, "message": str(problem)}}))
    else:
        click.echo(f"{problem.code}: {problem}", err=True)
    sys.exit(1)
