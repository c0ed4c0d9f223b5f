"""`gv models fetch [NAME]`: networks from where the manifest says, checked, into the folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scripts.fetching import SHA256, ModelHostFailed, ModelNotFetched, download
from shared.config import read_settings

if TYPE_CHECKING:
    from shared.domain.inference.models import ModelFile


@click.command("fetch")
@click.argument("name", required=False)
@click.option("--sha256", default="", help="The checksum of a file that the manifest cannot give.")
def fetch_models(name: str | None, sha256: str) -> None:
    """Fetch the network NAME, or all whose address and checksum are known."""
    from shared.domain.inference.models import manifest, model_named

    folder = Path(read_settings().models)
    if name:
        click.echo(fetch(model_named(name), folder, sha256.lower()))
        return
    fetch_all([model for model in manifest() if not model.package], folder)


def fetch_all(models: "Sequence[ModelFile]", folder: Path) -> None:
    """Fetch what can be had, and say of each of the others why not.

    Raises ModelHostFailed when one that has an address and a checksum did not come.
    """
    lacking = []
    for model in models:
        try:
            click.echo(fetch(model, folder))
        except (ModelNotFetched, ModelHostFailed) as problem:
            click.echo(f"{model.name}: {problem}", err=True)
            lacking += [model.name] if model.url and model.sha256 else []
    if lacking:
        raise ModelHostFailed(f"not fetched: {', '.join(lacking)}; the reasons stand above")


def fetch(model: "ModelFile", folder: Path, sha256: str = "") -> Path:
    """Put the file of a model into the folder, whole or not at all; returns where it lies.

    Raises ModelNotFetched without address or checksum, or when the checksum differs.
    """
    from shared.domain.inference.models import VOUCHED, find_model
    from shared.domain.video.detector import AnalyserUnavailable

    try:
        return find_model(model.name, folder)
    except AnalyserUnavailable as problem:
        reason = str(problem)
    if not model.url:
        raise ModelNotFetched(f"{model.name!r} has no address to fetch it from: {reason}")
    expected = model.sha256 or sha256
    if not SHA256.fullmatch(expected):
        raise ModelNotFetched(
            f"the checksum of {model.name!r} could not be verified when the manifest was written: "
            "give it with --sha256 and its 64 hexadecimal digits, from a source that you trust"
        )
    if sha256 and sha256 != expected:
        raise ModelNotFetched(f"the manifest says that {model.name!r} has the sha256 {expected}")
    target = folder / model.file
    download(model.url, target, expected)
    if not model.sha256:
        target.with_name(target.name + VOUCHED).write_text(f"{expected}\n", encoding="ascii")
    return target
