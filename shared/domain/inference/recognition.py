"""Speech to text with word times: faster-whisper with its model where both are there, else English.

What the packages carry understands English only; Whisper knows some hundred languages.
"""

from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.models import find_model
from shared.domain.video.detector import AnalyserUnavailable
from shared.inference_models import Transcript, Word

PARTS = ("speech-weights", "speech-config", "speech-tokenizer", "speech-vocabulary")
SOURCE = "faster-whisper"


class SpeechRecogniser(Protocol):
    """What turns sound into words."""

    provider: str

    def transcribe(self, sound: NDArray[np.float32], start_seconds: float) -> Transcript:
        """The words in 16 kHz mono that begins at `start_seconds` of the video."""


class WhisperRecogniser:
    """faster-whisper (CTranslate2) over a model that lies in a folder; fetches nothing."""

    def __init__(self, folder: Path) -> None:
        """Raises AnalyserUnavailable without the package or with a model it cannot load."""
        try:
            import ctranslate2
            from faster_whisper import WhisperModel
        except ImportError as problem:
            raise AnalyserUnavailable(
                f"faster-whisper is not installed ({problem}); words can be given with "
                "--transcript FILE.srt"
            ) from problem
        on_card = ctranslate2.get_cuda_device_count() > 0
        try:
            self._model: Any = WhisperModel(
                str(folder),
                device="cuda" if on_card else "cpu",
                compute_type="float16" if on_card else "int8",
                cpu_threads=1,
                local_files_only=True,
            )
        except (OSError, RuntimeError, ValueError) as problem:
            raise AnalyserUnavailable(f"the speech model cannot be loaded: {problem}") from problem
        self.provider = "gpu" if on_card else "cpu"

    def transcribe(self, sound: NDArray[np.float32], start_seconds: float) -> Transcript:
        """The words in 16 kHz mono that begins at `start_seconds` of the video."""
        segments, info = self._model.transcribe(sound, word_timestamps=True, vad_filter=True)
        words = tuple(
            Word(
                word=word.word.strip(),
                start_seconds=round(start_seconds + float(word.start), 3),
                end_seconds=round(start_seconds + float(word.end), 3),
                confidence=round(min(1.0, max(0.0, float(word.probability))), 3),
            )
            for segment in segments
            for word in segment.words or ()
            if word.word.strip()
        )
        return Transcript(language=str(info.language or ""), source=SOURCE, words=words)


@lru_cache(maxsize=1)
def open_recogniser(folder: Path) -> SpeechRecogniser:
    """The better recogniser that is there, loaded once per process.

    Raises AnalyserUnavailable with what both lack.
    """
    from shared.domain.inference.moonshine import open_moonshine

    try:
        files = [find_model(name, folder) for name in PARTS]
        return WhisperRecogniser(files[0].parent)
    except AnalyserUnavailable as problem:
        lacking = str(problem)
    try:
        return open_moonshine(folder)
    except AnalyserUnavailable as problem:
        raise AnalyserUnavailable(f"{problem}; for other languages: {lacking}") from problem
