"""A small picture in colour of a frame, as displayed, made from its shrunk planes."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.video.pictures import ROTATE_CODES, Look, Picture, fit

HD_PIXELS = 1280 * 720
BYTE_BITS = 8


def colour_picture(frame: Look, side: int) -> Picture:
    """Blue, green and red, (height, width, 3), the longer side at most `side`, as displayed.

    Colours follow ITU-R BT.709 from 720p on and BT.601 below, studio range: right for nearly all
    videos and near enough for a look at the others.
    """
    height, width = frame.planes[0].shape
    size = fit(width, height, side)
    planes = [_shrink(plane, size, frame.shift_bits) for plane in frame.planes]
    if len(planes) == 1:
        planes += [np.full_like(planes[0], 128)] * 2
    hd = frame.width * frame.height >= HD_PIXELS
    picture: Any = cv2.transform(cv2.merge(planes), TO_BGR_HD if hd else TO_BGR_SD)
    if frame.rotation:
        picture = cv2.rotate(picture, ROTATE_CODES[frame.rotation])
    return np.asarray(picture, np.uint8)


def _shrink(plane: NDArray[Any], size: tuple[int, int], shift_bits: int) -> Picture:
    """In two steps, because averaging all of a large plane is four times dearer."""
    height, width = plane.shape
    between = fit(width, height, 2 * max(size))
    if between[0] < width:
        plane = cv2.resize(plane, between, interpolation=cv2.INTER_LINEAR)
    if shift_bits:
        plane = plane >> shift_bits
    grows = plane.shape[1] < size[0]
    kind = cv2.INTER_LINEAR if grows else cv2.INTER_AREA
    shrunk = cv2.resize(plane.astype(np.uint8, copy=False), size, interpolation=kind)
    return shrunk.astype(np.uint8, copy=False)


def _to_bgr(red: float, blue: float) -> NDArray[np.float64]:
    """The matrix from studio YUV to BGR; `red` and `blue` are the standard's weights of luma."""
    luma, chroma = 255 / 219, 255 / 112
    green = 1 - red - blue
    from_u, from_v = chroma * (1 - blue), chroma * (1 - red)
    rows = np.array(
        [
            [luma, from_u, 0.0],
            [luma, -from_u * blue / green, -from_v * red / green],
            [luma, 0.0, from_v],
        ]
    )
    offset = rows @ np.array([16.0, 128.0, 128.0])
    return np.hstack([rows, -offset[:, None]])


TO_BGR_HD = _to_bgr(0.2126, 0.0722)
TO_BGR_SD = _to_bgr(0.299, 0.114)
