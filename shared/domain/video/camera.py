"""Whether a picture has only moved: what was in its middle is found again beside it."""

from dataclasses import dataclass

import cv2
import numpy as np

from shared.domain.video.pictures import THUMB_HEIGHT, THUMB_WIDTH, Picture
from shared.domain.video.thumbs import Floats, Thumbs

# The middle half of a picture: wherever it went by a quarter of the picture, all of it is there.
REACH_X, REACH_Y = THUMB_WIDTH // 4, THUMB_HEIGHT // 4
HALF_REACH = (REACH_X / 2, REACH_Y / 2)
MIDDLE = np.s_[REACH_Y : THUMB_HEIGHT - REACH_Y, REACH_X : THUMB_WIDTH - REACH_X]
# Shares of the middle's own variance, and of the difference at the old place. Pictures of other
# shots leave at least 0.6 of the variance, whatever their place; a turned camera 0.3.
MOVED_RESIDUAL, MOVED_GAIN = 0.35, 0.35
# In a whip the picture is smeared and new from step to step.
TRACKED_RESIDUAL, TRACKED_GAIN = 0.45, 0.5
# Of a slide that covers or uncovers another picture a smaller share moves along.
TRACKED_SHARE = 0.85
# A slide from one picture to another goes once over the frame, less its slow ends, and carries the
# border between them along; other lines of a picture are up to 1.6 times as sharp as most.
SLIDE_WAY = (0.75, 1.1)
SEAM_STRENGTH = 1.65
SEAM_EDGE = 4


@dataclass(frozen=True)
class Shift:
    """Where the middle of a picture is in the next, in thumbnail pixels, and how surely.

    `residual` is the squared difference there as a share of the middle's variance, `gain` as a
    share of that at the old place: 1 for a picture that has not moved.
    """

    x: float
    y: float
    residual: float
    gain: float


def find_shift(before: Picture, after: Picture) -> Shift:
    """The best place in `after` (3, 27, 48) for the middle of `before`, by squared difference."""
    left = np.zeros((2 * REACH_Y + 1, 2 * REACH_X + 1), np.float32)
    variance = 0.0
    for plane, next_plane in zip(before, after, strict=True):
        middle = np.ascontiguousarray(plane[MIDDLE])
        left += cv2.matchTemplate(np.ascontiguousarray(next_plane), middle, cv2.TM_SQDIFF)
        variance += float(middle.var()) * middle.size
    row, column = divmod(int(left.argmin()), left.shape[1])
    best = float(max(0.0, left[row, column]))
    return Shift(
        x=column - REACH_X + _vertex(left[row], column),
        y=row - REACH_Y + _vertex(left[:, column], row),
        residual=best / max(1.0, variance),
        gain=best / max(1.0, float(left[REACH_Y, REACH_X])),
    )


def _vertex(line: Floats, at: int) -> float:
    """How far the lowest point of the parabola through three values lies from the middle one."""
    if not 0 < at < len(line) - 1:
        return 0.0
    before, here, after = (float(v) for v in line[at - 1 : at + 2])
    return 0.5 * (before - after) / max(1e-6, before - 2 * here + after)


def has_moved(before: Picture, after: Picture) -> bool:
    """Whether `after` is `before` from a camera that turned in between, and no other shot."""
    shift = find_shift(before, after)
    return shift.residual < MOVED_RESIDUAL and shift.gain < MOVED_GAIN


def is_camera_move(thumbs: Thumbs, start: int, end: int) -> bool:
    """Whether the frames from `start` to `end` are one picture passing by.

    A slide from one picture to another passes by, too, but with a border in it.
    """
    steps = [find_shift(thumbs[i], thumbs[i + 1]) for i in range(start, end)]
    way = np.cumsum([(0.0, 0.0), *((s.x, s.y) for s in steps)], axis=0)
    if _tracked_share(thumbs[start : end + 1], way) < TRACKED_SHARE:
        return False
    return not _is_slide(thumbs[start : end + 1], way)


def _tracked_share(thumbs: Thumbs, way: Floats) -> float:
    """How much of the time the picture is found again where its small steps lead.

    Two frames are compared as soon as half of the reach lies between them: a dissolve hardly
    differs from step to step.
    """
    tracked = first = 0
    while first < len(way) - 1:
        far = (np.abs(way[first + 1 :] - way[first]) >= HALF_REACH).any(axis=1)
        last = first + 1 + (int(far.argmax()) if far.any() else len(far) - 1)
        shift = find_shift(thumbs[first], thumbs[last])
        if shift.residual < TRACKED_RESIDUAL and shift.gain < TRACKED_GAIN:
            tracked += last - first
        first = last
    return tracked / (len(way) - 1)


def _is_slide(thumbs: Thumbs, way: Floats) -> bool:
    """Whether a sharp line came in from the edge and went over the frame with the picture."""
    across = int(abs(way[-1][1]) > abs(way[-1][0]))
    size = (THUMB_WIDTH, THUMB_HEIGHT)[across]
    if not SLIDE_WAY[0] <= abs(float(way[-1][across])) / size <= SLIDE_WAY[1]:
        return False
    strengths = []
    for thumb, moved in zip(thumbs, way[:, across], strict=True):
        place = round(float(moved) % size)
        if SEAM_EDGE <= place <= size - SEAM_EDGE:
            steps = np.abs(np.diff(thumb.astype(np.int16), axis=2 - across)).sum(axis=0)
            lines = steps.mean(axis=across)
            here = float(lines[place - 2 : place + 2].max())
            strengths.append(here / max(1.0, float(np.median(lines))))
    return bool(strengths) and float(np.median(strengths)) >= SEAM_STRENGTH
