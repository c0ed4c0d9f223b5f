"""Which parts of a picture hold writing that nobody has read yet, told from edges alone.

Writing on screen is a dense thicket of strong edges that stands still while what lies behind it
moves. A tile is worth reading when it has many edges, the same as one sample before, and others
than when it was read last.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.video.pictures import Picture

Edges = NDArray[np.bool_]
Tiles = NDArray[np.bool_]

# Edge pictures are this long; a tile is what a letter of readable size fills.
GATE_SIDE = 384
TILE = 8
# Contrast of a stroke against its surroundings, in the picture's 0-255.
MIN_EDGE = 45
MIN_TILE_SHARE = 0.22
SAME_TILE_SHARE = 0.6
# Writing is made to be seen: it has more contrast than nature, or denser edges. Of 325 standing
# regions of ads and films, those with text had 108-164 or a share of 0.44-0.8, others less.
STRONG_CONTRAST = 95.0
STRONG_SHARE = 0.5
STRONG_TILES = 0.5
# Faint writing is told by its shape: long, low and full.
LINE_TILES_WIDE, LINE_TILES_HIGH, LINE_FILL = 6, 8, 0.6
# Less than three letters side by side is no line.
MIN_TILES = 3
MIN_TILES_WIDE = 3
MARGIN_TILES = 2
WHOLE_SHARE = 0.6
KERNEL = np.ones((3, 5), np.uint8)
NEIGHBOURS = np.ones((3, 3), np.uint8)


class Region(NamedTuple):
    """A rectangle in fractions of the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Share of the picture."""
        return (self.right - self.left) * (self.bottom - self.top)

    def meets(self, other: "Region") -> bool:
        """Whether the two have a point in common."""
        across = self.left <= other.right and other.left <= self.right
        return across and self.top <= other.bottom and other.top <= self.bottom

    def joined(self, other: "Region") -> "Region":
        """The smallest region that holds both."""
        return Region(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


WHOLE = Region(0.0, 0.0, 1.0, 1.0)


def contrast_of(picture: Picture) -> Picture:
    """By how much brightness changes within two pixels, same shape as `picture`."""
    return np.asarray(cv2.morphologyEx(picture, cv2.MORPH_GRADIENT, NEIGHBOURS), np.uint8)


class TextGate:
    """Sees contrast pictures of one size in order of time, and says what to read.

    `doubtful` is whether the last picture has standing or moving edges that were not read and
    might be writing, though they do not look like it.
    """

    def __init__(self) -> None:
        self._last: Edges | None = None
        self._read: Edges | None = None
        self.doubtful = False

    def changed(self, contrast: Picture) -> tuple[list[Region], Edges]:
        """The regions with standing, unread writing, which counts as read from now on; edges."""
        edges = np.asarray(contrast > MIN_EDGE)
        if self._last is None or self._read is None or self._last.shape != edges.shape:
            self._last, self._read = edges, np.zeros_like(edges)
            return [], edges
        standing = edges & self._last
        share = _per_tile(standing)
        dense = share >= MIN_TILE_SHARE
        unread = dense & (_share(standing & self._read, standing | self._read) < SAME_TILE_SHARE)
        moving = (_per_tile(edges) >= MIN_TILE_SHARE) & ~dense
        self.doubtful = int(unread.sum()) + int(moving.sum()) >= 2 * MIN_TILES
        self._last = edges
        strong = unread & ((share >= STRONG_SHARE) | (_mean(contrast, standing) >= STRONG_CONTRAST))
        if int(unread.sum()) < MIN_TILES:
            return [], edges
        regions = _regions(dense, unread, strong)
        for region in regions:
            _copy(standing, self._read, region)
        return regions, edges

    def forget(self, regions: list[Region]) -> None:
        """What is in these regions counts as unread: they are asked for again while it stands."""
        if self._read is not None:
            nothing = np.zeros_like(self._read)
            for region in regions:
                _copy(nothing, self._read, region)

    def all_read(self) -> None:
        """The whole of the last picture counts as read."""
        self._read = None if self._last is None else self._last.copy()
        self.doubtful = False


def _per_tile(edges: Edges) -> NDArray[np.float32]:
    """The share of edge pixels in each tile."""
    return np.asarray(_counts(edges) / np.float32(TILE * TILE), np.float32)


def _share(part: Edges, whole: Edges) -> NDArray[np.float32]:
    """For each tile, how much of `whole` is in `part`."""
    return np.asarray(_counts(part) / np.maximum(_counts(whole), 1), np.float32)


def _counts(edges: Edges) -> NDArray[np.float32]:
    """How many edge pixels each tile has."""
    return np.rint(_sums(edges.view(np.uint8)))


def _sums(picture: Picture) -> NDArray[np.float32]:
    """The sum over each tile; averaging by shrinking is a tenth of the price of adding up."""
    rows, columns = (side // TILE for side in picture.shape)
    if not rows or not columns:
        return np.zeros((rows, columns), np.float32)
    whole = picture[: rows * TILE, : columns * TILE].astype(np.float32)
    means = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
    return np.asarray(means * np.float32(TILE * TILE), np.float32)


def _mean(contrast: Picture, edges: Edges) -> NDArray[np.float32]:
    """The mean contrast of the edges in each tile, 0 where there are none."""
    return np.asarray(_sums(contrast * edges) / np.maximum(_counts(edges), 1), np.float32)


def _regions(dense: Tiles, unread: Tiles, strong: Tiles) -> list[Region]:
    """Groups of dense tiles whose unread ones look like writing, with a margin, merged."""
    # A line is a row of tiles with gaps between words; rows of one block belong together.
    joined = cv2.morphologyEx(dense.astype(np.uint8), cv2.MORPH_CLOSE, KERNEL)
    count, labels, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=8)
    fresh = np.bincount(labels[unread], minlength=count)
    sure = np.bincount(labels[strong], minlength=count)
    rows, columns = dense.shape
    found: list[Region] = []
    for label in range(1, count):
        left, top, width, height, size = (int(n) for n in boxes[label])
        if fresh[label] < MIN_TILES or width < MIN_TILES_WIDE:
            continue
        like_a_line = width >= LINE_TILES_WIDE and 2 * height <= width
        like_a_line &= height <= LINE_TILES_HIGH and size >= LINE_FILL * width * height
        if sure[label] < STRONG_TILES * fresh[label] and not like_a_line:
            continue
        region = Region(
            max(0.0, (left - MARGIN_TILES) / columns),
            max(0.0, (top - MARGIN_TILES) / rows),
            min(1.0, (left + width + MARGIN_TILES) / columns),
            min(1.0, (top + height + MARGIN_TILES) / rows),
        )
        found = _merge(found, region)
    return [WHOLE] if sum(region.area for region in found) > WHOLE_SHARE else found


def _merge(regions: list[Region], region: Region) -> list[Region]:
    apart = [other for other in regions if not other.meets(region)]
    for other in regions:
        if other.meets(region):
            region = region.joined(other)
    # What grew may meet others now.
    return [*apart, region] if len(apart) == len(regions) else _merge(apart, region)


def _copy(source: Edges, target: Edges, region: Region) -> None:
    height, width = source.shape
    top, bottom = int(region.top * height), int(np.ceil(region.bottom * height))
    left, right = int(region.left * width), int(np.ceil(region.right * width))
    target[top:bottom, left:right] = source[top:bottom, left:right]
