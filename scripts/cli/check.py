"""`gv check FILE --platform meta:reels`: whether a video may run as an ad, and what to change."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.cli.analyze import fail
from scripts.cli.paths import UserPath, check_readable
from shared.config import read_settings
from shared.errors import PipelineError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from shared.compliance_models import Compliance, Finding
    from shared.domain.compliance.facts import AdText, ShownFacts

COLOURS = {"fail": "red", "warn": "yellow", "unavailable": "cyan", "pass": "green"}
SIGNS = {"fail": "✗", "warn": "!", "unavailable": "?", "pass": "✓"}
VERDICTS = {
    "fail": "not ready: it would be refused or would not work here",
    "warn": "may run; look at what is marked first",
    "pass": "ready to run",
}


@click.command()
@click.argument("video", type=UserPath(), required=False)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    help="meta:reels, tiktok:feed, ...; meta for all of Meta's placements; all. May be repeated.",
)
@click.option("--transcript", type=UserPath(), help="What is said, as FILE.srt or .vtt.")
@click.option("--text", "texts", multiple=True, help='A text beside it, such as "headline=Try it".')
@click.option("--language", default="", help="Two letters; without it all languages are looked in.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option("--rules", is_flag=True, help="Print the page of all rules instead.")
def check(
    video: Path | None,
    platforms: tuple[str, ...],
    transcript: Path | None,
    texts: tuple[str, ...],
    language: str,
    as_json: bool,
    rules: bool,
) -> None:
    """Check VIDEO against the rules of placements; status 1 when one of them fails."""
    if rules:
        from shared.domain.compliance.page import rules_page

        click.echo(rules_page(), nl=False)
        return
    if video is None:
        raise click.UsageError("name the VIDEO to check, or --rules to see what is checked")
    try:
        checks = run_checks(video, platforms or ("all",), facts_of(transcript, texts, language))
    except PipelineError as problem:
        fail(problem, as_json)
    if as_json:
        click.echo(json.dumps(as_one_object(checks), ensure_ascii=False))
    else:
        show_checks(video.name, checks)
    sys.exit(1 if any(one.verdict == "fail" for one in checks) else 0)


def run_checks(video: Path, platforms: tuple[str, ...], facts: "ShownFacts") -> "list[Compliance]":
    """One measurement, a verdict for each placement; raises PipelineError."""
    from shared.domain.compliance.check import judge
    from shared.domain.compliance.measure import measure_ad
    from shared.domain.compliance.rulebook import placements_named

    placements = placements_named(platforms)
    check_readable(video)
    settings = read_settings()
    measured = measure_ad(video, limits=settings.limits, tools=settings.tools)
    return [judge(measured, placement, facts) for placement in placements]


def facts_of(transcript: Path | None, texts: tuple[str, ...], language: str) -> "ShownFacts":
    """What the user said about the ad; raises PipelineError for captions that are none."""
    from shared.domain.compliance.facts import ShownFacts
    from shared.domain.inference.captions import read_captions

    if transcript is not None:
        check_readable(transcript)
    return ShownFacts(
        language=language.lower(),
        transcript=read_captions(transcript) if transcript else None,
        ad_texts=tuple(ad_text(one) for one in texts),
    )


def ad_text(written: str) -> "AdText":
    """`headline=Try it` as a text with its field; one without a field is `text`."""
    from shared.domain.compliance.facts import AdText

    field, equals, text = written.partition("=")
    return AdText(field=field, text=text) if equals else AdText(field="text", text=written)


def as_one_object(checks: "list[Compliance]") -> dict[str, object]:
    """One placement: its record. Several: the worst verdict, and a record each under `checks`."""
    records = [one.model_dump(mode="json") for one in checks]
    if len(records) == 1:
        return records[0]
    verdicts = {one.verdict for one in checks}
    worst = next(verdict for verdict in ("fail", "warn", "pass") if verdict in verdicts)
    return {"verdict": worst, "checks": records}


def show_checks(name: str, checks: "list[Compliance]") -> None:
    """Each placement with what is wrong first; what is in order in one line."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    console.print()
    console.print(Text(printable(name), "bold"))
    for one in checks:
        show_check(console, one)


def show_check(console: "Console", one: "Compliance") -> None:
    """One placement: verdict, what is wrong with what to do, what is in order, and the sources."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from shared.domain.compliance.rulebook import rule_book

    name = rule_book().placements[one.placement].name
    head = Text(f"{SIGNS[one.verdict]} {one.verdict}", f"bold {COLOURS[one.verdict]}")
    console.print()
    console.print(head.append(f"  {name} ({one.placement})", "bold"))
    console.print(Text(f"  {VERDICTS[one.verdict]}"))
    sources = list(dict.fromkeys(f.source for f in one.findings if f.grade in ("fail", "warn")))
    rows = Table.grid(padding=(0, 2))
    for finding in one.findings:
        if finding.grade != "pass":
            colour = COLOURS[finding.grade]
            rows.add_row(
                Text(f"{SIGNS[finding.grade]} {title(finding)}", colour), block(finding, sources)
            )
    fine = dict.fromkeys(title(finding) for finding in one.findings if finding.grade == "pass")
    rows.add_row(Text("✓ in order", "green"), Text(", ".join(fine), "dim"))
    console.print(Padding(rows, (1, 0, 0, 2)))
    for number, source in enumerate(sources, start=1):
        console.print(Padding(Text(f"[{number}] {source}", "dim", overflow="fold"), (0, 0, 0, 2)))


def block(finding: "Finding", sources: list[str]) -> "Text":
    """What was found, where, what is asked for, what to do, and the number of the source."""
    from rich.text import Text

    if finding.grade == "unavailable":
        return Text(f"not checked: {printable(finding.found)}")
    at = "" if finding.at_seconds is None else f", at {finding.at_seconds:.1f} s"
    text = Text(f"{printable(finding.found)}{at}")
    text.append(f"; asked for: {finding.expected} [{sources.index(finding.source) + 1}]", "dim")
    if finding.fix:
        text.append(f"\n→ {finding.fix}")
    if finding.automatic_fix:
        text.append(" A new render mends it.", "dim")
    return text


def title(finding: "Finding") -> str:
    """The name of a rule for people."""
    from shared.domain.compliance.rulebook import rule_book

    words = {str(name): one.title for name, one in rule_book().words.items()}
    return words[finding.rule]


def printable(text: str) -> str:
    """Text from outside without what could steer a terminal."""
    return "".join(c if c.isprintable() else "?" for c in text)
