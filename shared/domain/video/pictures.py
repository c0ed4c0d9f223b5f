"""The small pictures that all detectors share, shrunk from a frame without converting it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

THUMB_WIDTH, THUMB_HEIGHT = 48, 27
FLOW_SIDE = 160
FACE_SIDE = 400
MIDDLE_SIDE = 640
# Formats whose first planes are Y, U and V, one sample after the other; all others (RGB, palettes,
# packed) are converted by ffmpeg's scaler, already small.
PLANAR_START = ("yuv4", "yuvj4", "yuva4", "gray")
BYTE_BITS = 8
B_PICTURE = 3  # AV_PICTURE_TYPE_B in ffmpeg's avutil.h
ROTATE_CODES = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


@dataclass(frozen=True)
class Look:
    """One frame as the detectors see it: a number, a time, and pictures made when asked for.

    Valid only during `see`, because the planes belong to the decoder.
    """

    index: int
    width: int
    height: int
    rotation: int
    planes: tuple[NDArray[Any], ...]
    shift_bits: int
    bidirectional: bool = False
    """Whether it is a B picture, which those who decode reference frames only may not see."""

    @cached_property
    def middle(self) -> Picture:
        """Brightness at about 640 pixels a side, as stored: where faces are looked for."""
        return self._shrink_linear(self.planes[0], MIDDLE_SIDE)

    @cached_property
    def face_picture(self) -> Picture:
        """Brightness at 400 pixels a side, as displayed (rotated); smaller videos are enlarged."""
        scale = FACE_SIDE / max(self.width, self.height)
        size = (max(1, round(self.width * scale)), max(1, round(self.height * scale)))
        small = _resize(self.middle, size)
        return (
            np.ascontiguousarray(cv2.rotate(small, ROTATE_CODES[self.rotation]), dtype=np.uint8)
            if self.rotation
            else small
        )

    @cached_property
    def flow_picture(self) -> Picture:
        """Brightness at 160 pixels a side, as stored: speeds do not depend on rotation."""
        small = self._shrink_linear(self.planes[0], 2 * FLOW_SIDE)
        return _resize(small, fit(self.width, self.height, FLOW_SIDE))

    @cached_property
    def thumb(self) -> Picture:
        """Brightness and both colour differences, (3, 27, 48), as stored."""
        thumb = np.full((3, THUMB_HEIGHT, THUMB_WIDTH), 128, np.uint8)
        thumb[0] = _resize(self.flow_picture, (THUMB_WIDTH, THUMB_HEIGHT))
        for row, plane in enumerate(self.planes[1:], start=1):
            small = self._shrink_linear(plane, 2 * THUMB_WIDTH)
            thumb[row] = _resize(small, (THUMB_WIDTH, THUMB_HEIGHT))
        return thumb

    def _shrink_linear(self, plane: NDArray[Any], side: int) -> Picture:
        """Picks samples down to `side`: four times cheaper than averaging all of a large plane."""
        height, width = plane.shape
        if max(width, height) > side:
            plane = cv2.resize(plane, fit(width, height, side), interpolation=cv2.INTER_LINEAR)
        if self.shift_bits:
            plane = plane >> self.shift_bits
        return plane.astype(np.uint8, copy=False)


def fit(width: int, height: int, side: int) -> tuple[int, int]:
    """The size with the same shape whose longer side is at most `side`; each side at least 1."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _resize(picture: Picture, size: tuple[int, int]) -> Picture:
    if (picture.shape[1], picture.shape[0]) == size:
        # A view of the decoder's padded lines; optical flow wants lines without gaps.
        return np.ascontiguousarray(picture)
    grows = size[0] > picture.shape[1]
    kind = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    shrunk = cv2.resize(picture, size, interpolation=kind)
    return shrunk.astype(np.uint8, copy=False)


def look_at(frame: Any, index: int, rotation: int) -> Look:
    """The Look of a decoded PyAV frame."""
    layout = frame.format
    bidirectional = frame.pict_type == B_PICTURE
    bits = layout.components[0].bits
    planar = layout.name.startswith(PLANAR_START) and not layout.is_big_endian
    if not planar or bits > 2 * BYTE_BITS or frame.planes[0].line_size <= 0:
        width, height = fit(frame.width, frame.height, MIDDLE_SIDE)
        # The scaler wants even sizes for halved colour planes, and pictures of some substance.
        even = {"width": width + width % 2, "height": height + height % 2}
        frame = frame.reformat(**even, format="yuv420p")
        bits = BYTE_BITS
    planes = tuple(_view(plane, bits) for plane in frame.planes[:3])
    return Look(
        index=index,
        width=frame.width,
        height=frame.height,
        rotation=rotation,
        planes=planes if len(planes) == 3 else planes[:1],
        shift_bits=max(0, bits - BYTE_BITS),
        bidirectional=bidirectional,
    )


def _view(plane: Any, bits: int) -> NDArray[Any]:
    """The samples of a plane, without a copy and without the padding of its lines."""
    kind = np.dtype(np.uint8 if bits <= BYTE_BITS else "<u2")
    samples = np.frombuffer(plane, dtype=kind)
    per_line = plane.line_size // kind.itemsize
    lines = samples[: per_line * plane.height].reshape(plane.height, per_line)
    return lines[:, : plane.width]
