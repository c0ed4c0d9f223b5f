"""`gv reset` and `gv backup`: what happens to the local stack's folder."""

import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import click

from scripts.cli.paths import UserPath
from scripts.local.lock import HOME, AlreadyRunning, only_one
from shared.adapters.tables.duckdb import paused_merging

KEPT_OUT = ("stack.lock", "cache")
MADE_ANEW = ("search",)
"""What a backup need not hold: it follows from the rest."""


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Delete everything that the local stack has stored (.local): videos, reports, queue."""
    if not HOME.exists():
        click.echo("There is nothing to delete.")
        return
    with stopped_stack():
        if not yes:
            click.confirm(f"Delete {HOME.resolve()} and all that is in it?", abort=True)
        for path in HOME.iterdir():
            if path.name not in KEPT_OUT:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    click.echo("Deleted. scripts/run starts anew.")


@click.command()
@click.argument("target", type=UserPath(), required=False)
def backup(target: Path | None) -> None:
    """Write .local into TARGET, a .tar.gz; the databases are copied whole even while in use."""
    if not HOME.exists():
        raise click.ClickException("there is no .local to back up: run scripts/run first")
    target = target or Path(f"geminivideo-backup-{datetime.now(UTC):%Y%m%d-%H%M%S}.tar.gz")
    if target.exists():
        raise click.ClickException(f"{target} exists already: name another file")
    # It holds secrets: nobody else may read it, not even while it is being written.
    with tempfile.TemporaryDirectory(prefix=".gv-backup-", dir=target.parent) as folder:
        draft = Path(folder) / "backup.tar.gz"
        with paused_merging(HOME / "tables"), tarfile.open(draft, "x:gz") as archive:
            for path in sorted(HOME.rglob("*")):
                add_to_backup(archive, path, Path(folder))
        draft.chmod(0o600)
        draft.rename(target)
    click.echo(
        f"{target} holds {HOME.resolve()}; stop the stack, then restore it with: "
        f"tar -xzf {target.absolute()} -C {HOME.resolve().parent}"
    )


def add_to_backup(archive: tarfile.TarFile, path: Path, folder: Path) -> None:
    """Add one file; a database through SQLite's own online copy, its journals not at all."""
    parts = path.relative_to(HOME).parts
    left_out = parts[0] in (*KEPT_OUT, *MADE_ANEW) or parts[1:3] == (".state", "drafts")
    if left_out or not path.is_file() or path.name.endswith(("-wal", "-shm")):
        return
    if path.suffix == ".db":
        copy = folder / path.name
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as sink:
            source.backup(sink)
        archive.add(copy, arcname=str(path))
        return
    # What is deleted meanwhile is not in the backup.
    with suppress(FileNotFoundError):
        archive.add(path, arcname=str(path))


@contextmanager
def stopped_stack() -> Iterator[None]:
    """Hold the stack's lock, so that none starts meanwhile; raises when one is running."""
    try:
        with only_one(HOME):
            yield
    except AlreadyRunning as running:
        raise click.ClickException(f"{running}: stop it first (Ctrl-C)") from running
