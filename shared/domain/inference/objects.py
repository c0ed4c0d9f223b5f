"""Objects and persons on pictures: YOLOX, or YOLOv8 where it is asked for, in an ONNX file.

YOLOX: Ge et al. 2021 (arXiv:2107.08430). Boxes of one class that overlap are one object, the
surest stays (non-maximum suppression).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.models import find_model
from shared.domain.inference.networks import Network, expect, open_network
from shared.domain.video.pictures import Picture
from shared.inference_models import Persons, SeenObject
from shared.models import Box, Shot

Kind = Literal["yolox", "yolov8"]

SIDE = 640
GREY = 114
STRIDES = (8, 16, 32)
MIN_CONFIDENCE = 0.35
SAME_OBJECT_IOU = 0.45
MOST_OBJECTS = 100
PICTURES_AT_ONCE = 8
PERSON = "person"
# The 80 classes of COCO 2017 in their order.
LABELS = (
    *("person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat"),
    *("traffic light", "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat"),
    *("dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack"),
    *("umbrella", "handbag", "tie", "suitcase", "frisbee", "skis", "snowboard", "sports ball"),
    *("kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket"),
    *("bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple"),
    *("sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair"),
    *("couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "mouse"),
    *("remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink"),
    *("refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier"),
    "toothbrush",
)
CLASSES = len(LABELS)


@dataclass(frozen=True)
class ShotPicture:
    """The picture of one shot, BGR as displayed."""

    shot: int
    at_seconds: float
    picture: Picture


class ObjectDetector:
    """One of the two networks; which one decides how its input and output are read."""

    def __init__(self, network: Network, kind: Kind) -> None:
        """Raises AnalyserUnavailable when the file is another network."""
        shape = network.output_shapes[0]
        axis, channels = (2, CLASSES + 5) if kind == "yolox" else (1, CLASSES + 4)
        fits = len(shape) == 3 and shape[axis] == channels
        expected = "(n, rows, 85)" if kind == "yolox" else "(n, 84, rows)"
        expect(network, fits, f"{expected} as {kind} gives it")
        self._network, self._kind = network, kind
        sides = [side for side in network.input_shape[2:] if isinstance(side, int) and side > 0]
        self._height, self._width = sides if len(sides) == 2 else (SIDE, SIDE)
        self._batch = 1 if network.input_shape[0] == 1 else PICTURES_AT_ONCE
        self.provider = network.provider

    def see(self, pictures: Sequence[ShotPicture]) -> tuple[SeenObject, ...]:
        """The objects on each picture, in its order, the surest first."""
        found: list[SeenObject] = []
        for first in range(0, len(pictures), self._batch):
            batch = pictures[first : first + self._batch]
            boxed = [self._letterbox(one.picture) for one in batch]
            output = self._network.run(np.stack([feed for feed, _ in boxed]))[0]
            for one, rows, (_, scale) in zip(batch, output, boxed, strict=True):
                found += self._objects(one, rows, scale)
        return tuple(found)

    def _letterbox(self, picture: Picture) -> tuple[NDArray[np.float32], float]:
        """The picture in the upper left of the network's input, and how much it was scaled."""
        height, width = picture.shape[:2]
        scale = min(self._width / width, self._height / height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        canvas = np.full((self._height, self._width, 3), GREY, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size)
        if self._kind == "yolox":
            return np.asarray(canvas.transpose(2, 0, 1), np.float32), scale
        rgb = canvas[..., ::-1].transpose(2, 0, 1).astype(np.float32)
        return np.asarray(rgb / np.float32(255)), scale

    def _objects(
        self, one: ShotPicture, output: NDArray[np.float32], scale: float
    ) -> list[SeenObject]:
        if self._kind == "yolox":
            boxes, scores = decode_yolox(output, self._height, self._width)
        else:
            boxes, scores = output[:4].T, output[4:].T
        height, width = one.picture.shape[:2]
        fractions = boxes / (scale * np.array([width, height, width, height], np.float32))
        return [
            SeenObject(
                shot=one.shot,
                at_seconds=round(one.at_seconds, 3),
                label=LABELS[label],
                confidence=round(min(1.0, confidence), 3),
                box=box,
            )
            for box, label, confidence in keep_best(fractions, scores)
        ]


def decode_yolox(
    output: NDArray[np.float32], height: int, width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n, 4: centre x, y, width, height in pixels) and scores (n, 80) of (n, 85) rows."""
    grids, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        grids.append(np.stack([columns.ravel(), rows.ravel()], axis=1))
        strides.append(np.full((grids[-1].shape[0], 1), stride))
    grid, stride_of = np.concatenate(grids), np.concatenate(strides)
    centre = (output[:, :2] + grid) * stride_of
    size = np.exp(np.minimum(output[:, 2:4], 20)) * stride_of
    boxes = np.concatenate([centre, size], axis=1).astype(np.float32)
    return boxes, np.asarray(output[:, 4:5] * output[:, 5:], np.float32)


def keep_best(
    boxes: NDArray[np.float32], scores: NDArray[np.float32]
) -> list[tuple[Box, int, float]]:
    """Box, class and confidence of each object; boxes are centre x, y, width, height, 0-1."""
    labels, sure = scores.argmax(axis=1), scores.max(axis=1)
    there = (sure >= MIN_CONFIDENCE) & np.isfinite(boxes).all(axis=1)
    there &= (boxes[:, 2:] > 0).all(axis=1)
    order = np.flatnonzero(there)[np.argsort(-sure[there], kind="stable")][: 10 * MOST_OBJECTS]
    corners = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    corners = np.clip(corners, 0, 1)
    kept: list[int] = []
    for index in order:
        rivals = [other for other in kept if labels[other] == labels[index]]
        if all(_overlap(corners[index], corners[other]) < SAME_OBJECT_IOU for other in rivals):
            kept.append(int(index))
    return [
        (_box(corners[index]), int(labels[index]), float(sure[index]))
        for index in kept[:MOST_OBJECTS]
        if (corners[index][2:] > corners[index][:2]).all()
    ]


def _overlap(a: Any, b: Any) -> float:
    """Intersection over union of two boxes given by corners."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    shared = max(0.0, float(width)) * max(0.0, float(height))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return shared / (float(areas) - shared or 1.0)


def _box(corners: Any) -> Box:
    left, top, right, bottom = (float(n) for n in corners)
    return Box(
        left=round(left, 4),
        top=round(top, 4),
        width=round(right - left, 4),
        height=round(bottom - top, 4),
    )


def persons_among(objects: Sequence[SeenObject], shots: Sequence[Shot]) -> Persons:
    """How much of the time, by shots, shows persons, and how many at once."""
    counts = [0] * len(shots)
    for one in objects:
        if one.label == PERSON and one.shot < len(shots):
            counts[one.shot] += 1
    lengths = [shot.end_seconds - shot.start_seconds for shot in shots]
    shown = sum(length for length, count in zip(lengths, counts, strict=True) if count)
    share = shown / sum(lengths) if sum(lengths) > 0 else 0.0
    return Persons(share=round(min(1.0, share), 4), max_count=max(counts, default=0))


def open_detector(kind: Kind, folder: Path) -> ObjectDetector:
    """The detector of that kind; raises AnalyserUnavailable."""
    return ObjectDetector(open_network(find_model(kind, folder)), kind)
