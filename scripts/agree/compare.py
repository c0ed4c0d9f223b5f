"""Two answers to one question: how far apart they are."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float, float, float]
SAME_LINE_IOU = 0.3


@dataclass(frozen=True)
class Line:
    """A line that was read: left, top, right, bottom in pixels, and its text."""

    place: Place
    text: str


@dataclass(frozen=True)
class LinesCompared:
    """Lines of both on all pictures; texts of lines at one place are compared, boxes too."""

    pairs: int
    same: int
    only_ours: int
    only_theirs: int
    edits: int
    letters: int
    ious: tuple[float, ...]

    @property
    def error_rate(self) -> float:
        """Edits from their letters to ours, over their letters; a line of one side counts whole."""
        return self.edits / max(1, self.letters)

    @property
    def equal_share(self) -> float:
        """Lines with the same text among all lines of either."""
        return self.same / max(1, self.pairs + self.only_ours + self.only_theirs)

    @property
    def mean_iou(self) -> float:
        """How much boxes of one line share, on average."""
        return float(np.mean(self.ious)) if self.ious else 0.0


def compare_lines(
    ours: Sequence[Sequence[Line]], theirs: Sequence[Sequence[Line]]
) -> LinesCompared:
    """The lines of each picture, matched by their boxes, the most alike first."""
    pairs: list[tuple[Line, Line, float]] = []
    alone: list[list[Line]] = [[], []]
    for own, other in zip(ours, theirs, strict=True):
        matched, left, right = match(own, other)
        pairs += matched
        alone[0] += left
        alone[1] += right
    edits = sum(edit_distance(a.text, b.text) for a, b, _ in pairs)
    edits += sum(len(line.text) for side in alone for line in side)
    return LinesCompared(
        pairs=len(pairs),
        same=sum(a.text == b.text for a, b, _ in pairs),
        only_ours=len(alone[0]),
        only_theirs=len(alone[1]),
        edits=edits,
        letters=sum(len(line.text) for lines in theirs for line in lines),
        ious=tuple(iou for _, _, iou in pairs),
    )


def match(
    ours: Sequence[Line], theirs: Sequence[Line]
) -> tuple[list[tuple[Line, Line, float]], list[Line], list[Line]]:
    """Pairs with their overlap, and what is left of either side."""
    all_pairs = [
        (overlap(a.place, b.place), i, j) for i, a in enumerate(ours) for j, b in enumerate(theirs)
    ]
    used: tuple[set[int], set[int]] = (set(), set())
    pairs = []
    for iou, i, j in sorted(all_pairs, reverse=True):
        if iou >= SAME_LINE_IOU and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
            pairs.append((ours[i], theirs[j], iou))
    left = [line for i, line in enumerate(ours) if i not in used[0]]
    return pairs, left, [line for j, line in enumerate(theirs) if j not in used[1]]


def overlap(a: Place, b: Place) -> float:
    """Shared area over joint area of two boxes, 0-1."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def edit_distance(a: Sequence[Hashable], b: Sequence[Hashable]) -> int:
    """Insertions, deletions and replacements from one to the other (Levenshtein, 1966)."""
    before = list(range(len(b) + 1))
    for row, left in enumerate(a, 1):
        now = [row]
        for column, right in enumerate(b, 1):
            replaced = before[column - 1] + (left != right)
            now.append(min(replaced, before[column] + 1, now[-1] + 1))
        before = now
    return before[-1]


def vector_difference(
    ours: NDArray[np.float32], theirs: NDArray[np.float32]
) -> tuple[float, float]:
    """The largest difference of an element, and of the two sides' cosines between all texts."""
    cosines = ours @ ours.T - theirs @ theirs.T
    return float(np.abs(ours - theirs).max()), float(np.abs(cosines).max())
