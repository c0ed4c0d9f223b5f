"""`gv score STORYBOARD.json`: an ad before there is a video, scored by what its plan tells."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.cli.analyze import fail
from scripts.cli.paths import UserPath, check_readable
from scripts.cli.report import prediction_words, score_words
from shared.config import read_settings
from shared.errors import PipelineError
from shared.score_models import AdFacts, Scene, Score, Storyboard, StoryboardCard

if TYPE_CHECKING:
    from rich.text import Text

EXAMPLE = Storyboard(
    scenes=(
        Scene(seconds=2, text="Tired of dry skin?", picture="person"),
        Scene(seconds=8, spoken="I tried this cream for a week.", picture="product"),
        Scene(seconds=5, text="Shop now. Offer ends tonight!", picture="text_card"),
    ),
    ad=AdFacts(platform="instagram", call_to_action="Shop now", expected_ctr=0.02),
)
PSYCHOLOGY = ("curiosity", "urgency", "social_proof", "transformation", "authority")


@click.command()
@click.argument("storyboard", type=UserPath(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print scores and prediction as JSON.")
@click.option("--example", is_flag=True, help="Print a storyboard to start from.")
def score(storyboard: Path | None, as_json: bool, example: bool) -> None:
    """Score STORYBOARD, and keep its prediction to compare it with what happens."""
    if example:
        click.echo(EXAMPLE.model_dump_json(indent=2, exclude_defaults=True))
        return
    if storyboard is None:
        raise click.UsageError("name a STORYBOARD, or ask for an --example")
    try:
        plan, card = score_file(storyboard)
    except PipelineError as problem:
        fail(problem, as_json)
    if as_json:
        click.echo(card.model_dump_json())
    else:
        show_card(storyboard.name, plan, card)


def score_file(file: Path) -> tuple[Storyboard, StoryboardCard]:
    """The plan in a file and what is told of it; raises PipelineError with what is wrong."""
    from shared.bootstrap import build_app
    from shared.domain.scoring.storyboard import MAX_BYTES, read_storyboard
    from shared.storyboards import score_and_keep

    check_readable(file)
    with file.open("rb") as opened:
        plan = read_storyboard(opened.read(MAX_BYTES + 1), file.name)
    return plan, score_and_keep(plan, build_app(read_settings()))


def show_card(name: str, plan: Storyboard, card: StoryboardCard) -> None:
    """A card as people read it: scores with their reasons, the prediction, what is unknown."""
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    console = Console()
    seconds = sum(scene.seconds for scene in plan.scenes)
    console.print()
    console.print(Text(name, "bold"), Text(f"{len(plan.scenes)} scenes, {seconds:.1f} s", "dim"))
    rows = Table.grid(padding=(0, 2))
    rows.add_column(style="dim", justify="right")
    rows.add_column()
    for label, told in card_rows(card):
        rows.add_row(label, told)
    console.print(Padding(rows, (1, 0, 0, 2)))


def card_rows(card: StoryboardCard) -> Iterable[tuple[str, "Text"]]:
    """One row a finding; yellow is what nobody can know of a plan."""
    from rich.text import Text

    scores, prediction = card.scores, card.prediction
    yield "score", Text(score_words(scores.model_dump()))
    yield "hook", Text(hook_words(card))
    for name in PSYCHOLOGY:
        yield name.replace("_", " "), Text(part_words(getattr(scores, name)))
    yield "ctr", Text(prediction_words(prediction.model_dump()))
    yield "kept as", Text(f"storyboard {card.storyboard_id}, {prediction.model_version}", "dim")
    if scores.overall.unknown:
        unknown = ", ".join(scores.overall.unknown)
        yield "unknown", Text(f"{unknown}: the others took their weight", "yellow")
    for lack in scores.lacked:
        yield "", Text(f"without {lack.signal.replace('_', ' ')}: {lack.consequence}", "yellow")
    for name in prediction.lacked:
        yield "", Text(f"the prediction lacked {name.replace('_', ' ')}", "yellow")


def hook_words(card: StoryboardCard) -> str:
    """`question, confidence 0.93: "Tired of dry skin?"`, or that there is none."""
    hook = card.scores.hook
    if hook.confidence is None:
        return f"{hook.kind}: no words in the opening"
    sure = f"{hook.kind}, confidence {hook.confidence:.2f}"
    return f'{sure}: "{hook.words}"' if hook.words else sure


def part_words(score: Score) -> str:
    """A score and the words that speak for it."""
    if score.value is None:
        return "unknown"
    behind = {f'"{words}"': None for words in score.evidence.values()}
    return f"{score.value:.2f}" + (f": {', '.join(behind)}" if behind else "")
