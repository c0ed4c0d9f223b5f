"""What clips are filtered by, as one row of numbers a clip; NaN, -1 and code 0 are unknown."""

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from shared.clip_models import Clip, ClipFilter

ROW = np.dtype(
    [
        ("score", "<f4"),
        ("predicted_ctr", "<f4"),
        ("start_seconds", "<f4"),
        ("seconds", "<f4"),
        ("made_at", "<f8"),
        ("hook_type", "<u4"),
        ("platform", "<u4"),
        ("language", "<u4"),
        ("video_id", "<u4"),
        ("has_face", "i1"),
        ("has_vector", "i1"),
    ]
)
TEXTS = ("hook_type", "platform", "language", "video_id")

Mask = NDArray[np.bool_]


class Codes:
    """A number for each text of a column, from 1; `new` are those that are not stored yet."""

    def __init__(self, stored: Iterable[tuple[str, str, int]]) -> None:
        self._codes = {(column, text): code for column, text, code in stored}
        self._counts = {
            column: sum(1 for held, _ in self._codes if held == column) for column in TEXTS
        }
        self.new: list[tuple[str, str, int]] = []

    def of(self, column: str, text: str | None) -> int:
        """The code of a text, a new one when it has none; 0 for unknown."""
        if not text:
            return 0
        if (column, text) not in self._codes:
            self._counts[column] += 1
            self._codes[column, text] = self._counts[column]
            self.new.append((column, text, self._counts[column]))
        return self._codes[column, text]

    def known(self, column: str, texts: Iterable[str]) -> list[int]:
        """The codes of those texts that any clip has."""
        return [self._codes[column, t] for t in texts if (column, t) in self._codes]


def row_of(clip: Clip, codes: Codes, *, has_vector: bool) -> tuple[float, ...]:
    """A clip as one row."""
    return (
        math.nan if clip.score is None else clip.score,
        math.nan if clip.predicted_ctr is None else clip.predicted_ctr,
        clip.start_seconds,
        clip.seconds,
        clip.made_at.timestamp(),
        codes.of("hook_type", clip.hook_type),
        codes.of("platform", clip.platform),
        codes.of("language", clip.language),
        codes.of("video_id", clip.video_id),
        -1 if clip.has_face is None else int(clip.has_face),
        int(has_vector),
    )


def mask_of(rows: NDArray[np.void], passing: ClipFilter, codes: Codes) -> Mask:
    """Which rows meet every condition; what is unknown meets none.

    Bounds are compared in the precision of the rows, so that a clip meets its own value.
    """
    mask: Mask = np.ones(len(rows), np.bool_)
    for column, least in (
        ("score", passing.min_score),
        ("predicted_ctr", passing.min_predicted_ctr),
        ("seconds", passing.min_seconds),
        ("start_seconds", passing.from_seconds),
        ("made_at", passing.since.timestamp() if passing.since else None),
    ):
        if least is not None:
            mask &= rows[column] >= rows[column].dtype.type(least)
    for column, most in (("seconds", passing.max_seconds), ("start_seconds", passing.to_seconds)):
        if most is not None:
            mask &= rows[column] <= rows[column].dtype.type(most)
    if passing.until is not None:
        mask &= rows["made_at"] < passing.until.timestamp()
    for column, wanted in (
        ("hook_type", passing.hook_types),
        ("platform", passing.platforms),
        ("language", passing.languages),
        ("video_id", None if passing.video_id is None else {passing.video_id}),
    ):
        if wanted is not None:
            mask &= np.isin(rows[column], codes.known(column, wanted))
    if passing.has_face is not None:
        mask &= rows["has_face"] == int(passing.has_face)
    return mask
