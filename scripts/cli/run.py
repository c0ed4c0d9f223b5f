"""`scripts/run`: start the local stack, feed it videos, show what happens."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scripts.cli.analyze import fail
from scripts.cli.paths import UserPath, check_readable
from scripts.cli.report import show_report
from scripts.cli.status import COLOURS, words
from scripts.local.lock import HOME, AlreadyRunning, is_running
from scripts.local.stack import running_stack
from scripts.local.uploads import upload_video
from scripts.stages import ROOT, chain_from, read_stages
from shared import bootstrap, logs
from shared.app import App
from shared.config import Settings, read_settings
from shared.errors import PipelineError, RetryLater
from shared.events import UploadFinalized
from shared.report import read_report
from shared.status import AssetStatus, StageStatus, list_status, upload_status

CHAIN = chain_from(read_stages(), UploadFinalized.topic())
SAMPLE = ROOT / "scripts" / "sample" / "sample_ad.mp4"
LOOK_EVERY_SECONDS = 0.2
LOG_BYTES = 10_000_000
INTERRUPTED = 130
STOPPED = "Stopped. What was not finished goes on at the next scripts/run."


class StackStopped(RetryLater):
    """The stack that was to handle the videos is no longer there."""


@click.command()
@click.argument("videos", nargs=-1, type=UserPath())
@click.option("--once", is_flag=True, help="Print each report as a line of JSON, then exit.")
def run(videos: Sequence[Path], once: bool) -> None:
    """Start the local stack and put VIDEOS in.

    Without VIDEOS it goes on with what was not finished, or takes a sample ad.
    """
    console = Console(stderr=once)
    try:
        run_videos(videos, once, console)
    except PipelineError as problem:
        fail(problem, as_json=once)
    except KeyboardInterrupt:
        console.print(STOPPED)
        sys.exit(INTERRUPTED)


def run_videos(videos: Sequence[Path], once: bool, console: Console) -> None:
    """From the files to their reports; without `once` the stack then stays up."""
    for video in videos:
        check_readable(video)
    settings = read_settings()
    log_to_file(settings)
    followed: list[Followed] = []
    while True:
        with stack_or_running_one(settings, console) as (app, url, ours):
            followed = followed or begin(app, videos, once, console)
            told = {key_of(status) for status in list_status(app, CHAIN) if status.finished}
            try:
                results = follow(app, followed, console, ours=ours)
            except StackStopped:
                # Whose stack it was has ended; ours goes on with the same uploads.
                continue
            if once:
                sys.exit(print_reports(app, results))
            for status in results:
                show_result(app, status, console)
            say(console, f"Status page: [bold]{url}[/]   log: {HOME / 'stack.log'}")
            if ours:
                stay(app, told | {key_of(status) for status in results}, console)
            return


@dataclass(frozen=True)
class Followed:
    """An upload whose way through the pipeline is shown."""

    upload_id: str
    name: str


def begin(app: App, videos: Sequence[Path], once: bool, console: Console) -> list[Followed]:
    """Put the videos in; without any, go on with what is there, or take the sample."""
    if not videos and not once:
        waiting = [status for status in list_status(app, CHAIN) if not status.finished]
        if waiting:
            say(console, f"Going on with {len(waiting)} videos that were not finished.")
            return [Followed(status.upload_id, status.name) for status in waiting]
    uploads = [upload_video(app, video) for video in videos or [SAMPLE]]
    return [Followed(upload.upload_id, upload.name) for upload in uploads]


def log_to_file(settings: Settings) -> None:
    """Log lines go to .local/stack.log, so that the terminal stays readable."""
    HOME.mkdir(exist_ok=True)
    logs.set_up_logging(settings.log_format, settings.log_level, settings.google_project)
    file = RotatingFileHandler(HOME / "stack.log", maxBytes=LOG_BYTES, backupCount=1)
    as_json = settings.log_format == "json"
    file.setFormatter(
        logs.CloudFormatter(settings.google_project) if as_json else logs.TextFormatter()
    )
    logging.getLogger().handlers = [file]


def say(console: Console, line: str) -> None:
    """One line, never broken in the middle of a path."""
    console.print(line, soft_wrap=True)


@contextmanager
def stack_or_running_one(settings: Settings, console: Console) -> Iterator[tuple[App, str, bool]]:
    """The App, the address of the page, and whether the stack is ours to stop."""
    try:
        with running_stack(settings) as stack:
            if not stack.url.endswith(f":{settings.local_port}") and settings.local_port:
                say(console, f"Port {settings.local_port} is taken by another program.")
            say(console, f"Local stack at [bold]{stack.url}[/], uploads in {stack.uploads}")
            yield stack.app, stack.url, True
    except AlreadyRunning as running:
        say(console, f"A local stack is running already: [bold]{running.url}[/]")
        yield bootstrap.build_app(settings), running.url, False


def follow(
    app: App, followed: Sequence[Followed], console: Console, *, ours: bool
) -> list[AssetStatus]:
    """Show every step as it happens, until all uploads have come to an end.

    Raises StackStopped when the stack is not ours and ends meanwhile.
    """
    told: dict[str, str] = {}
    with live_table(console) as live:
        while True:
            found = [upload_status(app, one.upload_id, CHAIN) for one in followed]
            live.update(progress_table(followed, found))
            if not console.is_terminal:
                tell_changes(found, told)
            known = [status for status in found if status is not None]
            if len(known) == len(found) and all(status.finished for status in known):
                return known
            if not ours and not is_running(HOME):
                raise StackStopped("the local stack was stopped; scripts/run goes on with it")
            time.sleep(LOOK_EVERY_SECONDS)


def live_table(console: Console) -> Live:
    """A part of the terminal that is drawn again and again; nothing where there is none."""
    if console.is_terminal:
        return Live(console=console, refresh_per_second=8)
    return Live(console=Console(quiet=True))


def progress_table(followed: Sequence[Followed], found: Sequence[AssetStatus | None]) -> Table:
    """A row a stage of each upload: state, a bar while it runs, the reason when it failed."""
    table = Table.grid(padding=(0, 2))
    for one, status in zip(followed, found, strict=True):
        table.add_row(Text(one.name, "bold", overflow="ellipsis", no_wrap=True))
        for index, name in enumerate(CHAIN):
            stage = status.stages[index] if status else StageStatus(name=name)
            text = Text(words(stage), COLOURS.get(stage.state, "yellow"))
            table.add_row(f"  {name}", text, beside(stage))
    return table


def beside(stage: StageStatus) -> ProgressBar | Text:
    """What stands beside a stage's state: how far it is, or why it stopped."""
    if stage.state == "running":
        return ProgressBar(1.0, stage.progress or 0.0, width=24)
    return Text(stage.reason if stage.state in ("rejected", "failed") else "", "red")


