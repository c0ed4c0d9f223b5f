"""`scripts/run`: start the local stack, feed it videos, show what happens."""

import json
import logging
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

import click
from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from scripts.cli.analyze import fail
from scripts.cli.paths import UserPath
from scripts.cli.report import show_report
from scripts.cli.status import COLOURS, words
from scripts.local.lock import AlreadyRunning, is_running
from scripts.local.stack import HOME, running_stack
from scripts.local.uploads import upload_video
from scripts.stages import ROOT, chain_from, read_stages
from shared import bootstrap, logs
from shared.config import Settings, read_settings
from shared.errors import FileMissing, PipelineError, RetryLater
from shared.events import UploadFinalized
from shared.ports import App
from shared.status import AssetStatus, StageStatus, list_status, upload_status

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
    """Start the local stack and put VIDEOS in (a sample ad when none is named)."""
    console = Console(stderr=once)
    try:
        run_videos(videos or [SAMPLE], once, console)
    except PipelineError as problem:
        fail(problem, as_json=once)
    except KeyboardInterrupt:
        console.print(STOPPED)
        sys.exit(INTERRUPTED)


def run_videos(videos: Sequence[Path], once: bool, console: Console) -> None:
    """From the files to their reports; without `once` the stack then stays up."""
    for video in videos:
        if not video.is_file():
            raise FileMissing(f"{str(video)!r} is not a file on this machine")
    settings = read_settings()
    log_to_file(settings)
    with stack_or_running_one(settings, console) as (app, url, ours):
        uploads = [upload_video(app, video) for video in videos]
        results = follow(app, uploads, console, ours=ours)
        if once:
            sys.exit(print_reports(app, results))
        show_results(app, results, console)
        console.print(f"Status page: [bold]{url}[/]   log: {HOME / 'stack.log'}")
        if ours:
            stay(app, console)


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


@contextmanager
def stack_or_running_one(settings: Settings, console: Console) -> Iterator[tuple[App, str, bool]]:
    """The App, the address of the page, and whether the stack is ours to stop."""
    try:
        with running_stack(settings) as stack:
            console.print(f"Local stack at [bold]{stack.url}[/], uploads in {stack.uploads}")
            yield stack.app, stack.url, True
    except AlreadyRunning as running:
        console.print(f"A local stack is running already: [bold]{running.url}[/]")
        yield bootstrap.build_app(settings), running.url, False


def follow(
    app: App, uploads: Sequence[UploadFinalized], console: Console, *, ours: bool
) -> list[AssetStatus]:
    """Show every step as it happens, until all uploads have come to an end.

    Raises StackStopped when the stack is not ours and ends meanwhile.
    """
    chain = chain_from(read_stages(), UploadFinalized.topic())
    shown = ""
    with Live(console=console, refresh_per_second=8, transient=False) as live:
        while True:
            found = [upload_status(app, upload.upload_id, chain) for upload in uploads]
            live.update(progress_table(uploads, found, chain))
            if not console.is_terminal and (lines := plain_lines(found)) != shown:
                shown = lines
                print(lines, file=sys.stderr, flush=True)
            known = [status for status in found if status is not None]
            if len(known) == len(found) and all(status.finished for status in known):
                return known
            if not ours and not is_running(HOME):
                raise StackStopped("the local stack was stopped; scripts/run goes on with it")
            time.sleep(LOOK_EVERY_SECONDS)


def progress_table(
    uploads: Sequence[UploadFinalized], found: Sequence[AssetStatus | None], chain: Sequence[str]
) -> Table:
    """A row a stage of each upload: state, a bar while it runs, the reason when it failed."""
    table = Table.grid(padding=(0, 2))
    for upload, status in zip(uploads, found, strict=True):
        table.add_row(Text(upload.name, "bold", overflow="ellipsis", no_wrap=True))
        for index, name in enumerate(chain):
            stage = status.stages[index] if status else None
            state = stage.state if stage else "waiting"
            text = Text(words(stage) if stage else state, COLOURS.get(state, "yellow"))
            table.add_row(f"  {name}", text, beside(stage) if stage else "")
    return table


def beside(stage: StageStatus) -> ProgressBar | Text:
    """What stands beside a stage's state: how far it is, or why it stopped."""
    if stage.state == "running":
        return ProgressBar(1.0, stage.progress or 0.0, width=24)
    return Text(stage.reason if stage.state in ("rejected", "failed") else "", "red")


def plain_lines(found: Sequence[AssetStatus | None]) -> str:
    """The same for a file or a pipe: one line an upload, without the moving parts."""
    known = (status for status in found if status is not None)
    return "\n".join(
        f"{status.name}: " + ", ".join(f"{s.name} {s.state}" for s in status.stages)
        for status in known
    )


def print_reports(app: App, results: Sequence[AssetStatus]) -> int:
    """One line of JSON an upload on stdout: its report, or what went wrong; 1 when any did."""
    failed = 0
    for status in results:
        if status.problem is None:
            print(app.files.read(status.report_path).decode())
            continue
        failed = 1
        code = status.problem.code or status.problem.state
        print(json.dumps({"error": {"code": code, "message": status.problem.reason}}))
    return failed


def show_results(app: App, results: Sequence[AssetStatus], console: Console) -> None:
    """Each report for people."""
    for status in results:
        if status.problem is None:
            show_report(console, status.name, json.loads(app.files.read(status.report_path)))


def stay(app: App, console: Console) -> None:
    """Keep the stack up and tell what else comes to an end, until Ctrl-C."""
    console.print("Drop more videos into the uploads folder. Ctrl-C stops.")
    chain = chain_from(read_stages(), UploadFinalized.topic())
    told = {(s.upload_id, s.video_id, s.uploads) for s in list_status(app, chain) if s.finished}
    try:
        while True:
            time.sleep(1.0)
            for status in list_status(app, chain):
                key = (status.upload_id, status.video_id, status.uploads)
                if status.finished and key not in told:
                    told.add(key)
                    end = status.problem or status.stages[-1]
                    console.print(Text(f"{status.name}: {end.name} {words(end)} {end.reason}"))
    except KeyboardInterrupt:
        console.print(STOPPED)
