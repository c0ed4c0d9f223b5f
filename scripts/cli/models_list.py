"""`gv models list`: each network with its licence, and whether it can be used here."""

from pathlib import Path

import click

from shared.config import read_settings


@click.command("list")
def list_models() -> None:
    """Print every network of the manifest and whether its file is there and right."""
    from shared.domain.inference.models import find_model, manifest
    from shared.domain.video.detector import AnalyserUnavailable

    folder = Path(read_settings().models)
    for model in manifest():
        try:
            state = f"ready: {find_model(model.name, folder)}"
        except AnalyserUnavailable as problem:
            state = str(problem)
        click.echo(f"{model.name}  ({model.status}, {model.licence})\n  {model.purpose}\n  {state}")
        if model.evidence and not model.package:
            click.echo(f"  checksum: {model.evidence}")
