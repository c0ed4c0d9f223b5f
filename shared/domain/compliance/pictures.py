"""How a video opens, and whether black bars frame it, told from small pictures."""

import cv2
import numpy as np

from shared.domain.video.pictures import ROTATE_CODES, Look, Picture

# Studio black is 16; coding noise stays below this.
BLACK_LEVEL = 32
BLACK_SHARE = 0.98
CHANGED_LEVELS = 14
CHANGED_SHARE = 0.004
OPENING_SECONDS = 12.0

BARS_EVERY_SECONDS = 0.5
MAX_BAR_SAMPLES = 120
BAR_ROW_SHARE = 0.97
EDGE_SHARE = 0.5
EDGE_ROWS = 6
MIN_BAR_ROWS = 4


class OpeningDetector:
    """How long the beginning is black, and how long nothing changes after that, in seconds."""

    def __init__(self) -> None:
        self._begin: float | None = None
        self._shown_at: float | None = None
        self._moved_at: float | None = None
        self._first: Picture | None = None
        self._last = 0.0

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame; looks no further once the picture has changed."""
        self._begin = at if self._begin is None else self._begin
        self._last = at
        if self._moved_at is not None or at > self._begin + OPENING_SECONDS:
            return
        picture = frame.flow_picture
        if self._first is None:
            if float((picture <= BLACK_LEVEL).mean()) < BLACK_SHARE:
                self._shown_at, self._first = at, picture.copy()
        elif self._changed(picture):
            self._moved_at = at

    def _changed(self, picture: Picture) -> bool:
        assert self._first is not None
        if picture.shape != self._first.shape:
            return True
        return float((cv2.absdiff(picture, self._first) > CHANGED_LEVELS).mean()) > CHANGED_SHARE

    def result(self) -> dict[str, float]:
        """`black` and `frozen` seconds; what lasts longer than 12 s counts 12."""
        begin = self._begin or 0.0
        end = min(self._last, begin + OPENING_SECONDS)
        if self._shown_at is None:
            return {"black": round(end - begin, 3), "frozen": 0.0}
        moved = end if self._moved_at is None else self._moved_at
        black, frozen = self._shown_at - begin, moved - self._shown_at
        return {"black": round(black, 3), "frozen": round(max(0.0, frozen), 3)}


class BarsDetector:
    """The share of the picture's height or width that black bars take, over sampled frames."""

    def __init__(self) -> None:
        self._next = float("-inf")
        self._samples: list[tuple[float, float]] = []

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, a few of a second."""
        if at < self._next or len(self._samples) >= MAX_BAR_SAMPLES:
            return
        self._next = at + BARS_EVERY_SECONDS
        picture = frame.middle
        if frame.rotation:
            picture = np.asarray(cv2.rotate(picture, ROTATE_CODES[frame.rotation]), np.uint8)
        dark = picture <= BLACK_LEVEL
        if float(dark.mean()) < BLACK_SHARE:
            self._samples.append((bars_of(dark), bars_of(dark.T)))

    def result(self) -> dict[str, float]:
        """`rows` and `columns`: shares of height and width, 0 without bars on both sides."""
        if not self._samples:
            return {"rows": 0.0, "columns": 0.0}
        # Words over the bars, or a dark scene, hide their edges now and then.
        rows, columns = np.quantile(np.array(self._samples), 0.5, axis=0)
        return {"rows": round(float(rows), 4), "columns": round(float(columns), 4)}


def bars_of(dark: np.ndarray) -> float:
    """The share of rows in bars at the top and bottom of a mask of dark pixels; 0 without both.

    A bar ends at a straight line across the picture; a thing on a black ground does not.
    """
    share = dark.mean(axis=1)
    top, bottom = _bar(share), _bar(share[::-1])
    if min(top, bottom) < MIN_BAR_ROWS:
        return 0.0
    return (top + bottom) / len(share)


def _bar(share: np.ndarray) -> int:
    """How many rows from the first on are dark, when the next ones are suddenly not."""
    light = np.flatnonzero(share < BAR_ROW_SHARE)
    if not len(light):
        return 0
    rows = int(light[0])
    beyond = share[rows : rows + EDGE_ROWS]
    return rows if float(beyond.min()) <= 1 - EDGE_SHARE else 0
