"""Tempo, beats and onsets of drawn music in many genres, half of them unseen by the weights."""

import numpy as np
import pytest
from numpy.typing import NDArray

from scripts.rhythm.music import GENRES, HELD_OUT, Piece, draw_piece
from shared.domain.video.rhythm import Rhythm, find_rhythm

# The weights were fitted on seeds 0 to 4 of GENRES.
UNSEEN_SEEDS = (5, 6)
SECONDS = 12.0
BEAT_WITHIN_SECONDS, ONSET_WITHIN_SECONDS = 0.07, 0.05

Heard = list[tuple[Piece, Rhythm]]


def f_measure(found: tuple[float, ...], wanted: NDArray[np.float64], within: float) -> float:
    """Of events at most `within` seconds apart, each used once; both sorted."""
    i = j = hits = 0
    while i < len(found) and j < len(wanted):
        apart = found[i] - wanted[j]
        if abs(apart) <= within:
            hits += 1
        i += apart <= within
        j += apart >= -within
    return 2 * hits / (len(found) + len(wanted))


def hear(names: dict[str, object]) -> Heard:
    pieces = [draw_piece(n, seed, seconds=SECONDS) for n in names for seed in UNSEEN_SEEDS]
    return [(piece, find_rhythm(piece.sound)) for piece in pieces]


@pytest.fixture(scope="module")
def seen_genres() -> Heard:
    return hear({**GENRES})


@pytest.fixture(scope="module")
def unseen_genres() -> Heard:
    return hear({**HELD_OUT})


def share_right(heard: Heard, within: float, octaves: tuple[float, ...] = (1.0,)) -> float:
    tempos = [(rhythm.tempo_bpm or 0.0, piece.tempo_bpm) for piece, rhythm in heard]
    right = [any(abs(t * k / wanted - 1) <= within for k in octaves) for t, wanted in tempos]
    return float(np.mean(right))


def beats_of(heard: Heard) -> float:
    scores = [f_measure(r.beats, p.beats_seconds, BEAT_WITHIN_SECONDS) for p, r in heard]
    return float(np.mean(scores))


def onsets_of(heard: Heard) -> float:
    scores = [f_measure(r.onsets, p.onsets_seconds, ONSET_WITHIN_SECONDS) for p, r in heard]
    return float(np.mean(scores))


def test_tempo_of_unseen_pieces_is_right_within_a_percent(seen_genres: Heard) -> None:
    assert share_right(seen_genres, 0.01) >= 0.85
    assert share_right(seen_genres, 0.01, (0.5, 1, 2)) == 1.0


def test_tempo_of_unseen_genres_is_mostly_right_and_its_octave_almost_always(
    unseen_genres: Heard,
) -> None:
    assert share_right(unseen_genres, 0.01) >= 0.7
    assert share_right(unseen_genres, 0.01, (0.5, 1, 2)) >= 0.9


def test_beats_of_unseen_pieces_and_genres(seen_genres: Heard, unseen_genres: Heard) -> None:
    assert beats_of(seen_genres) >= 0.9
    assert beats_of(unseen_genres) >= 0.7


def test_onsets_of_unseen_pieces_and_genres(seen_genres: Heard, unseen_genres: Heard) -> None:
    assert onsets_of(seen_genres) >= 0.85
    assert onsets_of(unseen_genres) >= 0.85


def test_music_always_has_a_tempo(seen_genres: Heard, unseen_genres: Heard) -> None:
    assert all(rhythm.tempo_bpm is not None for _, rhythm in [*seen_genres, *unseen_genres])


@pytest.mark.parametrize("name", ["house", "rock", "disco"])
@pytest.mark.parametrize("gain", [0.1, 0.01])
def test_quiet_music_has_the_same_tempo(name: str, gain: float) -> None:
    piece = draw_piece(name, 5, seconds=SECONDS, clean=True)
    found = find_rhythm(np.asarray(gain * piece.sound, np.float32)).tempo_bpm
    assert found == pytest.approx(piece.tempo_bpm, rel=0.01)
