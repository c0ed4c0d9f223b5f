"""Sentence vectors: equal to those of sentence-transformers, and alike where meanings are."""

from pathlib import Path

import numpy as np
import pytest

from shared.domain.inference.meaning import embed_long, embed_video, shot_text
from shared.domain.inference.sentences import NumpyEmbedder, erf, open_embedder
from shared.inference_models import TextLine, Word
from shared.models import Box, Shot

# Made by sentence-transformers 5 over the same weights: the texts and their vectors.
REFERENCE = Path(__file__).with_name("sentence_reference.npz")
BOX = Box(left=0, top=0, width=1, height=0.1)


@pytest.fixture(scope="module")
def embedder() -> NumpyEmbedder:
    return open_embedder(Path("there is no such folder"))


def test_vectors_are_those_of_sentence_transformers(embedder: NumpyEmbedder) -> None:
    """English, other scripts, signs, nothing, and more than 256 tokens."""
    kept = np.load(REFERENCE)
    found = embedder.embed([str(text) for text in kept["texts"]])
    assert np.abs(found - kept["vectors"]).max() < 2e-6


def test_a_vector_does_not_depend_on_its_batch(embedder: NumpyEmbedder) -> None:
    """Filler for longer neighbours changes nothing."""
    alone = embedder.embed(["short"])
    among = embedder.embed(["a much longer sentence that makes the batch wide", "short"])
    assert np.abs(alone[0] - among[1]).max() < 1e-6


def test_like_meanings_are_near(embedder: NumpyEmbedder) -> None:
    """Unboxing is nearer to unboxing than to the weather."""
    query, near, far = embedder.embed(
        ["woman opens box", "a lady is unpacking a parcel", "it rains in the mountains"]
    )
    assert query @ near > query @ far + 0.3


def test_a_long_text_is_more_than_its_beginning(embedder: NumpyEmbedder) -> None:
    """The mean of its pieces, of length 1."""
    begin = "buy shoes " * 150
    both = embed_long(embedder, [begin, begin + "learn to cook soup " * 150])
    assert np.linalg.norm(both, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert both[0] @ both[1] < 0.95


def test_a_shot_has_the_words_of_its_time(embedder: NumpyEmbedder) -> None:
    """Writing that overlaps it, speech whose middle is in it; a mute shot has no vector."""
    shots = [
        Shot(start_frame=f, end_frame=f + 25, start_seconds=s, end_seconds=s + 1)
        for f, s in ((0, 0.0), (25, 1.0), (50, 2.0))
    ]
    lines = [
        TextLine(start_seconds=0.2, end_seconds=0.8, text="SALE", confidence=1, box=BOX),
        TextLine(start_seconds=0.5, end_seconds=1.4, text="TODAY", confidence=1, box=BOX),
    ]
    words = [Word(word="hurry", start_seconds=0.9, end_seconds=1.3, confidence=1)]
    assert shot_text(shots[0], lines, words) == "SALE TODAY"
    assert shot_text(shots[1], lines, words) == "TODAY hurry"
    found = embed_video(embedder, shots, lines, words)
    assert found.text == "SALE TODAY hurry"
    assert [shot.shot for shot in found.shots] == [0, 1]
    assert len(found.whole) == found.dimensions == 384


def test_the_error_function_is_near_enough() -> None:
    """Known values, both signs."""
    found = erf(np.array([0, 0.5, 1, 2, -1], np.float32))
    assert found == pytest.approx([0, 0.5204999, 0.8427008, 0.9953223, -0.8427008], abs=5e-7)
