"""Hears the sound of a video beside its pictures: everything is measured as it comes."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from shared.domain.video.loudness import LOW_EFFECTS, LoudnessMeter, channel_weights
from shared.domain.video.rhythm import OnsetMeter, Rhythm
from shared.domain.video.samples import SPEECH_RATE, Blocks, Samples, is_block_rate
from shared.domain.video.speech import SpeechMeter
from shared.domain.video.true_peak import TruePeakMeter

__all__ = ["SPEECH_RATE", "Samples", "SoundTap"]

GAP_SECONDS = 0.1
OPENING_SECONDS = 10.0
PLAIN_RATE = 48_000
MAX_AMPLITUDE = 16.0


class SoundTap:
    """Measures decoded audio in blocks; nothing is kept of it but its first ten seconds.

    `onsets`, `speech` and `meter` are complete after `close`; their times count from
    `start_seconds`, which is on the clock of the file (None when nothing was heard). The true
    peak is measured only when its meter is given.
    """

    def __init__(self, max_seconds: float, peak: TruePeakMeter | None = None) -> None:
        self.peak = peak
        self.onsets = OnsetMeter()
        self.speech = SpeechMeter()
        self.meter = LoudnessMeter()
        self.start_seconds: float | None = None
        self._max_seconds = max_seconds
        self._taken_seconds = 0.0
        self._opening: list[Samples] = []
        self._opening_samples = 0
        self._layout: tuple[int, str] = (0, "")
        self._format: tuple[int, tuple[str, ...]] = (0, ())
        self._resampler: Any = None
        self._blocks: Blocks | None = None

    def hear(self, frame: Any) -> None:
        """Takes one decoded frame; a hole in the timestamps becomes silence."""
        if self._taken_seconds >= self._max_seconds or not frame.samples or frame.sample_rate <= 0:
            return
        if self.start_seconds is None:
            self.start_seconds = float(frame.time or 0.0)
        if frame.time is not None:
            self._fill(float(frame.time) - self.start_seconds - self._taken_seconds)
        self._taken_seconds += frame.samples / frame.sample_rate
        if not is_block_rate(frame.sample_rate):
            frame.pts = None
            self._resampler = self._resampler or av.AudioResampler("fltp", None, PLAIN_RATE)
            for part in self._resampler.resample(frame):
                self._take(part)
            return
        self._take(frame)

    def close(self) -> None:
        """Measures what is still held back; to be called once, after the last frame."""
        if self._resampler is not None:
            for part in self._resampler.resample(None):
                self._take(part)
            self._resampler = None
        self._flush()

    def opening(self) -> Samples:
        """The first ten seconds, 16,000 mono samples a second, -1 to 1; empty when unheard."""
        return np.concatenate(self._opening) if self._opening else np.zeros(0, np.float32)

    def rhythm(self) -> Rhythm:
        """Tempo, beats and onsets of everything heard, in seconds from its start."""
        return self.onsets.rhythm()

    def _fill(self, hole_seconds: float) -> None:
        if hole_seconds <= GAP_SECONDS or self._blocks is None:
            return
        hole_seconds = min(hole_seconds, self._max_seconds - self._taken_seconds)
        self._taken_seconds += hole_seconds
        rate, names = self._format
        left = int(hole_seconds * rate)
        silence = np.zeros((len(names), min(left, rate)), np.float32)
        while left > 0:
            self._measure(silence[:, :left])
            left -= rate

    def _take(self, frame: Any) -> None:
        layout = (frame.sample_rate, frame.layout.name)
        if self._layout != layout:
            self._flush()
            self._layout = layout
            names = tuple(channel.name for channel in frame.layout.channels)
            self._format = (frame.sample_rate, names)
            mix = np.array([name not in LOW_EFFECTS for name in names], np.float32)
            self._gains = channel_weights(names)
            self._blocks = Blocks(frame.sample_rate, mix / max(1.0, float(mix.sum())))
        samples = samples_of(frame, len(self._format[1]))
        if self.peak is not None:
            self.peak.hear(samples, frame.sample_rate)
        self._measure(samples)

    def _measure(self, samples: Samples) -> None:
        assert self._blocks is not None
        for weighted, mono in self._blocks.take(samples):
            self._hand_on(weighted, mono)

    def _flush(self) -> None:
        if self._blocks is not None:
            for weighted, mono in self._blocks.rest():
                self._hand_on(weighted, mono)
            self._blocks = None

    def _hand_on(self, weighted: Samples, mono: Samples) -> None:
        self.meter.hear(weighted, self._format[0], self._gains)
        if self._opening_samples < OPENING_SECONDS * SPEECH_RATE:
            self._opening.append(mono)
            self._opening_samples += len(mono)
        self.onsets.hear(mono)
        self.speech.hear(mono)


def samples_of(frame: Any, channels: int) -> Samples:
    """The samples of `frame` as (channels, n) in -1 to 1, where silence replaces nonsense."""
    raw: NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        raw = raw.reshape(-1, channels).T
    samples: Samples = raw.astype(np.float32, copy=False)
    if raw.dtype.kind == "u":
        samples = (samples - np.float32(128)) / np.float32(128)
    elif raw.dtype.kind == "i":
        samples = samples / np.float32(2.0 ** (8 * raw.itemsize - 1))
    # A broken coder says "not a number", which would spread through every measurement.
    elif not float(np.abs(samples).max(initial=0)) <= MAX_AMPLITUDE:
        samples = np.clip(np.nan_to_num(samples, posinf=0, neginf=0), -MAX_AMPLITUDE, MAX_AMPLITUDE)
    return samples
