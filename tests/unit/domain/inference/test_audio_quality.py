"""The quality of sound, on sound whose noise, clipping and reverberation are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from shared.domain.inference.audio_quality import (
    HOP_SAMPLES,
    RATE,
    clipped_samples,
    hop_powers,
    measure_quality,
)
from shared.inference_models import AudioQuality
from shared.models import Speech

Sound = NDArray[np.float32]


def syllables(seconds: float = 20.0, pause: float = 0.5) -> tuple[Sound, tuple[Speech, ...]]:
    """Bursts of shaped noise of 0.3 s with pauses of 0.5 s, and where they are."""
    rng = np.random.default_rng(1)
    sound = np.zeros(int(seconds * RATE), np.float32)
    spoken = []
    length, step = int(0.3 * RATE), int((0.3 + pause) * RATE)
    for start in range(0, len(sound) - length, step):
        sound[start : start + length] = 0.2 * rng.standard_normal(length)
        spoken.append(Speech(start_seconds=start / RATE, end_seconds=(start + length) / RATE))
    return sound, tuple(spoken)


def measured(sound: Sound, speech: tuple[Speech, ...] = ()) -> AudioQuality:
    whole = sound[: len(sound) // HOP_SAMPLES * HOP_SAMPLES].astype(np.float32)
    return measure_quality(hop_powers(whole), 0.0, speech, 0.0)


@pytest.mark.parametrize("snr_db", [5, 10, 20, 30, 40])
def test_noise_under_speech_is_told_within_two_decibels(snr_db: int) -> None:
    """White noise of a known level under bursts of a known level."""
    sound, speech = syllables()
    level = 0.2 / 10 ** (snr_db / 20)
    noise = level * np.random.default_rng(2).standard_normal(len(sound))
    found = measured(sound + noise.astype(np.float32), speech)
    assert found.snr_db == pytest.approx(snr_db, abs=2)
    assert found.noise_floor_db == pytest.approx(20 * np.log10(level), abs=1)


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.0, 1.5])
def test_reverberation_is_told_within_a_fifth(seconds: float) -> None:
    """Bursts in a room whose response is noise that falls by 60 dB in a known time."""
    sound, _ = syllables(30.0, pause=max(0.5, seconds))
    at = np.arange(int(1.5 * seconds * RATE)) / RATE
    room = np.random.default_rng(3).standard_normal(len(at)) * 10 ** (-3 * at / seconds)
    size = 1 << int(np.ceil(np.log2(len(sound) + len(room))))
    wet = np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(room, size), size)[: len(sound)]
    found = measured((0.3 * wet / np.abs(wet).max()).astype(np.float32))
    assert found.reverberation_seconds == pytest.approx(seconds, rel=0.2)


def test_dry_sound_has_next_to_no_reverberation_or_none_to_tell() -> None:
    """Bursts that end at once."""
    found = measured(syllables()[0]).reverberation_seconds
    assert found is None or found < 0.15


@pytest.mark.parametrize("hertz", [50, 440, 3000])
def test_a_clean_tone_is_not_clipped_however_loud(hertz: int) -> None:
    """Low tones have round tops, not flat ones."""
    at = np.arange(48_000) / 48_000
    assert clipped_samples((0.97 * np.sin(2 * np.pi * hertz * at)).astype(np.float32)) == 0


@pytest.mark.parametrize("level", [1.0, 0.5])
def test_clipped_samples_are_counted_at_any_level(level: float) -> None:
    """A tone cut at 70 % of its height, then turned down: half of it is flat."""
    at = np.arange(48_000) / 48_000
    tone = level * np.clip(np.sin(2 * np.pi * 440 * at) / 0.7, -1, 1)
    flat = float((np.abs(tone) >= 0.9999 * level).mean())
    found = clipped_samples(tone.astype(np.float32)) / 48_000
    assert found == pytest.approx(flat, rel=0.1)


def test_loud_noise_that_was_never_cut_is_not_clipped() -> None:
    """Peaks of noise stand alone."""
    noise = 0.2 * np.random.default_rng(4).standard_normal(48_000)
    assert clipped_samples(noise.astype(np.float32)) == 0


def test_silence_has_no_noise_to_tell() -> None:
    """Nothing, rather than minus infinity."""
    found = measured(np.zeros(RATE * 5, np.float32))
    assert (found.noise_floor_db, found.snr_db, found.reverberation_seconds) == (None, None, None)
