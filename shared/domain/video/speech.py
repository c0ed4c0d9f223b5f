"""Where somebody speaks: silero-vad's network over 32 ms frames, joined to segments."""

import hashlib
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.samples import SPEECH_RATE, Samples

MODEL = Path(__file__).parent / "models" / "silero_vad_16k.onnx"
MODEL_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
BLOCK_FRAMES = 128
STATE_SHAPE = (1, 1, 128)
# Nobody is understood under -50 dB of full scale.
AUDIBLE_PEAK = 10 ** (-50 / 20)

BEGIN_PROBABILITY = 0.5
END_PROBABILITY = 0.35
MIN_SPEECH_SECONDS = 0.25
MIN_PAUSE_SECONDS = 0.3
PAD_SECONDS = 0.05
FRAME_SECONDS = FRAME_SAMPLES / SPEECH_RATE


class Stretch(NamedTuple):
    """A stretch of speech, in seconds from the start of the sound."""

    start_seconds: float
    end_seconds: float


class SpeechMeter:
    """Hears mono sound in pieces and keeps how surely each 32 ms frame is speech.

    The network and its runtime are loaded when there is something to hear, never for silence.
    """

    def __init__(self) -> None:
        self.spent_seconds = 0.0
        self._problem = ""
        self._session: Any = None
        self._state = _fresh_state()
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._waiting: list[Samples] = []
        self._waiting_samples = 0
        self._heard_samples = 0
        self._probabilities: list[NDArray[np.float32]] = []

    def hear(self, mono: Samples) -> None:
        """Takes samples at 16 kHz in -1 to 1."""
        self._waiting.append(mono)
        self._waiting_samples += len(mono)
        self._heard_samples += len(mono)
        if self._waiting_samples >= BLOCK_FRAMES * FRAME_SAMPLES:
            heard = np.concatenate(self._waiting)
            whole = len(heard) // FRAME_SAMPLES * FRAME_SAMPLES
            self._waiting, self._waiting_samples = [heard[whole:]], len(heard) - whole
            self._judge(heard[:whole].reshape(-1, FRAME_SAMPLES))

    def probabilities(self) -> NDArray[np.float32]:
        """How surely each frame heard is speech, 0-1; to be asked once, at the end.

        Raises AnalyserUnavailable when the model file is not the expected one, or its runtime
        cannot be loaded.
        """
        if self._waiting_samples:
            frames = np.zeros((-(-self._waiting_samples // FRAME_SAMPLES), FRAME_SAMPLES))
            frames.reshape(-1)[: self._waiting_samples] = np.concatenate(self._waiting)
            self._waiting, self._waiting_samples = [], 0
            self._judge(frames.astype(np.float32))
        if self._problem:
            # Loading it costs the picture libraries, which the sound does not need.
            from shared.domain.video.detector import AnalyserUnavailable

            raise AnalyserUnavailable(self._problem)
        found = self._probabilities
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def segments(self) -> tuple[Stretch, ...]:
        """Where somebody speaks; raises as `probabilities` does."""
        return join_frames(self.probabilities(), self._heard_samples / SPEECH_RATE)

    def _judge(self, frames: Samples) -> None:
        """Appends the probabilities of (n, 512) samples, one step of the network a frame."""
        if self._problem:
            return
        began = time.perf_counter()
        if float(np.abs(frames).max()) < AUDIBLE_PEAK:
            self._state = _fresh_state()
            found = np.zeros(len(frames), np.float32)
        else:
            found = self._run(frames)
        self._context = frames[-1, -CONTEXT_SAMPLES:].copy()
        self._probabilities.append(found)
        self.spent_seconds += time.perf_counter() - began

    def _run(self, frames: Samples) -> NDArray[np.float32]:
        self._session = self._session or self._load()
        if self._session is None:
            return np.zeros(0, np.float32)
        before = np.concatenate([self._context[None], frames[:-1, -CONTEXT_SAMPLES:]])
        feed = np.concatenate([before, frames], axis=1)
        names = {"input": feed, "h": self._state[0], "c": self._state[1]}
        probabilities, *self._state = self._session.run(None, names)
        return np.asarray(probabilities, np.float32).reshape(-1)

    def _load(self) -> Any:
        """The network, None with `_problem` set when there is none."""
        model = MODEL.read_bytes() if MODEL.is_file() else b""
        if not model:
            self._problem = f"{MODEL.name} is not there"
            return None
        if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
            self._problem = f"{MODEL.name} is not the file that was reviewed (sha256)"
            return None
        try:
            import onnxruntime
        except ImportError as problem:
            self._problem = f"onnxruntime cannot be loaded ({problem})"
            return None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        # An arena pays for many runs of changing size; here it costs memory pages only.
        options.enable_cpu_mem_arena = options.enable_mem_pattern = False
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _fresh_state() -> list[NDArray[np.float32]]:
    return [np.zeros(STATE_SHAPE, np.float32), np.zeros(STATE_SHAPE, np.float32)]


def find_speech(mono: Samples) -> tuple[Stretch, ...]:
    """Segments of speech in 16 kHz mono, in seconds from its start.

    Raises AnalyserUnavailable when the model file is not the expected one.
    """
    meter = SpeechMeter()
    for first in range(0, len(mono), BLOCK_FRAMES * FRAME_SAMPLES):
        meter.hear(mono[first : first + BLOCK_FRAMES * FRAME_SAMPLES])
    return meter.segments()


def join_frames(probabilities: NDArray[np.float32], end_seconds: float) -> tuple[Stretch, ...]:
    """Segments from frame probabilities: two thresholds, short pauses bridged, blips dropped."""
    runs: list[list[float]] = []
    speaking = False
    for i, probability in enumerate(probabilities):
        at = i * FRAME_SECONDS
        if not speaking and probability >= BEGIN_PROBABILITY:
            speaking = True
            if runs and at - runs[-1][1] < MIN_PAUSE_SECONDS:
                continue
            runs.append([at, at])
        elif speaking and probability < END_PROBABILITY:
            speaking = False
            runs[-1][1] = at
    if speaking:
        runs[-1][1] = end_seconds
    segments: list[Stretch] = []
    for begin, end in runs:
        if end - begin >= MIN_SPEECH_SECONDS:
            first = segments[-1].end_seconds if segments else 0.0
            segments.append(
                Stretch(
                    start_seconds=round(max(first, begin - PAD_SECONDS), 3),
                    end_seconds=round(min(end_seconds, end + PAD_SECONDS), 3),
                )
            )
    return tuple(segments)
