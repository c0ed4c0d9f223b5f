"""`gv models train|evaluate|features`: the text models, and what they are measured at."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import click

from scripts.stages import ROOT
from scripts.train import recipes
from scripts.train.cards import figures_table, reliability_table, write_figures
from scripts.train.figures import Figure
from shared.domain.scoring.weights import MODELS

MATERIAL = ROOT.parent / "shared" / "data"
DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with text_urgency_scarcity/, table_headline_tests/ and text_hook_types/.",
)


@click.command()
@DATA
def train(data: Path | None) -> None:
    """Train the text models, write them beside the code with checksums, and fill their cards."""
    folder = data or MATERIAL
    for file in (recipes.train_pressure(folder), recipes.train_headlines(folder)):
        click.echo(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
    figures = [*recipes.sample_figures(), *recipes.cross_figures(folder)]
    of_pairs = [f for f in figures if "pairs" in f.name or "CTR" in f.name]
    of_texts = [f for f in figures if f not in of_pairs and "hook" not in f.name]
    reliability = reliability_table(recipes.reliability_rows(folder))
    write_figures(MODELS / "pressure.md", figures_table(of_texts))
    write_figures(MODELS / "headlines.md", figures_table(of_pairs), reliability)
    show(figures)


@click.command()
@DATA
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on one line.")
def evaluate(data: Path | None, as_json: bool) -> None:
    """Measure the models on texts they have not seen, beside goals and baselines.

    The samples of the project always; with --data (or the material beside the project) everything
    there by cross-validation too, which trains anew and takes about half a minute.
    """
    figures = [*recipes.sample_figures()]
    folder = data or (MATERIAL if MATERIAL.is_dir() else None)
    reliability = recipes.reliability_rows(folder) if folder else []
    if folder:
        figures += recipes.cross_figures(folder)
    if as_json:
        rows = [{**asdict(figure), "met": figure.met} for figure in figures]
        click.echo(json.dumps({"figures": rows, "reliability": reliability}))
        return
    show(figures)
    if reliability:
        click.echo("\nhow often what is said happens (cross-validated pairs):")
        click.echo(reliability_table(reliability))


@click.command()
def features() -> None:
    """Print the table of features, as docs/features.md has it."""
    from shared.domain.scoring.features import features_page

    click.echo(features_page(), nl=False)


def show(figures: Iterable[Figure]) -> None:
    """A table for people: each figure, its goal, its baseline, whether it is met."""
    from rich.console import Console
    from rich.table import Table

    table = Table("figure", "value", "goal", "", "baseline", "measured on")
    for figure in figures:
        sign = "≤" if figure.lower_is_better else "≥"
        table.add_row(
            figure.name,
            figure.shown,
            "" if figure.goal is None else f"{sign} {figure.goal:.2f}",
            VERDICTS[figure.met],
            "" if figure.baseline is None else f"{figure.baseline:.5g}",
            figure.measured_on,
        )
    Console().print(table)


VERDICTS = {True: "[green]met[/]", False: "[red]missed[/]", None: "-"}
