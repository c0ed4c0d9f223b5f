"""How clean the sound is: flattened peaks, noise under the speech, reverberation.

Clipping: our own criterion, see ClippingMeter. Noise: the level of the quietest tenth of 32 ms
frames, which follows the idea of minimum statistics (R. Martin, IEEE Transactions on Speech and
Audio Processing 9(5), 2001). Reverberation: slopes of free decays, of which the room's own is the
steepest that comes often (J. Vieira, AES Convention 116, 2004).
"""

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.inference_models import AudioQuality
from shared.models import Speech

RATE = 16_000
HOP_SAMPLES = 128
HOP_SECONDS = HOP_SAMPLES / RATE
FRAME_HOPS = 4

Levels = NDArray[np.float32]

SILENCE_POWER = 1e-10
QUIET_SHARE = 0.1
MIN_FRAMES = 30
MAX_SNR_DB = 80.0

# Samples this near to a peak belong to its top, in shares of the peak.
TOP_SHARE = 0.01
MIN_TOP_SAMPLES = 3
MIN_PEAK = 0.05
# For a rounded top, slope x length is 4 times its height (a parabola); three times that is flat.
FLAT_FACTOR = 12
FULL_SCALE = 0.9999

DECAY_SMOOTH_HOPS = 3
MIN_DECAY_DB = 12.0
MIN_DECAY_HOPS = 8
DECAY_SHARE = 0.25
MIN_DECAYS = 4
MAX_REVERBERATION_SECONDS = 5.0
MIN_STRAIGHTNESS = 0.95
ABOVE_FLOOR_DB = 6.0


def hop_powers(mono: NDArray[np.float32]) -> Levels:
    """The mean square of each 8 ms of 16 kHz sound whose length is a multiple of 128 samples."""
    return np.asarray((mono.reshape(-1, HOP_SAMPLES) ** 2).mean(axis=1), np.float32)


class ClippingMeter:
    """Counts samples in flattened peaks: a top that is flat although the wave ran into it fast.

    A sample at full scale counts as it is: whatever was beyond is lost.
    """

    def __init__(self) -> None:
        self._clipped = 0
        self._heard = 0
        self._before: NDArray[np.float32] | None = None

    @property
    def share(self) -> float:
        """Clipped samples over all, 0-1."""
        return self._clipped / self._heard if self._heard else 0.0

    def forget(self) -> None:
        """What comes next does not continue what was heard."""
        self._before = None

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Takes (channels, n) samples, full scale is 1."""
        for channel in samples:
            self._heard += len(channel)
            if len(channel) >= MIN_TOP_SAMPLES:
                self._clipped += clipped_samples(channel)


def clipped_samples(channel: NDArray[np.float32]) -> int:
    """How many of one channel's samples lie in flattened tops."""
    size = np.abs(channel)
    peak = float(size.max())
    if peak < MIN_PEAK:
        return 0
    top = (size >= (1 - TOP_SHARE) * peak) | (size >= FULL_SCALE)
    if int(np.count_nonzero(top)) < MIN_TOP_SAMPLES:
        return 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], top, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    lengths = ends - starts
    # The steepest step into or out of the top.
    before = np.abs(size[starts] - size[np.maximum(starts - 1, 0)])
    after = np.abs(size[ends - 1] - size[np.minimum(ends, len(size) - 1)])
    slope = np.maximum(before, after)
    flat = (lengths >= MIN_TOP_SAMPLES) & (slope * lengths > FLAT_FACTOR * TOP_SHARE * peak)
    return int(lengths[flat].sum())


def measure_quality(
    powers: Levels, clipped_share: float, speech: tuple[Speech, ...], start_seconds: float
) -> AudioQuality:
    """The quality from the powers of 8 ms hops; `start_seconds` is where the sound begins."""
    floor = noise_floor(powers)
    return AudioQuality(
        clipped_share=min(1.0, round(clipped_share, 6)),
        noise_floor_db=None if floor is None else round(10 * np.log10(floor), 1),
        snr_db=speech_over_noise(powers, speech, start_seconds),
        reverberation_seconds=reverberation(powers),
    )


def noise_floor(powers: Levels) -> float | None:
    """The mean power of the quietest tenth of audible 32 ms frames; None in silence."""
    whole = len(powers) // FRAME_HOPS * FRAME_HOPS
    frames = powers[:whole].reshape(-1, FRAME_HOPS).mean(axis=1)
    audible = np.sort(frames[frames > SILENCE_POWER])
    if len(audible) < MIN_FRAMES:
        return None
    return float(audible[: max(1, int(QUIET_SHARE * len(audible)))].mean())


def speech_over_noise(
    powers: Levels, speech: tuple[Speech, ...], start_seconds: float
) -> float | None:
    """Decibels of the power while somebody speaks, less the noise, over the noise.

    What plays under the speech counts as noise. None without speech or without noise.
    """
    floor = noise_floor(powers)
    at = start_seconds + HOP_SECONDS * np.arange(len(powers))
    spoken = np.zeros(len(powers), bool)
    for part in speech:
        spoken |= (at >= part.start_seconds) & (at < part.end_seconds)
    if floor is None or int(spoken.sum()) < MIN_FRAMES:
        return None
    signal = float(powers[spoken].mean()) - floor
    if signal <= 0:
        return 0.0
    return round(min(MAX_SNR_DB, 10 * float(np.log10(signal / floor))), 1)


def reverberation(powers: Levels) -> float | None:
    """RT60 in seconds; None when the sound has too few free decays to tell."""
    level = 10 * np.log10(np.maximum(powers, SILENCE_POWER))
    if len(level) < MIN_DECAY_HOPS * MIN_DECAYS:
        return None
    level = np.convolve(level, np.ones(DECAY_SMOOTH_HOPS) / DECAY_SMOOTH_HOPS, "same")
    floor = float(np.percentile(level, 100 * QUIET_SHARE)) + ABOVE_FLOOR_DB
    times = [
        seconds
        for first, last in _falls(level)
        if (seconds := _decay_seconds(level[first:last], floor)) is not None
    ]
    if len(times) < MIN_DECAYS:
        return None
    return round(min(MAX_REVERBERATION_SECONDS, float(np.quantile(times, DECAY_SHARE))), 2)


def _falls(level: NDArray[np.floating]) -> list[tuple[int, int]]:
    """Runs in which the level falls, a rise of less than half a decibel allowed."""
    rises = np.flatnonzero(np.diff(level) > 0.5)
    borders = np.concatenate([[-1], rises, [len(level) - 1]])
    return [(int(a) + 1, int(b) + 1) for a, b in pairwise(borders) if b - a >= MIN_DECAY_HOPS]


def _decay_seconds(fall: NDArray[np.floating], floor: float) -> float | None:
    """RT60 of one fall, from its straight part above the noise; None when there is none."""
    first = int(np.argmax(fall))
    # The first decibels belong to the end of the sound itself, not to the room.
    fall = fall[first + 2 :]
    fall = fall[: int(np.argmax(fall < floor))] if bool((fall < floor).any()) else fall
    if len(fall) < MIN_DECAY_HOPS or fall[0] - fall[-1] < MIN_DECAY_DB:
        return None
    at = HOP_SECONDS * np.arange(len(fall))
    slope = float(np.polyfit(at, fall, 1)[0])
    straightness = float(np.corrcoef(at, fall)[0, 1] ** 2)
    if slope >= 0 or straightness < MIN_STRAIGHTNESS:
        return None
    return -60.0 / slope
