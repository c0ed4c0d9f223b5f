"""Sound in blocks: one Fourier transform a block gives the K-weighted sound and 16 kHz mono."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.loudness import k_response

Samples = NDArray[np.float32]

SPEECH_RATE = 16_000
# Larger blocks leave the cache and cost the kernel fresh pages each time.
BLOCK_SECONDS = 0.5
# The K weighting rings for 85 ms above 1e-9; the smooth edge of the low-pass for much less.
BEFORE_SECONDS, AFTER_SECONDS = 0.09, 0.02
PASS_SHARE = 0.9
MAX_UNIT_SAMPLES = 1024
MIN_RATE, MAX_RATE = 8_000, 400_000


def is_block_rate(rate: int) -> bool:
    """Whether `rate` stands to 16 kHz as two numbers small enough for short blocks."""
    if not MIN_RATE <= rate <= MAX_RATE:
        return False
    return rate // int(np.gcd(rate, SPEECH_RATE)) <= MAX_UNIT_SAMPLES


class Blocks:
    """Filters sound of one rate and layout by overlap-save, whatever pieces it comes in."""

    def __init__(self, rate: int, mix: Samples) -> None:
        """`mix` (channels,) is the share of each channel in mono; `is_block_rate(rate)` holds."""
        unit = rate // int(np.gcd(rate, SPEECH_RATE))
        self._ratio = SPEECH_RATE / rate
        self._size = unit << max(1, round(np.log2(BLOCK_SECONDS * rate / unit)))
        self._before = unit * int(np.ceil(BEFORE_SECONDS * rate / unit))
        self._after = unit * int(np.ceil(AFTER_SECONDS * rate / unit))
        self._k_weighting = k_response(rate, self._size).astype(np.complex64)
        self._low_pass = _low_pass(self._size, rate)
        self._mix = mix
        self._buffer = np.zeros((len(mix), self._size), np.float32)
        self._filled = self._before

    def take(self, samples: Samples) -> Iterator[tuple[Samples, Samples]]:
        """Pairs (K-weighted (channels, n), mono at 16 kHz) of (channels, n) samples, as ready."""
        taken = 0
        while taken < samples.shape[1]:
            part = samples[:, taken : taken + self._size - self._filled]
            self._buffer[:, self._filled : self._filled + part.shape[1]] = part
            self._filled += part.shape[1]
            taken += part.shape[1]
            if self._filled == self._size:
                fresh = self._size - self._before - self._after
                yield self._transform(fresh)
                kept = self._before + self._after
                self._buffer[:, :kept] = self._buffer[:, fresh:].copy()
                self._filled = kept

    def rest(self) -> Iterator[tuple[Samples, Samples]]:
        """What is still held back, as if silence followed."""
        waiting = self._filled - self._before
        self._buffer[:, self._filled :] = 0
        fresh = self._size - self._before - self._after
        if waiting > fresh:
            yield self._transform(fresh)
            self._buffer[:, :-fresh] = self._buffer[:, fresh:].copy()
            self._buffer[:, -fresh:] = 0
            waiting -= fresh
        if waiting > 0:
            yield self._transform(waiting)
        self._filled = self._before

    def _transform(self, fresh: int) -> tuple[Samples, Samples]:
        spectrum = np.fft.rfft(self._buffer, axis=1)
        small = round(self._size * self._ratio)
        mono = (self._mix @ spectrum[:, : len(self._low_pass)]) * self._low_pass
        low = np.fft.irfft(mono, small) * np.float32(self._ratio)
        spectrum *= self._k_weighting
        weighted = np.fft.irfft(spectrum, self._size, axis=1)
        first = round(self._before * self._ratio)
        last = first + round(fresh * self._ratio)
        return (
            np.asarray(weighted[:, self._before : self._before + fresh], np.float32),
            np.asarray(np.clip(low[first:last], -1, 1), np.float32),
        )


def _low_pass(size: int, rate: int) -> Samples:
    """The response at the bins that 16 kHz can hold: 1, then a cosine down to 0 at the edge."""
    edge = min(rate, SPEECH_RATE) / 2
    hertz = np.fft.rfftfreq(size, 1 / rate)
    hertz = hertz[: round(size * SPEECH_RATE / rate) // 2 + 1]
    way = np.clip((hertz / edge - PASS_SHARE) / (1 - PASS_SHARE), 0, 1)
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * way), np.float32)
