"""Takes the sound of a video beside its pictures, in the two shapes that are measured."""

from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from shared.domain.video.loudness import LOUDNESS_RATE, LoudnessMeter

Samples = NDArray[np.float32]

SPEECH_RATE = 16_000
GAP_SECONDS = 0.1


class SoundTap:
    """Resamples decoded audio to 16 kHz mono, kept, and to 48 kHz stereo, only measured."""

    def __init__(self, max_seconds: float) -> None:
        self._mono = av.AudioResampler(format="flt", layout="mono", rate=SPEECH_RATE)
        self._stereo = av.AudioResampler(format="fltp", layout="stereo", rate=LOUDNESS_RATE)
        self._parts: list[Samples] = []
        self._taken = 0
        self._max_samples = int(max_seconds * SPEECH_RATE)
        self.meter = LoudnessMeter()
        self.start_seconds: float | None = None

    def hear(self, frame: Any) -> None:
        """Takes one decoded frame; a hole in the timestamps becomes silence."""
        if self._taken >= self._max_samples:
            return
        if self.start_seconds is None:
            self.start_seconds = float(frame.time or 0.0)
        if frame.time is not None:
            hole = float(frame.time) - self.start_seconds - self._taken / SPEECH_RATE
            if hole > GAP_SECONDS:
                self._keep(np.zeros(min(int(hole * SPEECH_RATE), self._max_samples), np.float32))
        # The resampler would fill holes in the timestamps a second time.
        frame.pts = None
        for part in self._mono.resample(frame):
            self._keep(part.to_ndarray()[0])
        for part in self._stereo.resample(frame):
            self.meter.hear(part.to_ndarray().astype(np.float32, copy=False))

    def _keep(self, part: Samples) -> None:
        self._parts.append(part)
        self._taken += len(part)

    def mono(self) -> Samples:
        """Everything heard, 16,000 samples a second, in -1 to 1; empty when nothing was."""
        if not self._parts:
            return np.zeros(0, np.float32)
        heard = np.concatenate(self._parts)[: self._max_samples]
        # A broken coder says "not a number", which would spread through every measurement.
        return np.asarray(np.clip(np.nan_to_num(heard, posinf=0, neginf=0), -1, 1), np.float32)
