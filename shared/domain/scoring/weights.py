"""The weights of the text models: small files beside the code, checked before they are believed."""

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

MODELS = Path(__file__).parent / "models"
MANIFEST = "manifest.json"

Array = NDArray[np.float64]


class ModelUnavailable(Exception):
    """A model cannot be used; its words say why and what would help."""


@dataclass(frozen=True)
class Weights:
    """A model's version and its arrays by name."""

    version: str
    arrays: dict[str, Array]


def load_weights(name: str) -> Weights:
    """The weights of a model of the manifest, read once a process.

    Raises ModelUnavailable when the file is not there or not the one that was trained.
    """
    return _load(name, MODELS)


@lru_cache(maxsize=16)
def _load(name: str, folder: Path) -> Weights:
    manifest = folder / MANIFEST
    entry = json.loads(manifest.read_text()).get(name) if manifest.is_file() else None
    if entry is None:
        raise ModelUnavailable(f"{MANIFEST} has no model {name}; run scripts/gv models train")
    file = folder / str(entry["file"])
    if not file.is_file():
        raise ModelUnavailable(f"{file.name} is not there; run scripts/gv models train")
    content = file.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise ModelUnavailable(f"{file.name} is not the file that was trained (sha256)")
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        found = {key: np.asarray(arrays[key], np.float64) for key in arrays.files}
    return Weights(file.stem, found)
