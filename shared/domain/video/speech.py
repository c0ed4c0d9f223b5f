"""Where somebody speaks: silero-vad's network over 32 ms frames, joined to segments."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.sound import SPEECH_RATE, Samples
from shared.models import Speech

MODEL = Path(__file__).parent / "models" / "silero_vad_16k.onnx"
MODEL_SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
FRAME_SAMPLES = 512
CONTEXT_SAMPLES = 64
BLOCK_FRAMES = 512
STATE_SHAPE = (1, 1, 128)

BEGIN_PROBABILITY = 0.5
END_PROBABILITY = 0.35
MIN_SPEECH_SECONDS = 0.25
MIN_PAUSE_SECONDS = 0.3
PAD_SECONDS = 0.05
FRAME_SECONDS = FRAME_SAMPLES / SPEECH_RATE


def find_speech(mono: Samples) -> tuple[Speech, ...]:
    """Segments of speech in 16 kHz mono, in seconds from its start.

    Raises AnalyserUnavailable when the model file is not the expected one.
    """
    return join_frames(speech_probabilities(mono), len(mono) / SPEECH_RATE)


def speech_probabilities(mono: Samples) -> NDArray[np.float32]:
    """How surely each 32 ms frame is speech, 0-1."""
    session = _load()
    frames = np.zeros((-(-len(mono) // FRAME_SAMPLES), FRAME_SAMPLES), np.float32)
    frames.reshape(-1)[: len(mono)] = mono
    before = np.zeros((len(frames), CONTEXT_SAMPLES), np.float32)
    before[1:] = frames[:-1, -CONTEXT_SAMPLES:]
    state = [np.zeros(STATE_SHAPE, np.float32), np.zeros(STATE_SHAPE, np.float32)]
    found = []
    for first in range(0, len(frames), BLOCK_FRAMES):
        part = slice(first, first + BLOCK_FRAMES)
        feed = np.concatenate([before[part], frames[part]], axis=1)
        names = {"input": feed, "h": state[0], "c": state[1]}
        probabilities, *state = session.run(None, names)
        found.append(np.asarray(probabilities, np.float32).reshape(-1))
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def _load() -> onnxruntime.InferenceSession:
    if not MODEL.is_file():
        raise AnalyserUnavailable(f"{MODEL.name} is not there")
    model = MODEL.read_bytes()
    if hashlib.sha256(model).hexdigest() != MODEL_SHA256:
        raise AnalyserUnavailable(f"{MODEL.name} is not the file that was reviewed (sha256)")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def join_frames(probabilities: NDArray[np.float32], end_seconds: float) -> tuple[Speech, ...]:
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
    segments: list[Speech] = []
    for begin, end in runs:
        if end - begin >= MIN_SPEECH_SECONDS:
            first = segments[-1].end_seconds if segments else 0.0
            segments.append(
                Speech(
                    start_seconds=round(max(first, begin - PAD_SECONDS), 3),
                    end_seconds=round(min(end_seconds, end + PAD_SECONDS), 3),
                )
            )
    return tuple(segments)
