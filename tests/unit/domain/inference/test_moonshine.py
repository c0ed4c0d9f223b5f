"""English speech becomes words with times, and what is no English is not made up."""

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from scripts.bench.compose import SAMPLE
from shared.domain.inference import models
from shared.domain.inference.moonshine import (
    MAX_PIECE_SECONDS,
    RATE,
    MoonshineRecogniser,
    Spoken,
    in_order,
    open_moonshine,
    pieces,
    place_words,
    read_tokens,
    split_words,
)
from shared.domain.inference.networks import open_network
from shared.domain.inference.recognition import open_recogniser
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.speech import Stretch
from tests.unit.domain.inference import tiny_networks

NOWHERE = Path("there is no such folder")
# The sample's voice: read from a book, with music; loud enough from here on.
SPOKEN = ["was", "not", "an", "young", "man"]
FROM, TO = 9.0, 11.5


@pytest.fixture(scope="module")
def sound() -> NDArray[np.float32]:
    """The sound of the sample ad as 16 kHz mono."""
    with av.open(str(SAMPLE)) as container:
        resampler = av.AudioResampler("flt", "mono", RATE)
        frames = [r for f in container.decode(audio=0) for r in resampler.resample(f)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


@pytest.fixture(scope="module")
def recogniser() -> MoonshineRecogniser:
    return open_moonshine(NOWHERE)


def test_the_sample_is_understood_and_its_words_are_where_they_are_spoken(
    recogniser: MoonshineRecogniser, sound: NDArray[np.float32]
) -> None:
    """Behind music; times count from the video's begin, and no word begins before another."""
    found = recogniser.transcribe(sound, 100.0)
    words = [word.word.strip(".,").lower() for word in found.words]
    assert [word for word in words if word in SPOKEN] == SPOKEN
    assert (found.language, found.source) == ("en", "moonshine-tiny-en")
    times = [t for word in found.words for t in (word.start_seconds, word.end_seconds)]
    assert times == sorted(times)
    assert 100 + FROM <= times[0] <= times[-1] <= 100 + TO
    young = found.words[words.index("young")]
    assert young.start_seconds == pytest.approx(110.5, abs=0.35)
    assert all(0 < word.confidence <= 1 for word in found.words)


def test_what_is_no_english_is_said_and_not_made_up(
    recogniser: MoonshineRecogniser, sound: NDArray[np.float32]
) -> None:
    """Speech played backwards is speech, and no words."""
    with pytest.raises(AnalyserUnavailable, match="no English"):
        recogniser.transcribe(sound[::-1].copy(), 0)


def test_where_nobody_speaks_there_are_no_words(recogniser: MoonshineRecogniser) -> None:
    """Nor a language."""
    found = recogniser.transcribe(np.zeros(3 * RATE, np.float32), 0)
    assert (found.words, found.language) == ((), "")


def test_without_whisper_the_packaged_recogniser_is_taken(tmp_path: Path) -> None:
    """One that knows English is better than none."""
    assert isinstance(open_recogniser(tmp_path), MoonshineRecogniser)


def test_without_any_recogniser_the_reason_names_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What to install, and what to fetch."""
    monkeypatch.setattr(models, "locate", lambda model, folder: folder / "gone")
    open_recogniser.cache_clear()
    with pytest.raises(AnalyserUnavailable, match=r"moonshine-voice.*speech-weights"):
        open_recogniser(tmp_path)


def test_other_networks_are_refused(tmp_path: Path) -> None:
    """By their shapes, before anything is heard."""
    other = open_network(tiny_networks.ferplus(tmp_path / "other.onnx"))
    with pytest.raises(AnalyserUnavailable, match="expected"):
        MoonshineRecogniser(other, other, [b""])


def test_tokens_are_read_with_both_kinds_of_length(tmp_path: Path) -> None:
    """One byte under 128, two from there on, and nothing at all."""
    long = b"x" * 300
    file = tmp_path / "tokens"
    file.write_bytes(b"\x02ab\x00" + bytes([128 + 300 % 128, 300 // 128]) + long)
    assert read_tokens(file) == [b"ab", b"", long]


def test_tokens_join_to_words_with_their_confidence() -> None:
    """Marks begin words; letters may be split within their bytes; end and begin are no words."""
    texts = [b"", b"", b"", "\u2581sh".encode(), b"oe", "\u2581".encode(), b"\xc3", b"\xa9"]
    found = split_words([1, 3, 4, 5, 6, 7, 2], [1.0, 0.25, 1.0, 1.0, 1.0, 0.9], texts)
    assert [(word.text, word.tokens) for word in found] == [("shoe", (0, 1)), ("é", (2, 3, 4))]
    assert [word.confidence for word in found] == pytest.approx([0.5, 1.0])


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0.1, 40)), max_size=8))
def test_pieces_hold_all_speech_and_are_never_too_long(
    parts: list[tuple[float, float]],
) -> None:
    """Whatever pauses and stretches there are."""
    stretches, at = [], 0.0
    for pause, length in parts:
        stretches.append(Stretch(at + pause, at + pause + length))
        at += pause + length
    found = pieces(stretches)
    assert all(p[-1].end_seconds - p[0].start_seconds <= MAX_PIECE_SECONDS + 1e-6 for p in found)
    spoken = sum(s.end_seconds - s.start_seconds for piece in found for s in piece)
    assert spoken == pytest.approx(sum(length for _, length in parts))


@given(st.integers(1, 7), st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_best_order_is_the_best_of_all(rows: int, columns: int, seed: int) -> None:
    """Against every path that never falls."""
    rises = np.random.default_rng(seed).random((rows, columns))

    def best(column: int, floor: int) -> float:
        if column == columns:
            return 0.0
        return max(float(rises[r, column]) + best(column + 1, r) for r in range(floor, rows))

    found = in_order(rises)
    assert found == sorted(found)
    assert sum(rises[row, c] for c, row in enumerate(found)) == pytest.approx(best(0, 0))


def test_words_share_a_time_by_letters_and_do_not_begin_in_a_pause() -> None:
    """Two words that end together, and one behind a pause."""
    words = [Spoken("and", (0,), 1.0), Spoken("so", (1,), 0.5), Spoken("ask", (2,), 0.25)]
    stretches = [Stretch(0.1, 0.8), Stretch(2.0, 2.5)]
    found = place_words(words, [0.8, 0.8, 2.5], stretches, 10.0)
    assert [(w.word, w.start_seconds, w.end_seconds) for w in found] == [
        ("and", 10.1, 10.5),
        ("so", 10.5, 10.8),
        ("ask", 12.0, 12.5),
    ]
