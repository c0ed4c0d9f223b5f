"""What finds faces on one picture: OpenCV's Haar cascade, YuNet or YOLOv8-face, one interface."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.pictures import Look, Picture

CASCADE = "haarcascade_frontalface_alt2.xml"
# Coarse steps and few neighbours: what they miss or invent on one sample, tracks make good.
SCALE_FACTOR = 1.2
NEIGHBOURS = 3
NEAR_NEIGHBOURS = 2
# A face smaller than this share of the longer side is nobody whom a viewer looks at.
MIN_FACE_SHARE = 0.08
MIN_FACE_PIXELS = 20
MIN_SIDE_PIXELS = 40
SURE_NEIGHBOURS = 12


@dataclass(frozen=True)
class Found:
    """A face in pixels of the face picture; `sure` when a single sighting is enough."""

    left: float
    top: float
    width: float
    height: float
    sure: bool

    def overlap(self, other: "Found") -> float:
        """Intersection over union, 0-1."""
        width = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        height = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        shared = max(0.0, width) * max(0.0, height)
        return shared / (self.width * self.height + other.width * other.height - shared or 1.0)


class FaceFinder(Protocol):
    """Finds faces; `cheap` finders look at the whole picture each time."""

    name: str
    cheap: bool

    def find(self, frame: Look) -> list[Found]:
        """The faces on a frame, in pixels of its `face_picture`."""

    def find_near(self, picture: Picture, old: Found) -> Found | None:
        """A face that was at `old`, looked for around it with less doubt; None when not there."""


def choose_finder(model: str) -> FaceFinder:
    """The finder that the setting asks for: the cascade when empty, else the network in that file.

    Raises AnalyserUnavailable when the file is absent, broken or of another kind.
    """
    return load_network(Path(model)) if model else HaarFinder()


class HaarFinder:
    """The boosted cascade of Viola and Jones (2001) that comes with OpenCV."""

    name = "haar"
    cheap = False

    def __init__(self) -> None:
        file = Path(cv2.__file__).parent / "data" / CASCADE
        self._cascade = cv2.CascadeClassifier(str(file))
        if self._cascade.empty():
            raise AnalyserUnavailable(f"OpenCV carries no {CASCADE}")

    def find(self, frame: Look) -> list[Found]:
        """The faces on a frame."""
        picture = frame.face_picture
        smallest = max(MIN_FACE_PIXELS, round(MIN_FACE_SHARE * max(picture.shape)))
        return self._search(picture, smallest, NEIGHBOURS)

    def find_near(self, picture: Picture, old: Found) -> Found | None:
        """The largest face within half a face around the old place."""
        left, top = max(0, int(old.left - old.width / 2)), max(0, int(old.top - old.height / 2))
        right, bottom = int(old.left + 1.5 * old.width), int(old.top + 1.5 * old.height)
        part = picture[top:bottom, left:right]
        smallest = max(MIN_FACE_PIXELS, int(0.7 * old.width))
        near = self._search(part, smallest, NEAR_NEIGHBOURS)
        if not near:
            return None
        best = max(near, key=lambda face: face.width)
        return Found(best.left + left, best.top + top, best.width, best.height, best.sure)

    def _search(self, picture: Picture, smallest: int, neighbours: int) -> list[Found]:
        if min(picture.shape) < max(MIN_SIDE_PIXELS, smallest + 1):
            return []
        boxes, counts = self._cascade.detectMultiScale2(
            picture, SCALE_FACTOR, neighbours, minSize=(smallest, smallest)
        )
        return [
            Found(float(x), float(y), float(w), float(h), sure=int(count) >= SURE_NEIGHBOURS)
            for (x, y, w, h), count in zip(boxes, np.ravel(counts), strict=True)
        ]


def load_network(file: Path) -> FaceFinder:
    """The finder for the network in an ONNX file, its kind recognised from its outputs.

    Raises AnalyserUnavailable with the reason when it cannot be used.
    """
    if not file.is_file():
        raise AnalyserUnavailable(f"the face model {str(file)!r} is not a file")
    # Only who configures a network pays for loading its runtime.
    from shared.domain.video.face_networks import open_network

    return open_network(file)
