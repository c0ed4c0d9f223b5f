"""Integrated loudness after EBU R128 and ITU-R BS.1770-4, from 48 kHz stereo."""

import numpy as np
from numpy.typing import NDArray

LOUDNESS_RATE = 48_000
HOP_SAMPLES = LOUDNESS_RATE // 10
HOPS_PER_BLOCK = 4
TAPS = 4096
FFT_SAMPLES = 65_536
OFFSET_LUFS = -0.691
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

# The two stages of the K weighting at 48 kHz, BS.1770-4 tables 1 and 2: (b, a).
HEAD_SHELF = (
    (1.53512485958697, -2.69169619938640, 1.19839281085285),
    (1.0, -1.69065929318241, 0.73248077421585),
)
HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))


def k_weighting() -> NDArray[np.float64]:
    """The impulse response of the K weighting; after 4096 samples it has died to 1e-9."""
    response = np.ones(FFT_SAMPLES // 2 + 1, dtype=complex)
    for numerator, denominator in (HEAD_SHELF, HIGH_PASS):
        response *= np.fft.rfft(numerator, FFT_SAMPLES) / np.fft.rfft(denominator, FFT_SAMPLES)
    return np.fft.irfft(response, FFT_SAMPLES)[:TAPS]


class LoudnessMeter:
    """Filters as it hears (overlap-save) and keeps the power of each tenth of a second."""

    def __init__(self) -> None:
        self._filter = np.fft.rfft(k_weighting(), FFT_SAMPLES)
        self._waiting = np.zeros((2, TAPS - 1), np.float32)
        self._filtered = np.zeros((2, 0))
        self._powers: list[NDArray[np.float64]] = []

    def hear(self, samples: NDArray[np.float32]) -> None:
        """Takes (2, n) samples in -1 to 1."""
        self._waiting = np.concatenate([self._waiting, np.nan_to_num(samples)], axis=1)
        while self._waiting.shape[1] >= FFT_SAMPLES:
            self._filter_block(self._waiting[:, :FFT_SAMPLES])
            self._waiting = self._waiting[:, FFT_SAMPLES - TAPS + 1 :]

    def _filter_block(self, block: NDArray[np.float32]) -> None:
        spectrum = np.fft.rfft(block, FFT_SAMPLES, axis=1) * self._filter
        good = np.fft.irfft(spectrum, FFT_SAMPLES, axis=1)[:, TAPS - 1 : block.shape[1]]
        filtered = np.concatenate([self._filtered, good], axis=1)
        whole = filtered.shape[1] // HOP_SAMPLES * HOP_SAMPLES
        hops = filtered[:, :whole].reshape(2, -1, HOP_SAMPLES)
        self._powers.append((hops**2).mean(axis=2).sum(axis=0))
        self._filtered = filtered[:, whole:]

    def result(self) -> float | None:
        """LUFS of everything heard; None in silence or under 0.4 s."""
        if self._waiting.shape[1] >= TAPS:
            self._filter_block(self._waiting)
            self._waiting = self._waiting[:, -(TAPS - 1) :]
        hops = np.concatenate(self._powers) if self._powers else np.zeros(0)
        return gated_loudness(hops)


def gated_loudness(hop_powers: NDArray[np.float64]) -> float | None:
    """Integrated loudness of powers per 0.1 s: blocks of 0.4 s, gates at -70 LUFS and -10 LU."""
    if len(hop_powers) < HOPS_PER_BLOCK:
        return None
    blocks = np.convolve(hop_powers, np.full(HOPS_PER_BLOCK, 1 / HOPS_PER_BLOCK), "valid")
    loud = blocks[blocks > _power_of(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return None
    gate = _lufs_of(float(loud.mean())) + RELATIVE_GATE_LU
    kept = loud[loud > _power_of(gate)]
    return round(_lufs_of(float(kept.mean())), 2)


def _lufs_of(power: float) -> float:
    return OFFSET_LUFS + 10 * float(np.log10(power))


def _power_of(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET_LUFS) / 10))
