"""Tempo and beats of loops that are drawn here: drums, swing, syncopation, noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared.domain.video.beats import TIGHTNESS, follow
from shared.domain.video.rhythm import OnsetMeter, find_rhythm
from shared.domain.video.samples import SPEECH_RATE
from shared.domain.video.tempo import CURVE_RATE

Sound = NDArray[np.float32]
TOLERANCE_SECONDS = 0.07
PATTERNS = {
    "four on the floor": ("x...x...x...x...", "....x.......x...", "..x...x...x...x."),
    "rock": ("x.....x.x.......", "....x.......x...", "x.x.x.x.x.x.x.x."),
    "funk": ("x..x..x...x..x..", "....x..x.x..x...", "xxxxxxxxxxxxxxxx"),
    "reggaeton": ("x...x...x...x...", "...x..x....x..x.", "x.x.x.x.x.x.x.x."),
}


def drums(
    pattern: str, tempo_bpm: float, *, seconds: float = 14, swing: float = 0.0, noise: float = 0.0
) -> Sound:
    """Kick, snare and hat on sixteenths; `swing` delays each second one by that share of it."""
    random = np.random.default_rng(3)
    time = np.arange(int(0.2 * SPEECH_RATE)) / SPEECH_RATE
    hiss = random.normal(0, 1, len(time))
    kit = (
        0.9 * np.sin(2 * np.pi * 60 * time) * np.exp(-time * 15),
        0.3 * hiss * np.exp(-time * 25),
        0.1 * np.diff(hiss, prepend=0) * np.exp(-time * 60),
    )
    sound = random.normal(0, noise + 1e-6, int(seconds * SPEECH_RATE) + len(time))
    step = 15 / tempo_bpm
    for i in range(int(seconds / step)):
        first = int((i + (swing if i % 2 else 0)) * step * SPEECH_RATE)
        for hits, drum in zip(PATTERNS[pattern], kit, strict=True):
            if hits[i % 16] == "x":
                sound[first : first + len(drum)] += drum
    return np.asarray(0.7 * sound[: int(seconds * SPEECH_RATE)], np.float32)


def f_measure(found: tuple[float, ...], wanted: NDArray[np.float64]) -> float:
    """Of beats within 70 ms, each used once."""
    left = list(wanted)
    hits = 0
    for at in found:
        near = [w for w in left if abs(w - at) <= TOLERANCE_SECONDS]
        if near:
            left.remove(min(near, key=lambda w: abs(w - at)))
            hits += 1
    return 2 * hits / (len(found) + len(wanted))


@pytest.mark.parametrize("pattern", PATTERNS)
@pytest.mark.parametrize("tempo", [92, 107, 124, 138])
def test_the_tempo_of_drums_is_found(pattern: str, tempo: int) -> None:
    assert find_rhythm(drums(pattern, tempo)).tempo_bpm == pytest.approx(tempo, rel=0.01)


@pytest.mark.parametrize("tempo", [64, 74, 152, 168, 186])
def test_slow_and_fast_drums_are_found_to_the_octave(tempo: int) -> None:
    found = find_rhythm(drums("rock", tempo)).tempo_bpm
    assert found is not None
    assert min(abs(found * k / tempo - 1) for k in (0.5, 1, 2)) < 0.02


@pytest.mark.parametrize("pattern", PATTERNS)
def test_the_beats_are_those_that_were_drawn(pattern: str) -> None:
    beats = find_rhythm(drums(pattern, 118)).beats
    assert f_measure(beats, np.arange(0, 14, 60 / 118)) > 0.9


def test_swing_and_noise_leave_tempo_and_beats() -> None:
    rhythm = find_rhythm(drums("rock", 104, swing=0.3, noise=0.05))
    assert rhythm.tempo_bpm == pytest.approx(104, rel=0.01)
    assert f_measure(rhythm.beats, np.arange(0, 14, 60 / 104)) > 0.85


@pytest.mark.parametrize("seconds", [4, 5, 8, 20])
def test_noise_of_any_length_has_no_tempo(seconds: int) -> None:
    for seed in range(5):
        noise = np.random.default_rng(seed).normal(0, 0.1, seconds * SPEECH_RATE)
        assert find_rhythm(noise.astype(np.float32)).tempo_bpm is None


def test_a_held_tone_has_no_tempo() -> None:
    time = np.arange(10 * SPEECH_RATE) / SPEECH_RATE
    hiss = np.random.default_rng(0).normal(0, 0.001, len(time))
    tone = 0.1 * np.sin(2 * np.pi * 110 * time) + hiss
    assert find_rhythm(tone.astype(np.float32)).tempo_bpm is None


def test_notes_too_free_to_repeat_have_a_tempo_and_gliding_ones_have_none() -> None:
    random = np.random.default_rng(4)
    starts = np.cumsum(random.uniform(0.15, 0.5, 18))
    time = np.arange(int(0.3 * SPEECH_RATE)) / SPEECH_RATE
    held, gliding = (np.zeros(int((starts[-1] + 1) * SPEECH_RATE), np.float32) for _ in range(2))
    for start in starts:
        hertz = 220 * 2 ** (random.integers(0, 12) / 12)
        first = int(start * SPEECH_RATE)
        for sound, glide in ((held, 0.0), (gliding, 1.5)):
            turn = 2 * np.pi * hertz * (time + glide * time**2)
            note = sum(np.sin(k * turn) / k for k in range(1, 8)) * np.exp(-4 * time)
            sound[first : first + len(time)] += 0.2 * note
    assert find_rhythm(held).tempo_bpm is not None
    assert find_rhythm(gliding).tempo_bpm is None


def test_noise_has_next_to_no_onsets() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 10 * SPEECH_RATE).astype(np.float32)
    assert len(find_rhythm(noise).onsets) <= 3


@settings(max_examples=15, deadline=None)
@given(st.integers(50, 40_000))
def test_pieces_change_nothing_of_the_curve(piece: int) -> None:
    sound = drums("funk", 120, seconds=5)
    one, many = OnsetMeter(), OnsetMeter()
    one.hear(sound)
    for first in range(0, len(sound), piece):
        many.hear(sound[first : first + piece])
    assert np.allclose(one.rises(), many.rises(), atol=1e-3)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(10, 1500), st.floats(55, 210))
def test_beats_of_any_curve_are_in_order_and_evenly_spaced(
    seed: int, count: int, tempo: float
) -> None:
    curve = np.random.default_rng(seed).normal(0, 1, count)
    beats = follow(curve, tempo)
    period = 60 * CURVE_RATE / tempo
    gaps = np.diff(beats)
    assert ((beats >= 0) & (beats < count)).all()
    assert ((gaps >= round(period / 2)) & (gaps <= round(2 * period))).all()


def slow_score(curve: NDArray[np.float64], tempo: float) -> float:
    """The best score of Ellis's recursion, written frame by frame."""
    period = 60 * CURVE_RATE / tempo
    reach = np.arange(-int(period), int(period) + 1)
    local = np.convolve(curve, np.exp(-0.5 * (reach * 32 / period) ** 2), "same")
    score = local.copy()
    first = int(np.argmax(local > 0.01 * local.max()))
    for i in range(first, len(local)):
        steps = range(round(period / 2), round(2 * period) + 1)
        before = [
            score[i - s] - TIGHTNESS * np.log(s / period) ** 2 for s in steps if i - s >= first
        ]
        score[i] += max([0.0, *before])
    return float(score[max(0, len(score) - round(period)) :].max())


def path_score(curve: NDArray[np.float64], beats: NDArray[np.int64], tempo: float) -> float:
    """What a given path of beats scores."""
    period = 60 * CURVE_RATE / tempo
    reach = np.arange(-int(period), int(period) + 1)
    local = np.convolve(curve, np.exp(-0.5 * (reach * 32 / period) ** 2), "same")
    even = -TIGHTNESS * np.log(np.diff(beats) / period) ** 2
    return float(local[beats].sum() + even.sum())


@pytest.mark.parametrize("tempo", [60, 101.3, 120, 209])
def test_no_path_of_beats_scores_higher(tempo: float) -> None:
    curve = np.random.default_rng(5).normal(0, 1, 700)
    period = 60 * CURVE_RATE / tempo
    # Strong beats from end to end, so that none is trimmed as weak.
    curve[np.arange(0, 700, period).astype(int)] += 8
    beats = follow(curve, tempo)
    assert path_score(curve, beats, tempo) == pytest.approx(slow_score(curve, tempo))
