"""Hears the sound in the child: what its quality is told from, and 16 kHz mono for networks."""

import time
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.audio_quality import HOP_SAMPLES, RATE, ClippingMeter, hop_powers
from shared.domain.video.media import decode_packet
from shared.domain.video.sound import samples_of

PART_SECONDS = 20.0
GAP_SECONDS = 0.1


class Listener:
    """Decodes packets of sound as they come; keeps the power of 8 ms hops, nothing else.

    With `say` the sound itself is handed over in parts of 20 s.
    """

    def __init__(self, say: Callable[[dict[str, Any]], None] | None) -> None:
        self.seconds = 0.0
        self._say = say
        self._resampler: Any = None
        self._format: tuple[int, str, str] | None = None
        self._clipping = ClippingMeter()
        self._powers: list[NDArray[np.float32]] = []
        self._rest = np.zeros(0, np.float32)
        self._waiting: list[NDArray[np.int16]] = []
        self._waiting_samples = 0
        self._samples = 0
        self._start: float | None = None
        self.problem = ""

    def hear(self, packet: Any) -> None:
        """Takes one packet; a damaged one costs its own moment only."""
        began = time.perf_counter()
        try:
            frames = decode_packet(packet)
        except (av.FFmpegError, ValueError) as problem:
            self.problem = f"the sound is damaged ({problem})"
            frames = []
        self.seconds += time.perf_counter() - began
        for frame in frames:
            self.take(frame)

    def take(self, frame: Any) -> None:
        """Takes one decoded frame; of one that makes no sense it takes nothing."""
        began = time.perf_counter()
        try:
            self._take(frame)
        except (av.FFmpegError, ValueError) as problem:
            self.problem = f"the sound is damaged ({problem})"
        self.seconds += time.perf_counter() - began

    def _take(self, frame: Any) -> None:
        if not frame.samples or frame.sample_rate <= 0:
            return
        if self._start is None:
            self._start = float(frame.time or 0.0)
        if frame.time is not None:
            self._fill(float(frame.time) - self._start - self._samples / RATE)
        layout = (frame.sample_rate, frame.layout.name, frame.format.name)
        if layout != self._format:
            self._flush()
            self._format = layout
            self._clipping.forget()
            self._resampler = av.AudioResampler("flt", "mono", RATE)
        self._clipping.hear(samples_of(frame, frame.layout.nb_channels))
        frame.pts = None
        for part in self._resampler.resample(frame):
            self._measure(part.to_ndarray().reshape(-1))

    def _fill(self, hole_seconds: float) -> None:
        """A hole in the timestamps is silence, so that words keep their times."""
        if GAP_SECONDS < hole_seconds < PART_SECONDS:
            self._measure(np.zeros(int(hole_seconds * RATE), np.float32))

    def _measure(self, mono: NDArray[np.float32]) -> None:
        mono = np.clip(np.nan_to_num(mono), -1, 1).astype(np.float32)
        self._samples += len(mono)
        heard = np.concatenate([self._rest, mono])
        whole = len(heard) // HOP_SAMPLES * HOP_SAMPLES
        self._powers.append(hop_powers(heard[:whole]))
        self._rest = heard[whole:]
        if self._say is not None:
            self._waiting.append((mono * 32767).astype(np.int16))
            self._waiting_samples += len(mono)
            if self._waiting_samples >= PART_SECONDS * RATE:
                self._hand_over()

    def _hand_over(self) -> None:
        if self._say is None or not self._waiting:
            return
        pcm = np.concatenate(self._waiting)
        self._waiting, self._waiting_samples = [], 0
        start = self._start or 0.0
        self._say({"kind": "sound", "start": start, "pcm": b64encode(pcm.tobytes()).decode()})

    def _flush(self) -> None:
        if self._resampler is not None:
            for part in self._resampler.resample(None):
                self._measure(part.to_ndarray().reshape(-1))
            self._resampler = None

    def close(self) -> None:
        """Hears what is held back and hands it over."""
        self._flush()
        self._hand_over()

    def heard(self) -> dict[str, Any] | None:
        """What quality is measured on; None when there was no sound."""
        if not self._samples:
            return None
        powers = np.concatenate(self._powers)
        return {
            "start": self._start or 0.0,
            "clipped_share": self._clipping.share,
            "powers": b64encode(powers.astype("<f4").tobytes()).decode(),
        }
