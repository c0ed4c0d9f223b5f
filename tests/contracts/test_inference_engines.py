"""Every reader of text, every engine of sentences and every recogniser keeps one interface.

The adapters of paddleocr, sentence-transformers and faster-whisper run over the real packages
where these can be imported, else over stand-ins; the name of each case says which.
"""

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from shared.domain.inference import engines
from shared.domain.inference.moonshine import open_moonshine
from shared.domain.inference.paddle import PaddleReader
from shared.domain.inference.reading import TextReader
from shared.domain.inference.recognition import SpeechRecogniser, WhisperRecogniser
from shared.domain.inference.sentences import SentenceEmbedder, TransformersEmbedder
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.pictures import Picture
from tests.support.engines import PACKAGED, stand_ins

SIDE = 640
PACKAGES = {
    "paddleocr": ("paddleocr",),
    "sentence-transformers": ("sentence_transformers", "torch"),
    "faster-whisper": ("faster_whisper", "ctranslate2"),
}


def kinds(own: str, package: str) -> list[str]:
    """Our own, and the adapter with what it runs over."""
    there = all(find_spec(name) for name in PACKAGES[package])
    return [own, f"{package} (the package)" if there else f"{package} (a stand-in)"]


@pytest.fixture
def with_packages(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is not installed is stood in for, and nothing loaded outlives the test."""
    for module in stand_ins().items():
        if find_spec(module[0]) is None:
            monkeypatch.setitem(sys.modules, *module)
    engines.open_text_reader.cache_clear()
    engines._open_transformers.cache_clear()
    yield
    engines.open_text_reader.cache_clear()
    engines._open_transformers.cache_clear()


@pytest.fixture(params=kinds("ppocr", "paddleocr"))
def reader(request: pytest.FixtureRequest, with_packages: None) -> TextReader:
    return engines.open_text_reader(request.param.split()[0], PACKAGED)


@pytest.fixture(params=kinds("numpy", "sentence-transformers"))
def embedder(request: pytest.FixtureRequest, with_packages: None) -> SentenceEmbedder:
    return engines.open_sentences(request.param.split()[0], PACKAGED)


def page(*lines: tuple[str, int]) -> Picture:
    """White, with black lines whose letters stand at these heights."""
    picture = np.full((360, 640, 3), 255, np.uint8)
    for text, bottom in lines:
        cv2.putText(picture, text, (40, bottom), cv2.FONT_HERSHEY_DUPLEX, 1.5, (0, 0, 0), 3)
    return picture


def test_lines_are_read_from_top_to_bottom_with_their_places(reader: TextReader) -> None:
    """Places in pixels of the picture, confidence between 0 and 1."""
    found = reader.read(page(("Buy now", 300), ("Summer sale", 100)), SIDE)
    assert [line.text for line in found] == ["Summer sale", "Buy now"]
    for line, bottom in zip(found, (100, 300), strict=True):
        left, top, right, low = line.place
        assert (left, top) == pytest.approx((40, bottom - 38), abs=16)
        assert low == pytest.approx(bottom + 8, abs=14)
        assert 200 < right < 440
        assert 0.7 <= line.confidence <= 1
    assert reader.provider in ("cpu", "gpu")


def test_a_picture_without_text_has_no_lines(reader: TextReader) -> None:
    """Nor has one with a single letter."""
    assert reader.read(page(), SIDE) == []
    assert reader.read(page(("I", 200)), SIDE) == []


def test_places_do_not_depend_on_how_closely_is_looked(reader: TextReader) -> None:
    """Half of the side, the same pixels of the picture."""
    near, far = (reader.read(page(("Free shipping", 200)), side)[0] for side in (640, 320))
    assert near.text == far.text == "Free shipping"
    assert near.place == pytest.approx(far.place, abs=16)


def test_vectors_have_length_one_and_do_not_depend_on_neighbours(
    embedder: SentenceEmbedder,
) -> None:
    """As many as texts, each of 384 numbers, whatever else is asked."""
    asked = ["Try it free", "", "jetzt kaufen", "word " * 600]
    found = embedder.embed(asked)
    assert found.shape == (4, 384)
    assert found.dtype == np.float32
    assert np.linalg.norm(found, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert np.abs(embedder.embed(asked[:1])[0] - found[0]).max() < 1e-5
    assert embedder.provider in ("cpu", "gpu")
    assert embedder.model == "all-MiniLM-L6-v2"


def test_no_texts_have_no_vectors(embedder: SentenceEmbedder) -> None:
    """Of the right width, so that they can be joined with others."""
    assert embedder.embed([]).shape == (0, 384)


def test_engines_of_sentences_agree(embedder: SentenceEmbedder) -> None:
    """Vectors kept by one can be searched by another."""
    asked = ["woman opens box", "Kostenlos testen", "50 % OFF \U0001f525"]
    ours = engines.open_sentences("numpy", PACKAGED).embed(asked)
    assert np.abs(embedder.embed(asked) - ours).max() < 1e-5


@pytest.fixture(params=["moonshine", "faster-whisper (a stand-in)"])
def recogniser(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> SpeechRecogniser:
    """faster-whisper has no model anywhere here, so it is always stood in for."""
    if request.param == "moonshine":
        return open_moonshine(PACKAGED)
    for name in PACKAGES["faster-whisper"]:
        monkeypatch.setitem(sys.modules, name, stand_ins()[name])
    (tmp_path / "model.bin").write_bytes(b"weights")
    return WhisperRecogniser(tmp_path)


def test_words_of_a_recogniser_are_in_order_and_count_from_the_start(
    recogniser: SpeechRecogniser,
) -> None:
    """No blank words, no time before the sound, no share above 1."""
    sound = np.zeros(32_000, np.float32)
    found = recogniser.transcribe(sound, 100.0)
    assert all(word.word == word.word.strip() != "" for word in found.words)
    times = [t for word in found.words for t in (word.start_seconds, word.end_seconds)]
    assert times == sorted(times)
    assert all(100 <= at <= 102 for at in times)
    assert found.source
    assert recogniser.provider in ("cpu", "gpu")


@pytest.mark.parametrize("package", PACKAGES)
def test_without_its_package_an_engine_is_unavailable(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its reason names the package."""
    for name in PACKAGES[package]:
        monkeypatch.setitem(sys.modules, name, None)
    openers: dict[str, Callable[[], object]] = {
        "paddleocr": lambda: PaddleReader(tmp_path, tmp_path),
        "sentence-transformers": lambda: TransformersEmbedder(tmp_path),
        "faster-whisper": lambda: WhisperRecogniser(tmp_path),
    }
    with pytest.raises(AnalyserUnavailable, match=f"{package} is not installed"):
        openers[package]()


@pytest.mark.parametrize("engine", [TransformersEmbedder, WhisperRecogniser])
def test_a_folder_without_a_model_makes_an_engine_unavailable(
    engine: type, tmp_path: Path, with_packages: None
) -> None:
    """Whatever the package raises; nothing is fetched from the net."""
    with pytest.raises(AnalyserUnavailable, match="model"):
        engine(tmp_path)
