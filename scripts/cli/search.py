"""`gv search`: shots of all ads, by their words and by their meaning."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from scripts.local.lock import HOME
from shared import bootstrap
from shared.app import App
from shared.clip_models import ClipFilter, ClipQuestion, Found, Hit
from shared.clips import DocumentClips, refresh_index
from shared.config import Settings, read_settings
from shared.domain.patterns.search import ClipStore, Embedder, explain, search_clips

LISTS = ("hook_types", "platforms", "languages")


@click.command()
@click.argument("words", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print the answer as one JSON object.")
@click.option("--limit", default=10, show_default=True, help="How many at most, 1-100.")
@click.option(
    "--filter",
    "conditions",
    multiple=True,
    metavar="NAME=VALUE",
    help=f"May be repeated: {', '.join(ClipFilter.model_fields)}. Lists by commas.",
)
def search(words: tuple[str, ...], as_json: bool, limit: int, conditions: tuple[str, ...]) -> None:
    """Find shots by WORDS: what is said, written and seen in them, and what they mean."""
    question = read_question(" ".join(words), limit, conditions)
    settings = read_settings()
    app = bootstrap.build_app(settings)
    embedder, problem = open_embedder(settings)
    found = search_clips(open_clips(settings, app), question, embedder)
    if problem and question.text:
        found = found.model_copy(update={"notes": (*found.notes, problem)})
    if as_json:
        hits = [{**hit.model_dump(mode="json"), "why": explain(hit)} for hit in found.hits]
        click.echo(json.dumps({**found.model_dump(mode="json"), "hits": hits}))
    else:
        show(found)


def read_question(text: str, limit: int, conditions: Sequence[str]) -> ClipQuestion:
    """The question of a command line; raises BadParameter naming what does not fit."""
    wanted: dict[str, Any] = {}
    for condition in conditions:
        name, sign, value = condition.partition("=")
        if not sign or name not in ClipFilter.model_fields:
            known = ", ".join(ClipFilter.model_fields)
            raise click.BadParameter(f"--filter {condition!r}: expected NAME=VALUE of {known}")
        wanted[name] = value.split(",") if name in LISTS else value
    try:
        return ClipQuestion(text=text, limit=limit, filter=ClipFilter.model_validate(wanted))
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise click.BadParameter(f"{place} {first['input']!r:.80}: {first['msg']}") from problem


def open_clips(settings: Settings, app: App) -> ClipStore:
    """On a laptop the index beside the stores, brought up to date; else the documents."""
    if not settings.documents.startswith("sqlite://"):
        return DocumentClips(app.documents)
    from shared.domain.patterns.index import ClipIndex

    index = ClipIndex(HOME / "search" / app.tenant_id)
    refresh_index(index, app)
    return index


def open_embedder(settings: Settings) -> tuple[Embedder | None, str]:
    """What makes vectors of questions, or why there is none."""
    from shared.domain.inference.engines import open_sentences
    from shared.domain.video.detector import AnalyserUnavailable

    try:
        return open_sentences(settings.sentence_engine, Path(settings.models)), ""
    except AnalyserUnavailable as problem:
        return None, str(problem)


def show(found: Found) -> None:
    """A block a clip: which ad, when in it, what happens, why it was found."""
    from rich.console import Console
    from rich.text import Text

    console = Console()
    for number, hit in enumerate(found.hits, 1):
        console.print(Text(f"{number}. {title(hit)}", "bold"))
        for line in (*texts(hit), f"why: {explain(hit)}"):
            console.print(Text(f"   {line}"))
    if not found.hits:
        looked = "" if found.searched is None else f" among {found.searched} clips"
        console.print(f"Nothing found{looked}. scripts/run VIDEO puts videos in.")
    for note in found.notes:
        console.print(Text(note, "yellow"))


def title(hit: Hit) -> str:
    """Which clip it is: `ad.mp4 0:12-0:15, shot 4, score 0.62, question`."""
    clip = hit.clip
    parts = [
        f"{clip.name or clip.video_id} {clock(clip.start_seconds)}-{clock(clip.end_seconds)}",
        f"shot {clip.shot + 1}",
    ]
    parts += [f"score {clip.score:.2f}"] if clip.score is not None else []
    parts += [clip.hook_type] if clip.hook_type not in (None, "none") else []
    parts += [f"CTR {clip.predicted_ctr:.2%}"] if clip.predicted_ctr is not None else []
    return ", ".join(str(part) for part in parts)


def texts(hit: Hit) -> list[str]:
    """What is said, written and seen, one line each."""
    clip = hit.clip
    lines = (
        ("said", clip.transcript),
        ("text", clip.text),
        ("seen", ", ".join(clip.objects or ())),
    )
    return [f"{name}: {' '.join(text.split())[:160]}" for name, text in lines if text]


def clock(seconds: float) -> str:
    """Seconds as people read them: `1:02.5`."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}"
