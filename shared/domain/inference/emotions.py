"""Emotions in faces (FER+, Barsoum et al. 2016) and in speech, by networks in ONNX files."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.models import find_model
from shared.domain.inference.networks import Network, expect, open_network, softmax
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.pictures import Picture
from shared.inference_models import FaceEmotion, SpeechEmotion
from shared.models import Box, Speech

FACE_EMOTIONS = (
    *("neutral", "happiness", "surprise", "sadness"),
    *("anger", "disgust", "fear", "contempt"),
)
FACE_SIDE = 64
FACES_AT_ONCE = 32
RATE = 16_000
# Longer speech is judged in pieces: emotions change, and memory grows with length.
PIECE_SECONDS = 8.0
MIN_PIECE_SECONDS = 0.5


@dataclass(frozen=True)
class FacePicture:
    """A face, (64, 64) grey, where and when it was."""

    at_seconds: float
    box: Box
    picture: Picture


class FaceEmotions:
    """FER+'s network: the shares of eight emotions in a face."""

    def __init__(self, network: Network) -> None:
        """Raises AnalyserUnavailable when the file is another network."""
        taken, given = network.input_shape, network.output_shapes[0]
        fits = len(taken) == 4 and taken[1:] == [1, FACE_SIDE, FACE_SIDE]
        fits = fits and given[-1] == len(FACE_EMOTIONS)
        expect(network, fits, "(n, 1, 64, 64) -> (n, 8) as FER+ does")
        self._network = network
        self._batch = 1 if taken[0] == 1 else FACES_AT_ONCE
        self.provider = network.provider

    def see(self, faces: Sequence[FacePicture]) -> tuple[FaceEmotion, ...]:
        """The emotion of each face."""
        found: list[FaceEmotion] = []
        for first in range(0, len(faces), self._batch):
            batch = faces[first : first + self._batch]
            feed = np.stack([face.picture for face in batch])[:, None].astype(np.float32)
            shares = softmax(self._network.run(feed)[0].reshape(len(batch), -1))
            for face, row in zip(batch, shares, strict=True):
                emotion, scores = name_scores(FACE_EMOTIONS, row)
                found.append(
                    FaceEmotion(
                        at_seconds=face.at_seconds, box=face.box, emotion=emotion, scores=scores
                    )
                )
        return tuple(found)


class SpeechEmotions:
    """A network over the raw sound whose metadata `labels` names its emotions."""

    def __init__(self, network: Network) -> None:
        """Raises AnalyserUnavailable when the file is another network or names no emotions."""
        names = [name.strip() for name in network.metadata.get("labels", "").split(",")]
        self._labels = tuple(name for name in names if name)
        if not self._labels:
            raise AnalyserUnavailable(
                f"{network.name} does not say which emotions it tells apart: write them, "
                "comma-separated, into its metadata as `labels`"
            )
        taken, given = network.input_shape, network.output_shapes[0]
        fits = len(taken) == 2 and given[-1] in (len(self._labels), *(g for g in given if not g))
        expect(network, fits, f"(1, samples) -> (1, {len(self._labels)})")
        self._network = network
        self.provider = network.provider

    def hear(
        self, sound: NDArray[np.float32], start_seconds: float, speech: Sequence[Speech]
    ) -> tuple[SpeechEmotion, ...]:
        """The emotion of each stretch of speech in 16 kHz mono that begins at `start_seconds`."""
        found: list[SpeechEmotion] = []
        for part in speech:
            for begin, end in pieces(part.start_seconds, part.end_seconds):
                first, last = (max(0, round((at - start_seconds) * RATE)) for at in (begin, end))
                samples = sound[first:last]
                if len(samples) < MIN_PIECE_SECONDS * RATE:
                    continue
                # Networks of this kind are trained on sound of mean 0 and deviation 1.
                even = (samples - samples.mean()) / (samples.std() + 1e-7)
                shares = softmax(self._network.run(even[None].astype(np.float32))[0]).reshape(-1)
                emotion, scores = name_scores(self._labels, shares)
                found.append(
                    SpeechEmotion(
                        start_seconds=round(begin, 3),
                        end_seconds=round(end, 3),
                        emotion=emotion,
                        scores=scores,
                    )
                )
        return tuple(found)


def pieces(start: float, end: float) -> list[tuple[float, float]]:
    """A stretch in equal pieces of at most eight seconds."""
    count = max(1, int(np.ceil((end - start) / PIECE_SECONDS)))
    borders = np.linspace(start, end, count + 1)
    return [(float(a), float(b)) for a, b in pairwise(borders)]


def name_scores(labels: Sequence[str], shares: NDArray[np.float32]) -> tuple[str, dict[str, float]]:
    """The likeliest label and all shares by name, rounded."""
    scores = {label: round(float(share), 4) for label, share in zip(labels, shares, strict=True)}
    return max(scores, key=lambda label: scores[label]), scores


def open_face_emotions(folder: Path) -> FaceEmotions:
    """The network for faces; raises AnalyserUnavailable."""
    return FaceEmotions(open_network(find_model("face-emotion", folder)))


def open_speech_emotions(folder: Path) -> SpeechEmotions:
    """The network for speech; raises AnalyserUnavailable."""
    return SpeechEmotions(open_network(find_model("speech-emotion", folder)))
