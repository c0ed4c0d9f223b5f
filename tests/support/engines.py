"""Stand-ins for paddleocr, sentence-transformers and faster-whisper, at the border of their SDKs.

They take what the real ones take and answer in their shapes, by the product's own networks: so the
contract of an interface can be asked of the adapters where the packages are not installed.
`scripts/gv models agree` asks the packages themselves.
"""

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from shared.domain.inference.networks import open_network
from shared.domain.inference.reading import PpocrReader
from shared.domain.inference.sentences import open_embedder

PACKAGED = Path("packaged")


class PaddleOCR:
    """paddleocr.PaddleOCR 3.7: networks by folders that describe them, answers as pages."""

    def __init__(self, **options: Any) -> None:
        assert options["engine"] == "onnxruntime"
        networks = {}
        for part in ("detection", "recognition"):
            folder = Path(options[f"text_{part}_model_dir"])
            described = json.loads((folder / "inference.yml").read_text())
            assert described["Global"]["model_name"] == options[f"text_{part}_model_name"]
            networks[part] = open_network(folder / "inference.onnx")
        letters = described["PostProcess"]["character_dict"]
        assert letters == networks["recognition"].metadata["character"].splitlines()
        self._reader = PpocrReader(networks["detection"], networks["recognition"])

    def predict(
        self, picture: Any, *, text_det_limit_side_len: int, text_det_limit_type: str
    ) -> list[dict[str, Any]]:
        """One page a picture: corners, texts and scores of its lines, the last line first."""
        assert text_det_limit_type == "max"
        lines = self._reader.read(picture, text_det_limit_side_len)[::-1]
        corners = [(x.place[0], x.place[1], x.place[2], x.place[3]) for x in lines]
        return [
            {
                "rec_polys": [np.array([(a, b), (c, b), (c, d), (a, d)]) for a, b, c, d in corners],
                "rec_texts": [line.text for line in lines],
                "rec_scores": [line.confidence for line in lines],
            }
        ]


class SentenceTransformer:
    """sentence_transformers.SentenceTransformer over a folder of its own format."""

    def __init__(self, folder: str, *, device: str, local_files_only: bool) -> None:
        assert (device, local_files_only) == ("cpu", True)
        if not (Path(folder) / "model.safetensors").is_file():
            raise OSError(f"{folder} has no model")

    def encode(self, texts: list[str], *, batch_size: int, normalize_embeddings: bool) -> Any:
        """The vectors, as numpy has them."""
        assert normalize_embeddings
        assert batch_size
        return open_embedder(PACKAGED).embed(texts)


class WhisperModel:
    """faster_whisper.WhisperModel: a generator of segments, and what is known of the whole."""

    def __init__(self, folder: str, **options: Any) -> None:
        assert options["local_files_only"]
        if not (Path(folder) / "model.bin").is_file():
            raise RuntimeError(f"Unable to open file 'model.bin' in model '{folder}'")

    def transcribe(self, sound: Any, *, word_timestamps: bool, vad_filter: bool) -> Any:
        """Two words, a blank one, and a segment that has none."""
        assert word_timestamps
        assert vad_filter
        assert sound.dtype == np.float32
        words = [(" Walk", 0.5, 0.9, 0.8), (" ", 0.9, 1.0, 0.1), (" on.", 1.0, 1.4, 1.0000001)]
        spoken = [SimpleNamespace(word=w, start=a, end=b, probability=p) for w, a, b, p in words]
        segments = (SimpleNamespace(words=part) for part in (spoken, None))
        return segments, SimpleNamespace(language="en")


def stand_ins() -> dict[str, ModuleType]:
    """Modules by their names, to be put where Python looks for what is imported."""
    found: dict[str, dict[str, Any]] = {
        "paddleocr": {"PaddleOCR": PaddleOCR},
        "sentence_transformers": {"SentenceTransformer": SentenceTransformer},
        "torch": {"cuda": SimpleNamespace(is_available=lambda: False)},
        "faster_whisper": {"WhisperModel": WhisperModel},
        "ctranslate2": {"get_cuda_device_count": lambda: 0},
    }
    modules = {}
    for name, parts in found.items():
        modules[name] = ModuleType(name)
        vars(modules[name]).update(parts)
    return modules
