"""The tempo of onset curves: how well each one explains what repeats, in all bands together."""

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]

CURVE_RATE = 100.0
MIN_BPM, MAX_BPM = 55.0, 210.0
TEMPOS = np.geomspace(MIN_BPM, MAX_BPM, 300)
PERIODS = 60 * CURVE_RATE / TEMPOS
MIN_SECONDS = 4.0
# Longer curves are looked at in parts: the peaks of long ones fall between the tempos above.
PART_FRAMES, PART_STEP_FRAMES = 1600, 800

# Periods and frequencies in which a beat may show, in beats and in beats to the minute.
BEATS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 3 / 4, 1.0, 4 / 3, 3 / 2, 2.0, 3.0, 4.0, 6.0, 8.0)
HARMONICS = (1 / 4, 1 / 3, 1 / 2, 2 / 3, 1.0, 3 / 2, 2.0, 3.0, 4.0)
ONE_BEAT = BEATS.index(1.0)
NEAR_THE_BEAT = slice(HARMONICS.index(1.0), HARMONICS.index(2.0) + 1)
MAX_LAG_SHARE = 0.6
USUAL_BPM = 120.0

# Chance repeats more in short sounds. Of 5, 8 and 11 s of speech the clearest reach 0.22, 0.12
# and 0.08, of noise 0.12, 0.10 and 0.08; of music 98 % lie above 0.30.
MIN_CLARITY, MIN_CLARITY_OF_A_SECOND = 0.12, 0.5
COMB_BEATS = (0.5, 1, 2, 4, 8)

# Fitted by scripts/rhythm/fit.py on drawn music: one row for all bands, the low and the high
# ones; columns as BEATS and as HARMONICS. Then the two weights of how usual a tempo is.
REPEAT_WEIGHTS = (
    (-0.93, 0.73, 1.38, -0.11, 0.44, 0.81, -0.18, 0.08, 0.05, -0.34, 0.81, -0.56, 0.37),
    (-0.46, 0.98, -0.15, -0.13, 0.05, 0.72, 0.23, 0.04, -0.01, 0.41, 0.52, 0.0, -0.57),
    (0.03, 0.83, 0.98, -0.11, 0.04, 0.1, 0.0, -0.12, -0.08, 0.2, 0.17, 0.0, -0.07),
)
SPECTRUM_WEIGHTS = (
    (-1.78, 2.52, -0.81, -2.23, 1.63, 0.41, 2.26, 2.7, 3.26),
    (-1.51, 2.09, 0.89, -0.63, -0.92, 0.45, 1.74, 1.21, 3.14),
    (0.02, 0.75, 1.05, 0.71, -0.35, 2.19, -0.13, 2.14, 2.04),
)
USUAL_WEIGHTS = (-0.85, -1.97)


def find_tempo(curves: Curve) -> float:
    """Beats a minute, 55-210, of (3, n) onset curves as OnsetMeter gives them, n >= 400.

    A log-linear choice among 300 tempos: their autocorrelation at simple multiples of the beat,
    their spectrum at simple multiples of its frequency (Grosche and Mueller 2011), and how usual
    a tempo is (Ellis 2007). A multiple of the right tempo repeats in one of the two, rarely in
    both (Peeters 2006).
    """
    weights = np.append(np.hstack([REPEAT_WEIGHTS, SPECTRUM_WEIGHTS]), USUAL_WEIGHTS)
    best = int(np.argmax(weights @ tempo_features(curves)))
    return _refine(autocorrelation(curves[0]), float(PERIODS[best]))


def tempo_features(curves: Curve) -> Curve:
    """What speaks for each tempo: (features, 300), curve by curve, as weighted above."""
    count = min(curves.shape[1], PART_FRAMES)
    last = curves.shape[1] - count
    firsts = sorted({*range(0, last + 1, PART_STEP_FRAMES), last})
    rows = []
    for curve in curves:
        parts = np.stack([curve[first : first + count] for first in firsts])
        rows += [_repeats(parts), _spectrum(parts)]
    usual = np.log2(TEMPOS / USUAL_BPM)
    return np.concatenate([*rows, [usual, usual * usual]])


def _repeats(parts: Curve) -> Curve:
    """Autocorrelation at BEATS of each tempo, the strongest beat is 1."""
    values, known = _at_periods(_tolerant(autocorrelation(parts)), BEATS)
    usual = (values * known).sum(axis=0) / np.maximum(1, known.sum(axis=0))
    values = np.where(known, values, usual)
    return np.asarray(values / max(1e-3, float(values[ONE_BEAT].max())))


def _spectrum(parts: Curve) -> Curve:
    """Fourier magnitude at HARMONICS of each tempo, the strongest near the beat is 1."""
    count = parts.shape[1]
    size = 1 << (4 * count).bit_length()
    loud = np.abs(np.fft.rfft(parts * np.hanning(count), size)).mean(axis=0)
    at = np.array(HARMONICS)[:, None] * TEMPOS / 60 * size / CURVE_RATE
    values = np.interp(at, np.arange(len(loud)), loud)
    return np.asarray(values / max(1e-9, float(values[NEAR_THE_BEAT].max())))


def autocorrelation(parts: Curve) -> Curve:
    """The mean autocorrelation of curves of equal length, 1 at no lag."""
    count = parts.shape[-1]
    size = 1 << (2 * count - 1).bit_length()
    spectrum = np.fft.rfft(parts, size)
    same = np.fft.irfft((spectrum * spectrum.conj()).reshape(-1, size // 2 + 1).mean(axis=0), size)
    # Far lags have fewer pairs; without this slow tempos would seem weak.
    same = same[:count] / np.maximum(1, count - np.arange(count))
    return np.asarray(same / max(1e-9, float(same[0])))


def _tolerant(same: Curve) -> Curve:
    return np.asarray(np.maximum(same, np.maximum(np.roll(same, 1), np.roll(same, -1))))


def _at_periods(same: Curve, beats: tuple[float, ...]) -> tuple[Curve, NDArray[np.bool_]]:
    """The autocorrelation at these multiples of each period, and where it says anything."""
    lags = np.array(beats)[:, None] * PERIODS
    # The longest lags have too few pairs.
    return np.interp(lags, np.arange(len(same)), same), lags < MAX_LAG_SHARE * len(same)


def clarity(curve: Curve) -> float:
    """How clearly anything repeats at a beat and its multiples: about 0 by chance, at most 1."""
    values, known = _at_periods(_tolerant(autocorrelation(curve)), COMB_BEATS)
    return float(((values * known).sum(axis=0) / np.maximum(1, known.sum(axis=0))).max())


def is_clear(curve: Curve) -> bool:
    """Whether something repeats more clearly than in speech and noise of this length."""
    needed = max(MIN_CLARITY, MIN_CLARITY_OF_A_SECOND / np.sqrt(len(curve) / CURVE_RATE))
    return bool(clarity(curve) >= needed)


def _refine(same: Curve, lag: float) -> float:
    """The tempo with the precision of many beats: the peak follows from 2 to 4 to 8 ... beats."""
    grid = np.arange(len(same))
    beats = 1
    while beats <= 16 and beats * lag * 1.1 < len(same) / 2:
        reach = 0.04 if beats == 1 else 0.5 / beats * 0.1
        near = lag * np.linspace(1 - reach, 1 + reach, 81)
        lag = float(near[int(np.argmax(np.interp(beats * near, grid, same)))])
        beats *= 2
    return 60 * CURVE_RATE / lag
