"""Paths that a user types: relative to where the user stands, not to the project."""

from pathlib import Path
from typing import Any

import click

from shared.errors import FileMissing


class UserPath(click.ParamType[Path]):
    """A path argument; the scripts change into the project's folder and pass on where they were."""

    name = "path"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, made absolute by the folder in which the command was typed."""
        start = ctx.find_root().params.get("start", ".") if ctx else "."
        return Path(str(start)).absolute() / str(value)


def check_readable(file: Path) -> None:
    """Raise FileMissing for what is no readable file on this machine."""
    try:
        with file.open("rb"):
            return
    except OSError as problem:
        raise FileMissing(f"{str(file)!r}: {problem.strerror}") from problem
