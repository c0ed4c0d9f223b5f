"""`gv models agree`: the own implementations against the packages that they stand for."""

import json
from dataclasses import asdict

import click

from scripts.stages import ROOT

PAGE = ROOT / "docs" / "agreement.md"
LIMIT_SECONDS = 1500.0


@click.command("agree")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@click.option("--write", is_flag=True, help="Put the table into docs/agreement.md.")
def agree(as_json: bool, write: bool) -> None:
    """Compare with PaddleOCR, sentence-transformers, moonshine-voice; run faster-whisper's adapter.

    The first call installs them into .local/cache/agree-venv, which takes 2.5 GB and some minutes.
    Ends with status 1 when an agreement is missed.
    """
    from scripts.agree.experiments import Lab, table
    from scripts.agree.packages import Packages
    from scripts.bench.processes import Clock
    from scripts.train.cards import write_figures

    clock = Clock(LIMIT_SECONDS)
    rows = list(Lab(Packages(clock, say), clock, say).rows())
    if write:
        write_figures(PAGE, table(rows))
        say(f"written to {PAGE.relative_to(ROOT)}")
    if as_json:
        click.echo(json.dumps({"rows": [{**asdict(row), "met": row.met} for row in rows]}))
    else:
        click.echo(table(rows))
    if any(row.met is False for row in rows):
        raise SystemExit(1)


def say(what: str) -> None:
    """Progress, beside the answer."""
    click.echo(f"agree: {what}", err=True)