def tell_changes(found: Sequence[AssetStatus | None], told: dict[str, str]) -> None:
    """For a file or a pipe: a line on stderr for each upload whose stages have changed."""
    for status in found:
        if status is None:
            continue
        line = ", ".join(f"{stage.name} {stage.state}" for stage in status.stages)
        if told.get(status.upload_id) != line:
            told[status.upload_id] = line
            print(f"{status.name}: {line}", file=sys.stderr, flush=True)


def print_reports(app: App, results: Sequence[AssetStatus]) -> int:
    """One line of JSON an upload on stdout: its report, or what went wrong; 1 when any did."""
    for status in results:
        if status.problem is None:
            report = read_report(app, status.video_id) or {}
        else:
            code = status.problem.code or status.problem.state
            report = {"error": {"code": code, "message": status.problem.reason}}
        print(json.dumps({**report, "name": status.name}))
    return int(any(status.problem for status in results))


def show_result(app: App, status: AssetStatus, console: Console) -> None:
    """The report for people, or why there is none."""
    if status.problem is None:
        show_report(console, status.name, read_report(app, status.video_id) or {})
    else:
        end = status.problem
        console.print(Text(f"{status.name}: {end.name} {words(end)}: {end.reason}", "red"))


def stay(app: App, told: set[tuple[str, int]], console: Console) -> None:
    """Keep the stack up, and show what else is dropped into the uploads folder, until Ctrl-C."""
    say(console, "Drop more videos into the uploads folder. Ctrl-C stops.")
    try:
        with live_table(console) as live:
            while True:
                busy = show_others(app, told, live.console if console.is_terminal else console)
                waiting = [Followed(status.upload_id, status.name) for status in busy]
                live.update(progress_table(waiting, busy))
                time.sleep(LOOK_EVERY_SECONDS)
    except KeyboardInterrupt:
        say(console, STOPPED)


def show_others(app: App, told: set[tuple[str, int]], console: Console) -> list[AssetStatus]:
    """Show what has come to its end since, and return what is still on its way."""
    busy = []
    for status in list_status(app, CHAIN):
        if not status.finished:
            busy.append(status)
        elif key_of(status) not in told:
            told.add(key_of(status))
            show_result(app, status, console)
    return busy


def key_of(status: AssetStatus) -> tuple[str, int]:
    """What tells one end from another: the same video may be uploaded again."""
    return (status.video_id or status.upload_id, status.uploads)
