"""Rhythm, loudness and speech of sounds that are drawn here."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.video import speech
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.loudness import (
    LoudnessMeter,
    channel_weights,
    gated_loudness,
)
from shared.domain.video.rhythm import find_rhythm
from shared.domain.video.samples import Blocks
from shared.domain.video.speech import FRAME_SECONDS, find_speech, join_frames
from tests.unit.domain.video.clips import bursts, clicks, tone


@pytest.mark.parametrize("tempo", [80, 96, 112, 120, 128, 140, 150])
def test_the_tempo_of_clicks_is_found(tempo: int) -> None:
    rhythm = find_rhythm(clicks(tempo, 15))
    assert rhythm.tempo_bpm == pytest.approx(tempo, rel=0.01)


@pytest.mark.parametrize("tempo", [60, 176, 200])
def test_slow_and_fast_clicks_are_found_to_the_octave(tempo: int) -> None:
    found = find_rhythm(clicks(tempo, 15)).tempo_bpm
    assert found is not None
    assert any(found * k == pytest.approx(tempo, rel=0.02) for k in (0.5, 1, 2))


def test_beats_fall_on_the_clicks() -> None:
    beats = find_rhythm(clicks(120, 12, first=0.25)).beats
    assert len(beats) >= 20
    assert all(abs((beat - 0.25 + 0.25) % 0.5 - 0.25) <= 0.03 for beat in beats)


def test_onsets_fall_on_irregular_bursts() -> None:
    wanted = [0.5, 1.13, 1.9, 3.0, 3.3, 4.71]
    onsets = find_rhythm(bursts(wanted, 6)).onsets
    assert len(onsets) == len(wanted)
    assert onsets == pytest.approx(wanted, abs=0.03)


@pytest.mark.parametrize(
    "sound",
    [np.zeros(0), np.zeros(100), np.zeros(16_000 * 8), np.full(16_000 * 8, 1e-5)],
    ids=["nothing", "a blink", "silence", "hiss below hearing"],
)
def test_silence_has_no_rhythm(sound: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> None:
    rhythm = find_rhythm(sound.astype(np.float32))
    assert (rhythm.tempo_bpm, rhythm.beats, rhythm.onsets) == (None, (), ())


def test_noise_has_no_tempo() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, 16_000 * 12).astype(np.float32)
    assert find_rhythm(noise).tempo_bpm is None


@pytest.mark.parametrize("count", [1, 159, 1024, 1025, 5000, 64_000])
def test_no_length_of_sound_breaks_the_rhythm(count: int) -> None:
    rhythm = find_rhythm(tone(5)[:count])
    assert all(0 <= at <= count / 16_000 for at in (*rhythm.beats, *rhythm.onsets))


def loudness_of(
    left: float, right: float, *, seconds: float = 3.0, piece: int = 4800, rate: int = 48_000
) -> float | None:
    time = np.arange(int(seconds * rate)) / rate
    wave = np.sin(2 * np.pi * 997 * time)
    both = np.stack([left * wave, right * wave]).astype(np.float32)
    meter, gains = LoudnessMeter(), channel_weights(["FL", "FR"])
    blocks = Blocks(rate, np.full(2, 0.5, np.float32))
    for first in range(0, both.shape[1], piece):
        for weighted, _ in blocks.take(both[:, first : first + piece]):
            meter.hear(weighted, rate, gains)
    for weighted, _ in blocks.rest():
        meter.hear(weighted, rate, gains)
    return meter.result()


def test_a_full_scale_sine_in_one_channel_is_minus_3_lufs() -> None:
    """The calibration of ITU-R BS.1770-4: 0 dBFS at 997 Hz reads -3.01 LKFS."""
    assert loudness_of(1.0, 0.0) == pytest.approx(-3.01, abs=0.05)


def test_both_channels_add_up() -> None:
    assert loudness_of(1.0, 1.0) == pytest.approx(0.0, abs=0.05)


def test_a_tenth_of_the_amplitude_is_20_lu_less() -> None:
    assert loudness_of(0.1, 0.0) == pytest.approx(-23.01, abs=0.05)


@settings(max_examples=10, deadline=None)
@given(st.integers(100, 70_000))
def test_loudness_does_not_depend_on_the_pieces(piece: int) -> None:
    assert loudness_of(0.5, 0.5, piece=piece) == loudness_of(0.5, 0.5)


def test_silence_has_no_loudness() -> None:
    assert loudness_of(0.0, 0.0) is None
    assert LoudnessMeter().result() is None


def test_pauses_do_not_lower_the_loudness() -> None:
    loud, quiet = np.full(50, 0.1), np.full(50, 1e-9)
    assert gated_loudness(np.concatenate([loud, quiet])) == pytest.approx(
        gated_loudness(loud), abs=0.4
    )


def test_tones_and_clicks_are_no_speech() -> None:
    assert find_speech(tone(4)) == ()
    assert find_speech(clicks(120, 4)) == ()
    assert find_speech(np.zeros(0, np.float32)) == ()


def test_a_changed_model_file_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other.onnx"
    other.write_bytes(b"something else")
    monkeypatch.setattr(speech, "MODEL", other)
    with pytest.raises(AnalyserUnavailable, match="sha256"):
        find_speech(tone(1))


@given(st.lists(st.floats(0, 1, width=32), max_size=200))
def test_segments_are_in_order_and_inside(probabilities: list[float]) -> None:
    end = len(probabilities) * FRAME_SECONDS
    segments = join_frames(np.array(probabilities, np.float32), end)
    edges = [edge for s in segments for edge in (s.start_seconds, s.end_seconds)]
    assert edges == sorted(edges)
    assert all(-1e-3 <= edge <= end + 1e-3 for edge in edges)


def test_a_blip_is_dropped_and_a_breath_is_bridged() -> None:
    blip = [0.0] * 20 + [0.9] * 3 + [0.0] * 20
    assert join_frames(np.array(blip, np.float32), 43 * FRAME_SECONDS) == ()
    breath = [0.9] * 30 + [0.1] * 5 + [0.9] * 30
    assert len(join_frames(np.array(breath, np.float32), 65 * FRAME_SECONDS)) == 1
