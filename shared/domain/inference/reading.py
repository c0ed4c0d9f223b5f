"""Reads the text on a picture with PP-OCR's two networks: where lines are, and what they say.

The networks are those that rapidocr carries (PP-OCRv6, Apache-2.0), run directly: its own package
takes a second to import, and might fetch what it misses from the net.
Detection follows "Real-time Scene Text Detection with Differentiable Binarization" (Liao et al.,
AAAI 2020): a map of probabilities whose islands, widened, are the lines. Recognition is read
greedily from connectionist temporal classification (Graves et al., ICML 2006).
"""

from dataclasses import dataclass
from itertools import groupby
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.inference.networks import Network, expect
from shared.domain.video.pictures import Picture

# The detector sees pictures of at most this side; more costs time and reads no better.
DETECTION_SIDE = 640
SIDE_STEP = 32
PIXEL_PROBABILITY = 0.3
BOX_PROBABILITY = 0.5
WIDENING = 1.6
MIN_BOX_SIDE = 3.0
MAX_BOXES = 200
LINE_HEIGHT = 48
LINE_WIDTH_STEP = 64
MAX_LINE_WIDTH = 3200
MIN_CONFIDENCE = 0.7
# A block is no wider than so many times its height; half of one may be a line.
MAX_BLOCK_RATIO = 4.0
MIN_HALF_HEIGHT = 16
SURE_CONFIDENCE, HALF_CONFIDENCE, MORE_CONFIDENCE = 0.96, 0.85, 0.03
# What looks like a single letter is mostly none.
MIN_LETTERS = 2
TALL = 1.5
BLANK = 0


@dataclass(frozen=True)
class Reading:
    """One line: left, top, right, bottom in pixels of the picture, text, and 0-1 how surely."""

    place: tuple[float, float, float, float]
    text: str
    confidence: float


class TextReader(Protocol):
    """What reads text; PaddleOCR in the image and PP-OCR's bare networks have this interface."""

    provider: str

    def read(self, picture: Picture, side: int) -> list[Reading]:
        """The lines on a BGR picture, top to bottom; `side` is the longest that is looked at."""


