"""`gv knowledge`: templates of hooks, calls and headlines, platform patterns, and their proof."""

import json
from pathlib import Path

import click

from scripts.cli.paths import UserPath
from shared import bootstrap
from shared.clip_models import HookSummary
from shared.clips import known_ads
from shared.config import read_settings
from shared.domain.patterns.templates import (
    TOPICS,
    Knowledge,
    Topic,
    combined,
    fitting,
    read_knowledge,
    shipped,
)
from shared.domain.patterns.winners import sum_up_hooks
from shared.templates import check_all, keep_own, templates_of

TOPIC = click.argument("topic", type=click.Choice(TOPICS))


@click.group()
def knowledge() -> None:
    """What is known of hooks, calls to action, headlines and platforms."""


@knowledge.command("list")
@click.argument("topic", type=click.Choice(TOPICS), required=False)
@click.option("--language", default="", help="Two letters: only entries in this language.")
@click.option("--industry", default="", help="Such as ecommerce: entries for it come first.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_entries(topic: Topic | None, language: str, industry: str, as_json: bool) -> None:
    """Show the entries of TOPIC, or of all, with what each rests on."""
    templates = templates_of(bootstrap.build_app(read_settings()))
    found = {one: templates.read(one) for one in ([topic] if topic else TOPICS)}
    chosen = {
        one: held.model_copy(
            update={"entries": fitting(held, language=language, industry=industry)}
        )
        for one, held in found.items()
    }
    if as_json:
        click.echo(json.dumps({one: held.model_dump(mode="json") for one, held in chosen.items()}))
        return
    for one, held in chosen.items():
        click.echo(f"{one}, version {held.version}")
        show(held, language or "en")


@knowledge.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def winners(as_json: bool) -> None:
    """Show which kinds of hook your own ads won with, best first."""
    found = sum_up_hooks(known_ads(bootstrap.build_app(read_settings())))
    if as_json:
        click.echo(json.dumps({"hooks": [one.model_dump() for one in found]}))
        return
    for one in found:
        click.echo(hook_line(one))
    if not found:
        click.echo("No ad is known yet. scripts/run VIDEO puts videos in.")
    elif not any(one.with_results for one in found):
        click.echo("No results are known yet: the order is that of our scores; they prove nothing.")


def hook_line(one: HookSummary) -> str:
    """`question: 4 ads, score 0.52, predicted CTR 1.20%; CTR 1.41% of 3 ads, 1.3 x the usual`."""
    told = [f"{one.hook_type}: {one.ads} ads"]
    told += [f"score {one.score:.2f}"] if one.score is not None else []
    told += [f"predicted CTR {one.predicted_ctr:.2%}"] if one.predicted_ctr is not None else []
    if one.ctr is None:
        return f"{', '.join(told)}; no results known"
    usual = "" if one.lift is None else f", {one.lift:.2f} x the usual"
    return f"{', '.join(told)}; CTR {one.ctr:.2%} of {one.with_results} ads{usual}"


@knowledge.command()
@click.argument("topic", type=click.Choice(TOPICS), required=False)
@click.argument("file", type=UserPath(), required=False)
def check(topic: Topic | None, file: Path | None) -> None:
    """Check what is in use, or FILE as entries of your own of TOPIC; nothing is changed."""
    if topic is not None and file is not None:
        own = read_knowledge(file.read_bytes(), str(file))
        whole = combined(shipped(topic), own)
        click.echo(f"{file}: {len(own.entries)} entries are in order; in use {len(whole.entries)}")
        return
    if topic is not None:
        raise click.UsageError("name the FILE to check too, or no topic to check what is in use")
    for one, held in check_all(bootstrap.build_app(read_settings())).items():
        unproven = sum(1 for entry in held.entries if not held.status_of(entry).ads)
        click.echo(f"{one}: {len(held.entries)} entries, {unproven} of them without an ad behind")


@knowledge.command()
@TOPIC
@click.argument("file", type=UserPath())
def use(topic: Topic, file: Path) -> None:
    """Put the entries of FILE over the shipped ones of TOPIC; seen within 30 seconds."""
    own = read_knowledge(file.read_bytes(), str(file))
    keep_own(topic, own, bootstrap.build_app(read_settings()))
    click.echo(f"{topic}: {len(own.entries)} entries of your own are in use.")


def show(held: Knowledge, language: str) -> None:
    """One line an entry."""
    for entry in held.entries:
        status = held.status_of(entry)
        text = entry.texts.get(language) or next(iter(entry.texts.values()), "")
        about = ", ".join([entry.platform or entry.hook_type, *entry.industries]).strip(", ")
        behind = f"{status.kind} since {status.since}, {status.ads} ads"
        click.echo(f"  {entry.id}: {text}" + (f" ({about})" if about else "") + f" [{behind}]")
