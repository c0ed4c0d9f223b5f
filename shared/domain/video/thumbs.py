"""How different two frames are, measured on their 48x27 thumbnails."""

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.domain.video.pictures import THUMB_HEIGHT, THUMB_WIDTH, Picture

Floats = NDArray[np.float32]
Thumbs = NDArray[np.uint8]

LUMA_WEIGHT, CHROMA_WEIGHT = 0.6, 1.2
HISTOGRAM_BINS = 16
# What the coding of a still picture changes from frame to frame stays below.
CHANGED_LEVELS = 8
BLACK_LEVEL = 24
# A line of a caption, with its box, covers at most this share of the picture's lines.
CAPTION_SHARE = 1 / 3
BLOCK_FRAMES = 1024
CELLS_HIGH, CELLS_WIDE = THUMB_HEIGHT // 3, THUMB_WIDTH // 4


def distances(before: Thumbs, after: Thumbs) -> Floats:
    """How different frames are, pair by pair: 0.6 |dY| + 1.2 |dUV|, scaled by their histograms.

    The histogram hardly changes when a camera or a thing moves, and much at a cut.
    """
    return _distances(before, after, _histograms(after) - _histograms(before))


def _distances(before: Thumbs, after: Thumbs, moved: Floats) -> Floats:
    pixels = THUMB_HEIGHT * THUMB_WIDTH
    apart = cv2.absdiff(after.reshape(-1, pixels), before.reshape(-1, pixels))
    step = cv2.reduce(apart, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).reshape(-1, 3)
    raw = LUMA_WEIGHT * step[:, 0] + CHROMA_WEIGHT * (step[:, 1] + step[:, 2]) / 2
    change = np.abs(moved).sum(axis=1) / 2
    return np.asarray(raw * (0.4 + 1.2 * np.sqrt(change)), dtype=np.float32)


def histogram_change(before: Picture, after: Picture) -> float:
    """How much of the brightness histogram moved, 0-1; a camera that moves changes it little."""
    return float(np.abs(_histograms(after[None]) - _histograms(before[None])).sum() / 2)


def _shared_bins() -> Floats:
    """How a level of brightness counts in the bins, (256, 16).

    Each value is shared between its two nearest bins, so that a small change of brightness is a
    small change of the histogram.
    """
    place = np.arange(256) / (256 / (HISTOGRAM_BINS - 1))
    shares = 1 - np.abs(place[:, None] - np.arange(HISTOGRAM_BINS))
    return np.asarray(np.maximum(0, shares), dtype=np.float32)


SHARED_BINS = _shared_bins()


def _histograms(thumbs: Thumbs) -> Floats:
    """Brightness histograms with 16 bins, (frames, 16), each adding up to 1."""
    luma = thumbs[:, 0].reshape(len(thumbs), -1)
    levels = luma + (np.arange(len(thumbs)) * 256)[:, None]
    counts = np.bincount(levels.ravel(), minlength=len(thumbs) * 256).reshape(-1, 256)
    return np.asarray(counts.astype(np.float32) @ SHARED_BINS / luma.shape[1])


def step_distances(thumbs: Thumbs) -> Floats:
    """The distance of each frame but the first from the one before it, (frames - 1,)."""
    firsts = range(0, len(thumbs) - 1, BLOCK_FRAMES)
    parts = [thumbs[first : first + BLOCK_FRAMES + 1] for first in firsts]
    return np.concatenate(
        [_distances(part[:-1], part[1:], np.diff(_histograms(part), axis=0)) for part in parts]
    )


def changed_share(before: Picture, after: Picture) -> float:
    """How much of the picture changed, 0-1, black bars and the place of a caption left out.

    A thing that crosses the picture, or a caption, changes a part; another shot changes most.
    """
    step = np.abs(after.astype(np.int16) - before).max(axis=0)
    lit = np.maximum(after[0], before[0]) > BLACK_LEVEL
    changed = lit & (step > CHANGED_LEVELS)
    # A dark picture has few lit places, and a caption on it would be most of them.
    quiet = np.argsort(changed.sum(axis=1), kind="stable")[: round((1 - CAPTION_SHARE) * len(lit))]
    shares = [
        changed[rows].sum() / lit[rows].sum() for rows in (slice(None), quiet) if lit[rows].any()
    ]
    return float(min(shares, default=0.0))


def correlation(first: Picture, last: Picture) -> float:
    """How alike two brightness pictures are whatever the light, -1 to 1."""
    a, b = first - first.mean(), last - last.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))


def cells_of(thumbs: Thumbs) -> Floats:
    """The means of 3x4 places, (frames, 324): small movements hardly change them."""
    parts = thumbs.reshape(len(thumbs), 3, CELLS_HIGH, 3, CELLS_WIDE, 4)
    return np.asarray(parts.mean(axis=(3, 5), dtype=np.float32).reshape(len(thumbs), -1))
