"""The other side, run in the private venv: `python -m scripts.agree.theirs WHAT FOLDER`.

It calls the product's own adapters of these packages, so that it is their code that is compared.
"""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from shared.domain.inference.engines import open_sentences, open_text_reader
from shared.domain.inference.recognition import WhisperRecogniser
from shared.domain.video.detector import AnalyserUnavailable

# There is no such folder: the networks are those that come with packages, checked by their sha256.
PACKAGED = Path("packaged")
START_SECONDS = 5.0


def read_text(folder: Path) -> dict[str, Any]:
    """PaddleOCR's lines on every picture."""
    import cv2

    reader = open_text_reader("paddleocr", PACKAGED)
    side = int((folder / "side").read_text())
    lines = {}
    for file in sorted(folder.glob("*.png")):
        picture = np.asarray(cv2.imread(str(file), cv2.IMREAD_COLOR), np.uint8)
        found = reader.read(picture, side)
        lines[file.stem] = [[line.place, line.text, line.confidence] for line in found]
    return {"lines": lines, "version": f"PaddleOCR {version('paddleocr')}"}


def embed_sentences(folder: Path) -> dict[str, Any]:
    """The vectors of sentence-transformers, kept as float32 beside the answer."""
    embedder = open_sentences("sentence-transformers", PACKAGED)
    vectors = embedder.embed(json.loads((folder / "texts.json").read_text()))
    np.save(folder / "theirs.npy", vectors)
    empty = embedder.embed([]).shape
    name = f"sentence-transformers {version('sentence-transformers')}"
    return {"version": name, "of_nothing": list(empty)}


def recognise(folder: Path) -> dict[str, Any]:
    """What moonshine-voice's own library hears in each sound."""
    from moonshine_voice import ModelArch, get_model_path
    from moonshine_voice.transcriber import Transcriber

    transcriber = Transcriber(str(get_model_path("tiny-en")), ModelArch.TINY)
    heard = {}
    for file in sorted(folder.glob("*.npy")):
        answer = transcriber.transcribe_without_streaming(np.load(file).tolist(), 16_000)
        heard[file.stem] = " ".join(line.text for line in answer.lines)
    return {"heard": heard, "version": f"moonshine-voice {version('moonshine-voice')}"}


def run_whisper(folder: Path) -> dict[str, Any]:
    """Our adapter of faster-whisper over a made model: its code runs, its words mean nothing."""
    from scripts.agree.tiny_whisper import make_model

    recogniser = WhisperRecogniser(make_model(folder / "model"))
    sounds = {file.stem: np.load(file) for file in sorted(folder.glob("*.npy"))}
    sounds["silence"] = np.zeros(32_000, np.float32)
    found = {name: recogniser.transcribe(s, START_SECONDS) for name, s in sounds.items()}
    return {
        "version": f"faster-whisper {version('faster-whisper')}",
        "provider": recogniser.provider,
        "transcripts": {name: said.model_dump(mode="json") for name, said in found.items()},
    }


WHAT = {
    "text": read_text,
    "sentences": embed_sentences,
    "speech": recognise,
    "whisper": run_whisper,
}


def main() -> None:
    """Writes WHAT.json into the folder; a package that cannot run is said there."""
    what, folder = sys.argv[1], Path(sys.argv[2])
    try:
        answer = WHAT[what](folder)
    except (AnalyserUnavailable, ImportError) as problem:
        answer = {"unavailable": str(problem)}
    (folder / f"{what}.json").write_text(json.dumps(answer))


if __name__ == "__main__":
    main()
