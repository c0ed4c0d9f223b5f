"""The sound of the bench's ads: computed music at 120 beats a minute, and the sample's voice."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

RATE = 48_000
BEAT_SECONDS = 0.5
CHORD_SECONDS = 2.0
CHORDS_HZ = (261.6, 220.0, 174.6, 196.0)
PEAK = 0.9
# Where somebody speaks in the sample, over music in the same beat.
VOICE_SECONDS = (8.5, 12.0)
VOICE_EVERY_SECONDS = 8.0


def draw_sound(sample: Path, seconds: float) -> Samples:
    """Mono at 48 kHz in -1 to 1: the bed, with the voice every eight seconds."""
    wave = draw_music(seconds)
    voice = read_voice(sample)
    for at_seconds in np.arange(VOICE_EVERY_SECONDS / 2, seconds, VOICE_EVERY_SECONDS):
        start = round(float(at_seconds) * RATE)
        room = wave[start : start + len(voice)]
        room *= 0.3
        room += voice[: len(room)]
    return np.asarray(PEAK * wave / max(PEAK, float(np.abs(wave).max())), np.float32)


def draw_music(seconds: float) -> Samples:
    """A drum on each beat, a hat between, and a chord that changes every two seconds."""
    at = np.arange(round(seconds * RATE)) / RATE
    beat, off_beat = at % BEAT_SECONDS, (at + BEAT_SECONDS / 2) % BEAT_SECONDS
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, len(at))
    note = np.array(CHORDS_HZ)[(at / CHORD_SECONDS).astype(int) % len(CHORDS_HZ)]
    turn = 2 * np.pi * note * at
    drum = 0.5 * np.sin(2 * np.pi * 60 * beat) * np.exp(-10 * beat)
    hat = 0.12 * noise * np.exp(-50 * off_beat)
    chord = 0.07 * np.exp(-3 * beat) * (np.sin(turn) + np.sin(1.5 * turn))
    return np.asarray(drum + hat + chord, np.float32)


def read_voice(sample: Path) -> Samples:
    """The seconds of the sample in which somebody speaks, mono at 48 kHz."""
    import av

    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    with av.open(str(sample)) as container:
        parts = [
            part.to_ndarray()[0]
            for frame in container.decode(audio=0)
            for part in resampler.resample(frame)
        ]
    start, end = (round(at * RATE) for at in VOICE_SECONDS)
    return np.asarray(np.concatenate(parts)[start:end], np.float32)
