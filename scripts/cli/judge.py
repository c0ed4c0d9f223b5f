"""`gv judge VIDEO`: one video through the analysis and before the council, without a server."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.cli.analyze import fail, measure
from scripts.cli.paths import UserPath
from shared.config import read_settings
from shared.council_models import Media, Verdict
from shared.errors import PipelineError
from shared.models import Analysis

if TYPE_CHECKING:
    from rich.table import Table

    from shared.app import App


@click.command()
@click.argument("video", type=UserPath())
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def judge(video: Path, as_json: bool) -> None:
    """Ask the council about VIDEO; without keys the heuristic judge alone."""
    sheets: list[bytes] = []
    try:
        analysis = measure(video, on_contact_sheet=sheets.append)
        verdict = ask_council(video, analysis, sheets[0])
    except PipelineError as problem:
        fail(problem, as_json)
    if as_json:
        click.echo(verdict.model_dump_json())
    else:
        show_verdict(video.name, verdict)


def ask_council(video: Path, analysis: Analysis, sheet: bytes) -> Verdict:
    """The verdict of the judges that the settings name, within the settings' caps."""
    from shared.bootstrap import build_app
    from shared.domain.council.case import Case
    from shared.domain.council.judge import Bench, judge_video
    from shared.metering import Caps, Meter

    app = build_app(read_settings())
    rules = app.council_rules
    bench = Bench()
    if app.judges or app.annotators:
        caps = Caps(rules.video_cap_micro_usd, rules.day_cap_micro_usd)
        bench = Bench(app.judges, app.annotators, Meter(app, analysis.video_id, caps))
    case = Case(analysis, video.name, media=pictures(video, analysis, sheet, app))
    return judge_video(case, bench, rules, app.now().date())


def pictures(video: Path, analysis: Analysis, sheet: bytes, app: "App") -> tuple[Media, ...]:
    """What judges may look at: the contact sheet, and the video when it is small enough."""
    from shared.domain.council.media import media_of

    small = video.stat().st_size <= app.council_rules.max_video_bytes
    return media_of(analysis, sheet, video.read_bytes() if small else b"")


def show_verdict(name: str, verdict: Verdict) -> None:
    """The verdict as people read it: scores, reasons, who was heard, what it cost."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    console.print()
    sure = f"{verdict.overall:.0f} of 100, confidence {verdict.confidence:.2f}"
    console.print(Text(name, "bold"), Text(sure, "bold"), Text(verdict.note, "dim"))
    console.print(Padding(verdict_rows(verdict), (1, 0, 0, 2)))


def verdict_rows(verdict: Verdict) -> "Table":
    """One row a criterion, a remark, a judge."""
    from rich.table import Table
    from rich.text import Text

    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", justify="right")
    rows.add_column()
    for criterion, agreement in verdict.scores.items():
        told = "cannot tell" if agreement.score is None else f"{agreement.score:.0f}"
        if agreement.judges > 1:
            told += f"  ({agreement.lowest:.0f} to {agreement.highest:.0f})"
        rows.add_row(criterion.replace("_", " "), Text(told))
    for words, remarks in (("good", verdict.strengths), ("weak", verdict.weaknesses)):
        for remark in remarks:
            rows.add_row(words, Text(remark))
    for one in verdict.suggestions:
        at = "" if one.at_seconds is None else f"{one.at_seconds:.1f} s: "
        rows.add_row("try", Text(f"{at}{one.text}"))
    for testimony in verdict.testimonies:
        heard = "heard" if testimony.opinion else f"{testimony.left_out}: {testimony.reason}"
        lacked = f"; lacked {', '.join(testimony.lacked)}" if testimony.lacked else ""
        rows.add_row(testimony.judge, Text(heard + lacked, "" if testimony.opinion else "yellow"))
    if verdict.injection_suspected:
        rows.add_row("warning", Text("texts of this video speak to whoever judges it", "yellow"))
    rows.add_row("cost", Text(f"${verdict.cost_micro_usd / 1e6:.4f}"))
    return rows
