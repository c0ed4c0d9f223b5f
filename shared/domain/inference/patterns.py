"""What shots look like as a whole: the classes of ResNet-50 (He et al. 2015) on ImageNet."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.models import find_model
from shared.domain.inference.networks import Network, expect, open_network, softmax
from shared.domain.inference.objects import ShotPicture
from shared.domain.video.pictures import Picture
from shared.inference_models import ShotPattern, VisualPattern

SIDE = 224
RESIZED = 256
MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
BEST = 5
PICTURES_AT_ONCE = 8


class PatternNetwork:
    """An image classifier; the metadata `labels`, one a line, names its classes."""

    def __init__(self, network: Network) -> None:
        """Raises AnalyserUnavailable when the file is another network."""
        taken, given = network.input_shape, network.output_shapes[0]
        fits = len(taken) == 4 and taken[1] == 3 and len(given) == 2
        expect(network, fits, "(n, 3, 224, 224) -> (n, classes)")
        self._network = network
        self._labels = network.metadata.get("labels", "").splitlines()
        self._batch = 1 if taken[0] == 1 else PICTURES_AT_ONCE
        self.provider = network.provider

    def see(self, pictures: Sequence[ShotPicture]) -> VisualPattern:
        """The pattern of each picture, and how much they differ."""
        rows: list[NDArray[np.float32]] = []
        for first in range(0, len(pictures), self._batch):
            feed = np.stack([as_feed(one.picture) for one in pictures[first : first + self._batch]])
            rows += list(softmax(self._network.run(feed)[0]))
        shots = []
        for one, row in zip(pictures, rows, strict=True):
            best = np.argsort(-row, kind="stable")[:BEST]
            shots.append(
                ShotPattern(
                    shot=one.shot,
                    labels=tuple(self._name(int(index)) for index in best),
                    scores=tuple(round(float(row[index]), 4) for index in best),
                )
            )
        return VisualPattern(shots=tuple(shots), variety=variety_of(rows))

    def _name(self, index: int) -> str:
        return self._labels[index] if index < len(self._labels) else f"imagenet-{index}"


def as_feed(picture: Picture) -> NDArray[np.float32]:
    """(3, 224, 224): the middle of the picture, RGB, normalised as ImageNet's are."""
    height, width = picture.shape[:2]
    scale = RESIZED / min(height, width)
    size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    top, left = (size[1] - SIDE) // 2, (size[0] - SIDE) // 2
    middle = small[top : top + SIDE, left : left + SIDE, ::-1].astype(np.float32) / 255
    return np.asarray(((middle - MEAN) / DEVIATION).transpose(2, 0, 1), np.float32)


def variety_of(rows: Sequence[NDArray[np.float32]]) -> float | None:
    """1 - mean cosine between the shots' classes; None for fewer than two shots."""
    if len(rows) < 2:
        return None
    units = np.stack([row / (np.linalg.norm(row) or 1.0) for row in rows])
    cosines = units @ units.T
    others = cosines[~np.eye(len(rows), dtype=bool)]
    return round(float(np.clip(1 - others.mean(), 0, 1)), 4)


def open_patterns(folder: Path) -> PatternNetwork:
    """The network; raises AnalyserUnavailable."""
    return PatternNetwork(open_network(find_model("visual-pattern", folder)))
