"""Writing models: arrays to a file with a version, its checksum to the manifest."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.domain.scoring.weights import MANIFEST

# Weights are kept in 16 bits: their rounding moves a probability by less than .001.
HALF = ("weights",)


def write_model(
    folder: Path, name: str, version: int, arrays: Mapping[str, NDArray[np.float64]]
) -> Path:
    """Writes `<name>-<version>.npz` and its line of the manifest; same arrays, same bytes."""
    file = folder / f"{name}-{version}.npz"
    kept = {
        key: np.asarray(array, np.float16 if key in HALF else np.float32)
        for key, array in arrays.items()
    }
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **kept)  # type: ignore[arg-type]
    file.write_bytes(buffer.getvalue())
    manifest = folder / MANIFEST
    entries = json.loads(manifest.read_text()) if manifest.is_file() else {}
    entries[name] = {"file": file.name, "sha256": hashlib.sha256(buffer.getvalue()).hexdigest()}
    manifest.write_text(json.dumps(entries, indent=2, sort_keys=True) + "\n")
    return file
