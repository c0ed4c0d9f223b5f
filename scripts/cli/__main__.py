"""`scripts/gv`: everything that GeminiVideo does, one verb each."""

import sqlite3
import sys
from importlib import import_module
from typing import Any

import click

VERBS = {
    "run": "scripts.cli.run",
    "analyze": "scripts.cli.analyze",
    "judge": "scripts.cli.judge",
    "bench": "scripts.cli.bench",
    "status": "scripts.cli.status",
    "replay": "scripts.cli.replay",
    "reset": "scripts.cli.local",
    "backup": "scripts.cli.local",
    "settings": "scripts.cli.settings",
    "models": "scripts.cli.models",
    "search": "scripts.cli.search",
    "knowledge": "scripts.cli.knowledge",
    "create": "scripts.cli.create",
}


class Verbs(click.Group):
    """Loads a verb's module when it is called, so that each starts as fast as it can."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of the table."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's command; None for a word that is no verb."""
        if cmd_name not in VERBS:
            return None
        command: click.Command = getattr(import_module(VERBS[cmd_name]), cmd_name)
        return command


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--from", "start", default=".", hidden=True, help="Where relative paths start.")
def gv(start: str) -> None:
    """GeminiVideo: from an ad video to the money spent on it."""


def main(arguments: list[str] | None = None) -> Any:
    """Run one verb; a problem of ours ends with one line and status 1, never a traceback."""
    from shared.errors import PipelineError

    try:
        return gv.main(args=arguments, prog_name="gv")
    except PipelineError as problem:
        click.echo(f"{problem.code}: {problem}", err=True)
    except (OSError, sqlite3.Error) as problem:
        click.echo(f"{problem}; check the path, its permissions and the free space", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
