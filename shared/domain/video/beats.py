"""Where the beats of a known tempo fall: the path with most evidence and even steps."""

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.tempo import CURVE_RATE, Curve

TIGHTNESS = 400.0
OFFSETS = (0.0, 1 / 4, 1 / 2, 3 / 4, 1 / 3, 2 / 3)
# Fitted by scripts/rhythm/fit.py on drawn music: how much an onset so many beats after a moment
# says that it is a beat; one row for all bands, the low and the high ones, columns as OFFSETS.
WEIGHTS = (
    (2.32, -0.70, 0.50, 0.51, -0.60, -0.08),
    (1.94, -0.40, 0.88, -0.08, -0.36, -0.19),
    (2.06, -0.91, 0.75, 0.83, -0.59, 0.08),
)


def track_beats(curves: Curve, tempo_bpm: float) -> NDArray[np.int64]:
    """Frames of the beats of (3, n) onset curves, by dynamic programming (Ellis 2007)."""
    return follow(evidence(curves, 60 * CURVE_RATE / tempo_bpm), tempo_bpm)


def evidence(curves: Curve, period: float) -> Curve:
    """How much speaks for a beat in each frame, deviation 1.

    An onset alone does not tell a beat from the half between: a snare is louder than a kick. The
    onsets at quarters and thirds around it do.
    """
    at = np.arange(curves.shape[1])
    total = np.zeros(curves.shape[1])
    for curve, weights in zip(curves, WEIGHTS, strict=True):
        for offset, weight in zip(OFFSETS, weights, strict=True):
            after = np.interp(at + offset * period, at, curve)
            before = np.interp(at - (1 - offset) * period, at, curve) if offset else after
            total += weight * (after + before) / 2
    return np.asarray(total / max(1e-9, float(total.std())))


def follow(curve: Curve, tempo_bpm: float) -> NDArray[np.int64]:
    """Frames of the path with most of `curve` and the most even steps."""
    period = 60 * CURVE_RATE / tempo_bpm
    reach = np.arange(-int(period), int(period) + 1)
    soft = np.convolve(curve, np.exp(-0.5 * (reach * 32 / period) ** 2))
    local = soft[int(period) : int(period) + len(curve)]
    steps = np.arange(round(period / 2), round(2 * period) + 1)
    cost = -TIGHTNESS * np.log(steps / period) ** 2
    far, near = int(steps[-1]), int(steps[0])
    # Before the first onset no path begins: `far` frames of nothing stand before the curve.
    score = np.concatenate([np.full(far, -np.inf), local])
    previous = np.full(len(local), -1, dtype=np.int64)
    first = int(np.argmax(local > 0.01 * local.max()))
    score[: far + first] = -np.inf
    # No step is shorter than `near`, so that many frames depend on nothing among themselves.
    for i in range(first, len(local), near):
        count = min(near, len(local) - i)
        windows = np.lib.stride_tricks.sliding_window_view(
            score[i : i + count + far - near], far - near + 1
        )
        before = windows + cost[::-1]
        best = np.argmax(before, axis=1)
        gain = before[np.arange(count), best]
        better = gain > 0
        score[far + i : far + i + count] += np.where(better, gain, 0)
        came = np.arange(i, i + count) - far + best
        previous[i : i + count] = np.where(better, came, -1)
    return _trace(score[far:], previous, local, period)


def _trace(
    score: Curve, previous: NDArray[np.int64], local: Curve, period: float
) -> NDArray[np.int64]:
    tail = max(0, len(score) - round(period))
    at = tail + int(np.argmax(score[tail:]))
    beats = []
    while at >= 0:
        beats.append(at)
        at = int(previous[at])
    found = np.array(beats[::-1], dtype=np.int64)
    # Beats counted on into silence at either end are no beats.
    strong = np.flatnonzero(local[found] > 0.5 * float(np.sqrt(np.mean(local[found] ** 2))))
    return found[strong[0] : strong[-1] + 1] if len(strong) else found[:0]
