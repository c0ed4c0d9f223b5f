"""The true peak of sound after ITU-R BS.1770-4 annex 2: the highest point between the samples."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

# Annex 2 asks for 192 kHz at least; the interpolator is a windowed sinc, longer than the 12 taps
# a phase of the annex' example, so that what is near half the sample rate is not understated.
OVERSAMPLED_RATE = 192_000
TAPS = 64
KAISER_BETA = 5.0


class TruePeakMeter:
    """Hears samples in pieces and keeps the highest amplitude of the oversampled sound."""

    def __init__(self) -> None:
        self._rate = 0
        self._before = np.zeros((0, TAPS - 1), np.float32)
        self._peak = 0.0

    def hear(self, samples: Samples, rate: int) -> None:
        """Takes (channels, n) samples of `rate`, -1 to 1; other channels or rates start anew."""
        if not samples.shape[1]:
            return
        if rate != self._rate or len(samples) != len(self._before):
            self._rate = rate
            self._before = np.zeros((len(samples), TAPS - 1), np.float32)
        self._peak = max(self._peak, float(np.abs(samples).max()))
        heard = np.concatenate([self._before, samples], axis=1)
        for phase in interpolators(max(1, round(OVERSAMPLED_RATE / rate))):
            for channel in heard:
                between = np.convolve(channel, phase, "valid")
                self._peak = max(self._peak, float(np.abs(between).max()))
        self._before = heard[:, -(TAPS - 1) :].copy()

    def result(self) -> float | None:
        """Decibels true peak (dBTP), 0 is full scale; None in silence."""
        return round(20 * float(np.log10(self._peak)), 2) if self._peak > 0 else None


@lru_cache(maxsize=8)
def interpolators(factor: int) -> tuple[Samples, ...]:
    """The filters (TAPS,) that give the points between two samples, `factor` - 1 of them."""
    places = np.arange(TAPS) - (TAPS // 2 - 1)
    found = []
    for step in range(1, factor):
        away = places - step / factor
        window = np.i0(KAISER_BETA * np.sqrt(np.maximum(0.0, 1 - (away / (TAPS / 2)) ** 2)))
        taps = np.sinc(away) * window
        found.append((taps / taps.sum()).astype(np.float32)[::-1].copy())
    return tuple(found)
