"""Which program runs the two networks that come in two kinds: our own, or the image's."""

from functools import lru_cache
from pathlib import Path

from shared.domain.inference.models import find_model
from shared.domain.inference.networks import open_network
from shared.domain.inference.reading import PpocrReader, TextReader
from shared.domain.inference.sentences import SentenceEmbedder, TransformersEmbedder, open_embedder


@lru_cache(maxsize=2)
def open_text_reader(engine: str, folder: Path) -> TextReader:
    """`ppocr` or `paddleocr`, loaded once per process; raises AnalyserUnavailable."""
    detection = find_model("text-detection", folder)
    recognition = find_model("text-recognition", folder)
    if engine == "paddleocr":
        from shared.domain.inference.paddle import PaddleReader

        reader: TextReader = PaddleReader(detection, recognition)
        return reader
    return PpocrReader(open_network(detection), open_network(recognition))


def open_sentences(engine: str, folder: Path) -> SentenceEmbedder:
    """`numpy` or `sentence-transformers`, loaded once per process; raises AnalyserUnavailable."""
    if engine == "sentence-transformers":
        return _open_transformers(find_model("sentence-weights", folder).parent)
    return open_embedder(folder)


@lru_cache(maxsize=1)
def _open_transformers(folder: Path) -> SentenceEmbedder:
    return TransformersEmbedder(folder)
