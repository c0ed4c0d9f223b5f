"""Small pictures kept during the one decode, from which the contact sheet is made."""

from dataclasses import dataclass
from typing import Any

import cv2

from shared.domain.video.colours import colour_picture
from shared.domain.video.pictures import Look, Picture

# A picture is kept every so often, and soon when it changed; so each shot has one.
KEEP_SECONDS, MIN_GAP_SECONDS = 0.5, 0.1
CHANGED_LEVELS = 12.0
KEPT_SIDE, JPEG_QUALITY = 240, 88


@dataclass(frozen=True)
class Kept:
    """A small picture of a frame, as JPEG: ten kilobytes, so that memory hardly grows."""

    frame: int
    at_seconds: float
    jpeg: bytes


class Album:
    """A detector that keeps two to ten small pictures a second."""

    def __init__(self) -> None:
        self._kept: list[Kept] = []
        self._thumb: Picture | None = None

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds; most are not kept."""
        if self._kept and self._thumb is not None:
            waited = at - self._kept[-1].at_seconds
            if waited < MIN_GAP_SECONDS:
                return
            if waited < KEEP_SECONDS and not _changed(self._thumb, frame.thumb):
                return
        self._thumb = frame.thumb.copy()
        self._kept.append(Kept(frame.index, at, as_jpeg(colour_picture(frame, KEPT_SIDE))))

    def result(self) -> list[Kept]:
        """The pictures that were kept, in order of display."""
        return self._kept


def _changed(before: Picture, after: Picture) -> bool:
    difference = cv2.norm(before.reshape(-1, 1), after.reshape(-1, 1), cv2.NORM_L1)
    return difference / before.size > CHANGED_LEVELS


def as_jpeg(picture: Picture) -> bytes:
    """A BGR picture as JPEG."""
    coded: Any = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return bytes(coded.tobytes())