class PpocrReader:
    """PP-OCR's detection and recognition networks."""

    def __init__(self, detection: Network, recognition: Network) -> None:
        """Raises AnalyserUnavailable when the files are other networks."""
        shape = detection.output_shapes[0]
        expect(detection, len(shape) == 4 and shape[1] == 1, "(n, 3, h, w) -> (n, 1, h, w)")
        self._letters = recognition.metadata.get("character", "").splitlines()
        shape = recognition.output_shapes[0]
        # One class for "nothing", one for the space between words.
        fits = len(shape) == 3 and shape[2] == len(self._letters) + 2
        expect(recognition, fits, "(n, 3, 48, w) -> (n, steps, letters) with its letters inside")
        self._alphabet = np.array(["", *self._letters, " "], dtype=object)
        self._detection, self._recognition = detection, recognition
        self.provider: str = recognition.provider

    def read(self, picture: Picture, side: int) -> list[Reading]:
        """The lines on a BGR picture, top to bottom; `side` is the longest that is looked at."""
        corners = self.find(picture, side)
        lines = [cut_line(picture, four) for four in corners]
        found = list(zip(corners, self._recognize(lines), strict=True))
        read: list[Reading] = []
        for (four, one), line in zip(found, lines, strict=True):
            halves = self._as_two(four, line, one[1])
            for place, (text, confidence) in halves or [(four, one)]:
                if confidence >= MIN_CONFIDENCE and _letters(text) >= MIN_LETTERS:
                    read.append(Reading(_around(place), text.strip(), confidence))
        return sorted(read, key=lambda line: (line.place[1], line.place[0]))

    def _as_two(
        self, corners: NDArray[np.float32], line: Picture, confidence: float
    ) -> list[tuple[NDArray[np.float32], tuple[str, float]]]:
        """What a block says as two lines, when that is read more surely; otherwise nothing.

        Titles set so tightly that their lines touch are one island to the detector.
        """
        height, width = line.shape[:2]
        block = height >= 2 * MIN_HALF_HEIGHT and height <= width <= MAX_BLOCK_RATIO * height
        if confidence >= SURE_CONFIDENCE or not block:
            return []
        halves = self._recognize([line[: height // 2], line[height // 2 :]])
        least = max(HALF_CONFIDENCE, confidence + MORE_CONFIDENCE)
        if any(sure < least or _letters(text) < MIN_LETTERS for text, sure in halves):
            return []
        middle = [(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2]
        upper = np.array([corners[0], corners[1], middle[1], middle[0]], np.float32)
        lower = np.array([middle[0], middle[1], corners[2], corners[3]], np.float32)
        return list(zip([upper, lower], halves, strict=True))

    def find(self, picture: Picture, side: int) -> list[NDArray[np.float32]]:
        """Four corners (4, 2) of each line, in pixels, clockwise from the upper left."""
        height, width = picture.shape[:2]
        scale = min(1.0, side / max(height, width))
        size = [max(SIDE_STEP, round(n * scale / SIDE_STEP) * SIDE_STEP) for n in (width, height)]
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA if scale < 1 else 1)
        (maps,) = self._detection.run(_as_feed(small)[None])
        stretch = np.array([width / size[0], height / size[1]], np.float32)
        return [four * stretch for four in islands(maps[0, 0])]

    def _recognize(self, lines: list[Picture]) -> list[tuple[str, float]]:
        """Text and confidence of each line; lines of one width go together.

        Filling up shorter ones would cost as much as reading them.
        """
        found: list[tuple[str, float]] = [("", 0.0)] * len(lines)
        order = sorted(range(len(lines)), key=lambda index: _line_width(lines[index]))
        for widest, alike in groupby(order, key=lambda index: _line_width(lines[index])):
            batch = list(alike)
            feed = np.zeros((len(batch), 3, LINE_HEIGHT, widest), np.float32)
            for row, index in enumerate(batch):
                ratio = lines[index].shape[1] / lines[index].shape[0]
                width = max(1, min(widest, int(np.ceil(LINE_HEIGHT * ratio))))
                feed[row, :, :, :width] = _as_feed(cv2.resize(lines[index], (width, LINE_HEIGHT)))
            (steps,) = self._recognition.run(feed)
            for row, index in enumerate(batch):
                found[index] = self._spell(steps[row])
        return found

    def _spell(self, steps: NDArray[np.float32]) -> tuple[str, float]:
        """The likeliest letter of each step, repeats and blanks left out, and their mean share."""
        letters, shares = steps.argmax(axis=1), steps.max(axis=1)
        new = np.concatenate([[True], letters[1:] != letters[:-1]]) & (letters != BLANK)
        if not new.any():
            return "", 0.0
        confidence = min(1.0, float(shares[new].mean()))
        return "".join(self._alphabet[letters[new]]), confidence


def islands(probabilities: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    """Corners (4, 2) of a widened rectangle around each island of probable text, in map pixels."""
    # A pixel's width joins what a thin gap parts.
    mask = cv2.dilate((probabilities > PIXEL_PROBABILITY).astype(np.uint8), np.ones((2, 2)))
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    found: list[NDArray[np.float32]] = []
    for contour in contours[:MAX_BOXES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < MIN_BOX_SIDE:
            continue
        if _mean_inside(probabilities, cv2.boxPoints((centre, (width, height), angle))) < (
            BOX_PROBABILITY
        ):
            continue
        # The network is trained on shrunk lines: area x ratio / perimeter brings them back.
        grown = 2 * WIDENING * width * height / (2 * (width + height))
        corners = cv2.boxPoints((centre, (width + grown, height + grown), angle))
        found.append(_clockwise(corners, probabilities.shape))
    return found


def _mean_inside(probabilities: NDArray[np.float32], corners: Any) -> float:
    left, top = np.maximum(np.floor(corners.min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1
    part = probabilities[top:bottom, left:right]
    if not part.size:
        return 0.0
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - [left, top]).astype(np.int32)], 1)
    return float(cv2.mean(part, mask)[0])


def _clockwise(corners: Any, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The corners from the upper left on, kept within the map."""
    by_x = corners[np.argsort(corners[:, 0], kind="stable")]
    left, right = by_x[:2], by_x[2:]
    left, right = left[np.argsort(left[:, 1])], right[np.argsort(right[:, 1])]
    ordered = np.array([left[0], right[0], right[1], left[1]], np.float32)
    return np.clip(ordered, 0, [shape[1] - 1, shape[0] - 1]).astype(np.float32)


def cut_line(picture: Picture, corners: NDArray[np.float32]) -> Picture:
    """The line between four corners, straightened; a standing one is laid down."""
    width = max(1, round(float(np.linalg.norm(corners[1] - corners[0]))))
    height = max(1, round(float(np.linalg.norm(corners[3] - corners[0]))))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32), target)
    line = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    if height >= TALL * width:
        line = cv2.rotate(line, cv2.ROTATE_90_COUNTERCLOCKWISE)
    return np.asarray(line, np.uint8)


def _around(corners: NDArray[np.float32]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of four corners."""
    left, top, right, bottom = (float(n) for n in (*corners.min(axis=0), *corners.max(axis=0)))
    return left, top, right, bottom


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _line_width(line: Picture) -> int:
    """The network's width for a line: a few sizes only, so that batches are alike."""
    width = LINE_HEIGHT * line.shape[1] / line.shape[0]
    return min(MAX_LINE_WIDTH, max(1, -(-int(np.ceil(width)) // LINE_WIDTH_STEP)) * LINE_WIDTH_STEP)


def _as_feed(picture: Any) -> NDArray[np.float32]:
    """(3, height, width) between -1 and 1."""
    return np.asarray(picture.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1, np.float32)
