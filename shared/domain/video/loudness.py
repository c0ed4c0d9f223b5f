"""Integrated loudness after EBU R128 and ITU-R BS.1770-4, at any sample rate and layout."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HOP_SECONDS = 0.1
HOPS_PER_BLOCK = 4
OFFSET_LUFS = -0.691
ABSOLUTE_GATE_LUFS = -70.0
RELATIVE_GATE_LU = -10.0

# The two stages of the K weighting as analogue filters; at 48 kHz their bilinear transforms are
# the coefficients of BS.1770-4 tables 1 and 2 (De Man 2014, "Evaluation of implementations of
# the EBU R128 loudness measurement").
SHELF_HERTZ, SHELF_DB, SHELF_Q = 1681.974450955533, 3.999843853973347, 0.7071752369554196
SHELF_BAND_POWER = 0.4996667741545416
HIGH_PASS_HERTZ, HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773

# BS.1770-4 table 3 and annex 3: surrounds count 1.5 dB more, the low effects channel not at all.
SURROUND_GAIN = 1.41
SURROUNDS = frozenset(("SL", "SR", "BL", "BR"))
LOW_EFFECTS = frozenset(("LFE", "LFE2"))

Coefficients = tuple[tuple[float, float, float], tuple[float, float, float]]


def k_coefficients(rate: int) -> tuple[Coefficients, Coefficients]:
    """The shelf and the high-pass at `rate` samples a second, each (b, a)."""
    k, high = np.tan(np.pi * SHELF_HERTZ / rate), 10 ** (SHELF_DB / 20)
    band, over = high**SHELF_BAND_POWER, 1 + k / SHELF_Q + k * k
    shelf = (
        (
            (high + band * k / SHELF_Q + k * k) / over,
            2 * (k * k - high) / over,
            (high - band * k / SHELF_Q + k * k) / over,
        ),
        (1.0, 2 * (k * k - 1) / over, (1 - k / SHELF_Q + k * k) / over),
    )
    k = np.tan(np.pi * HIGH_PASS_HERTZ / rate)
    over = 1 + k / HIGH_PASS_Q + k * k
    poles = (1.0, 2 * (k * k - 1) / over, (1 - k / HIGH_PASS_Q + k * k) / over)
    return shelf, ((1.0, -2.0, 1.0), poles)


def k_response(rate: int, size: int) -> NDArray[np.complex128]:
    """The K weighting at the frequencies of a real Fourier transform of `size` samples."""
    response = np.ones(size // 2 + 1, np.complex128)
    delay = np.exp(-2j * np.pi * np.arange(size // 2 + 1) / size)
    for (b0, b1, b2), (a0, a1, a2) in k_coefficients(rate):
        response *= (b0 + delay * (b1 + delay * b2)) / (a0 + delay * (a1 + delay * a2))
    return response


def channel_weights(names: Sequence[str]) -> NDArray[np.float32]:
    """How much the power of each channel counts, by ffmpeg's channel names."""
    return np.array(
        [0.0 if n in LOW_EFFECTS else SURROUND_GAIN if n in SURROUNDS else 1.0 for n in names],
        np.float32,
    )


class LoudnessMeter:
    """Keeps the power of each tenth of a second of K-weighted sound."""

    def __init__(self) -> None:
        self._rate = 0
        self._waiting = np.zeros(0, np.float32)
        self._powers: list[NDArray[np.float64]] = []

    def hear(self, weighted: NDArray[np.float32], rate: int, gains: NDArray[np.float32]) -> None:
        """Takes (channels, n) K-weighted samples of `rate`; `gains` from `channel_weights`."""
        if rate != self._rate:
            self._rate, self._waiting = rate, self._waiting[:0]
        power = np.concatenate([self._waiting, gains @ np.square(weighted)])
        hop = max(1, round(rate * HOP_SECONDS))
        whole = len(power) // hop * hop
        self._powers.append(power[:whole].reshape(-1, hop).mean(axis=1, dtype=np.float64))
        self._waiting = power[whole:]

    def result(self) -> float | None:
        """LUFS of everything heard; None in silence or under 0.4 s."""
        return gated_loudness(np.concatenate(self._powers) if self._powers else np.zeros(0))


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
