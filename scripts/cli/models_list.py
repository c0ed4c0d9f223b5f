"""`gv models list`: each network and each model of one's own, and whether it can be used here."""

from pathlib import Path

import click

from shared.config import read_settings

WITHOUT = {
    "ctr": "the cold start predicts",
    "roas": "nothing predicts it",
    "conversions": "nothing predicts it",
}


@click.command("list")
def list_models() -> None:
    """Print every network of the manifest and every trained model, and whether it can be used."""
    list_networks()
    list_trained()


def list_networks() -> None:
    """The networks: licence, purpose, whether the file is there and right."""
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


def list_trained() -> None:
    """The models of this tenant's own results: version, what they learned from, how they did."""
    from shared.bootstrap import build_app
    from shared.trained_models import TARGETS, current_model

    app = build_app(read_settings())
    for target in TARGETS:
        current = current_model(target, app)
        if current.model is None:
            state = f"cannot be used: {current.problem}" if current.problem else "none trained"
            click.echo(f"{target}  ({state}; {WITHOUT[target]})")
            continue
        facts = current.model.facts
        told = ", ".join(f"{name} {value:.4g}" for name, value in facts.figures.items())
        click.echo(f"{target}  (in use, of your own results)")
        click.echo(f"  {facts.version}: learned from {facts.trained_rows} results; {told}")
