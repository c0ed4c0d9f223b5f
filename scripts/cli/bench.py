"""`gv bench`: how fast the analysis is, against decoding and against other people's tools."""

import json
import os
from collections.abc import Sequence

import click

from scripts.bench.experiments import Lab
from scripts.bench.figures import FIGURES, Figure, Result, measure
from scripts.bench.processes import Clock
from scripts.bench.regression import PAGE, write_row
from scripts.stages import ROOT
from shared.ports import utc_now

LIMIT_SECONDS = 285.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
@click.option("--only", default="", metavar="WORD", help="Only figures whose name has WORD in it.")
@click.option("--write", is_flag=True, help="Add this run to the table in docs/benchmarks.md.")
def bench(as_json: bool, only: str, write: bool) -> None:
    """Measure speed, memory and accuracy on two composed ads, within five minutes.

    Every ratio is the median over pairs of runs, one right after the other. What cannot be
    measured here is unavailable, with the reason.
    """
    results = measure(choose(only), Lab(Clock(LIMIT_SECONDS), say))
    if write:
        write_row(results, utc_now())
        say(f"written to {PAGE.relative_to(ROOT)}")
    if as_json:
        click.echo(json.dumps({result.figure.name: result.as_json() for result in results}))
    else:
        show(results)


def choose(word: str) -> list[Figure]:
    """The figures whose name holds a word; raises a usage error that lists the names."""
    chosen = [figure for figure in FIGURES if word in figure.name]
    if not chosen:
        names = ", ".join(figure.name for figure in FIGURES)
        raise click.BadParameter(f"no figure has {word!r} in its name; there are {names}")
    return chosen


def say(what: str) -> None:
    """Progress, beside the answer."""
    click.echo(f"bench: {what}", err=True)


def show(results: Sequence[Result]) -> None:
    """A table for people: each figure, its goal, whether it is met."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("figure", "value", "goal", "", "each clip, or why there is no value")
    for result in results:
        sign = "≤" if result.figure.better == "lower" else "≥"
        table.add_row(
            result.figure.name,
            "unavailable" if result.value is None else f"{result.value:g}",
            f"{sign} {result.goal:g}",
            VERDICTS[result.met],
            Text(result.reason or details(result)),
        )
    Console().print(table)
    Console().print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "[yellow]-[/]"}


def details(result: Result) -> str:
    """The value on each clip, where there are several."""
    return ", ".join(f"{clip}: {value:g}" for clip, value in (result.by_clip or {}).items())
