"""The vectors of a video: of all that is said and written in it, and of each shot."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.sentences import DIMENSIONS, SentenceEmbedder
from shared.inference_models import Embeddings, ShotEmbedding, TextLine, Word
from shared.models import Shot

# The network looks at 256 tokens; a longer text is the mean of its pieces.
WORDS_A_PIECE = 120
DECIMALS = 6


def embed_video(
    embedder: SentenceEmbedder,
    shots: Sequence[Shot],
    lines: Sequence[TextLine],
    words: Sequence[Word],
) -> Embeddings:
    """The vectors of what is said and written; a shot without words has none."""
    whole = words_of(lines, words)
    texts = {
        index: text for index, shot in enumerate(shots) if (text := shot_text(shot, lines, words))
    }
    vectors = embed_long(embedder, [whole, *texts.values()])
    return Embeddings(
        model=embedder.model,
        dimensions=DIMENSIONS,
        text=whole,
        whole=_plain(vectors[0]),
        shots=tuple(
            ShotEmbedding(shot=index, text=text, vector=_plain(vector))
            for (index, text), vector in zip(texts.items(), vectors[1:], strict=True)
        ),
    )


def shot_text(shot: Shot, lines: Sequence[TextLine], words: Sequence[Word]) -> str:
    """What is written and said during a shot; a word belongs where its middle is."""
    written = [
        line
        for line in lines
        if line.start_seconds < shot.end_seconds and line.end_seconds > shot.start_seconds
    ]
    said = [
        word
        for word in words
        if shot.start_seconds <= (word.start_seconds + word.end_seconds) / 2 < shot.end_seconds
    ]
    return words_of(written, said)


def words_of(lines: Sequence[TextLine], words: Sequence[Word]) -> str:
    """All writing, each line once, then all speech."""
    written = dict.fromkeys(line.text for line in lines)
    return " ".join([*written, *(word.word for word in words)])


def embed_long(embedder: SentenceEmbedder, texts: Sequence[str]) -> NDArray[np.float32]:
    """(texts, 384) of length 1; a long text is the mean of its pieces."""
    pieces: list[str] = []
    owners: list[int] = []
    for index, text in enumerate(texts):
        words = text.split()
        for first in range(0, max(1, len(words)), WORDS_A_PIECE):
            pieces.append(" ".join(words[first : first + WORDS_A_PIECE]))
            owners.append(index)
    summed = np.zeros((len(texts), DIMENSIONS), np.float32)
    np.add.at(summed, owners, embedder.embed(pieces))
    return np.asarray(summed / np.linalg.norm(summed, axis=1, keepdims=True), np.float32)


def _plain(vector: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(round(float(number), DECIMALS) for number in vector)
