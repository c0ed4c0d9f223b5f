"""The contact sheet: one frame a shot with its number, time and length, as a JPEG."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

import cv2
import numpy as np

from shared.domain.video.colours import colour_picture
from shared.domain.video.pictures import Look, Picture
from shared.models import Analysis, Shot

# Every so often, and when the picture changed, one small picture is kept.
KEEP_SECONDS, MIN_GAP_SECONDS = 0.5, 0.1
CHANGED_LEVELS = 12.0
TILE_SIDE, JPEG_QUALITY = 240, 88
MOST_TILES, FEWEST_TILES = 60, 6
SHEET_WIDTH = 1260
GAP, LABEL_HEIGHT = 12, 30
PAPER, INK, FAINT_INK, BLANK = (28, 24, 22), (240, 240, 240), (165, 160, 155), (52, 46, 42)
FONT = cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True)
class Kept:
    """A small picture of a frame, as JPEG, so that memory hardly grows with length."""

    frame: int
    at_seconds: float
    jpeg: bytes


@dataclass(frozen=True)
class Tile:
    """What is drawn at one place: a picture and two words about it."""

    title: str
    note: str
    picture: Picture | None


class Album:
    """Keeps small pictures during the one decode, enough that each shot has one."""

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
        small = colour_picture(frame, TILE_SIDE)
        jpeg: Any = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        self._kept.append(Kept(frame.index, at, jpeg.tobytes()))

    def result(self) -> list[Kept]:
        """The pictures that were kept, in order of display."""
        return self._kept


def _changed(before: Picture, after: Picture) -> bool:
    difference = cv2.norm(before.reshape(-1, 1), after.reshape(-1, 1), cv2.NORM_L1)
    return difference / before.size > CHANGED_LEVELS


def draw_contact_sheet(kept: Sequence[Kept], report: Analysis) -> bytes:
    """The sheet as JPEG: a tile a shot, more of a shot when there are few, at most 60 in all.

    `kept` are numbered and timed as the report's shots are.
    """
    shots, hdr = report.shots, report.media.hdr
    first = shots[0].start_seconds if shots else 0.0
    shown = choose_shots(shots)
    parts = ceil(FEWEST_TILES / max(1, len(shots)))
    tiles = [
        _tile(kept, shots[number], number, (part + 0.5) / parts, first, hdr)
        for number in shown
        for part in range(parts)
    ]
    tiles = _without_repeats(tiles)
    left_out = len(shots) - len(shown)
    footer = f"{len(shown)} of {len(shots)} shots" if left_out else ""
    sheet = _lay_out(tiles, footer)
    jpeg: Any = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
    return bytes(jpeg.tobytes())


def choose_shots(shots: Sequence[Shot]) -> list[int]:
    """The numbers of the shots to show: all, or 60 spread evenly with the first and the last."""
    if len(shots) <= MOST_TILES:
        return list(range(len(shots)))
    step = (len(shots) - 1) / (MOST_TILES - 1)
    return [round(i * step) for i in range(MOST_TILES)]


def _tile(
    kept: Sequence[Kept], shot: Shot, number: int, place: float, first: float, hdr: bool
) -> Tile:
    """The kept picture nearest to a place (0-1) within the shot."""
    wanted = shot.start_seconds + place * (shot.end_seconds - shot.start_seconds)
    inside = [k for k in kept if shot.start_frame <= k.frame < shot.end_frame]
    best = min(inside, key=lambda k: abs(k.at_seconds - wanted), default=None)
    at = (best.at_seconds if best else shot.start_seconds) - first
    picture = None
    if best is not None:
        coded = np.frombuffer(best.jpeg, np.uint8)
        picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
        picture = _brighten(picture) if hdr else picture
    length = shot.end_seconds - shot.start_seconds
    return Tile(f"{number + 1}", f"{clock_of(at)}  {length:.1f} s", picture)


def _brighten(picture: Picture) -> Picture:
    """PQ and HLG look flat without their transfer: stretch to what a viewer expects."""
    low, high = (float(n) for n in np.percentile(picture, (1, 99)))
    stretched = (picture.astype(np.float32) - low) * (255 / max(32.0, high - low))
    return np.asarray(np.clip(stretched, 0, 255), np.uint8)


def _without_repeats(tiles: list[Tile]) -> list[Tile]:
    """Short shots have fewer pictures than places."""
    return [t for i, t in enumerate(tiles) if not i or (t.title, t.note) != _words(tiles[i - 1])]


def _words(tile: Tile) -> tuple[str, str]:
    return tile.title, tile.note


def clock_of(seconds: float) -> str:
    """`0:07.4`, minutes and seconds."""
    tenths = round(10 * max(0.0, seconds))
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _lay_out(tiles: Sequence[Tile], footer: str) -> Picture:
    """Rows of tiles of one size on dark paper."""
    height, width = _tile_size(tiles)
    columns = max(1, min(len(tiles), (SHEET_WIDTH - GAP) // (width + GAP), _columns(tiles, width)))
    rows = ceil(len(tiles) / columns)
    across, down = width + GAP, height + LABEL_HEIGHT + GAP
    sheet = np.empty((rows * down + GAP + 26 * bool(footer), columns * across + GAP, 3), np.uint8)
    sheet[:] = PAPER
    for i, tile in enumerate(tiles):
        left, top = GAP + i % columns * across, GAP + i // columns * down
        place = sheet[top : top + height, left : left + width]
        _draw_picture(place, tile.picture)
        label = top + height + 19
        cv2.putText(sheet, tile.title, (left, label), FONT, 0.5, INK, 1, cv2.LINE_AA)
        right = left + width - cv2.getTextSize(tile.note, FONT, 0.4, 1)[0][0]
        cv2.putText(sheet, tile.note, (right, label), FONT, 0.4, FAINT_INK, 1, cv2.LINE_AA)
    if footer:
        cv2.putText(
            sheet, footer, (GAP, sheet.shape[0] - 14), FONT, 0.42, FAINT_INK, 1, cv2.LINE_AA
        )
    return sheet


def _columns(tiles: Sequence[Tile], width: int) -> int:
    """As many that the sheet is about as wide as high for upright tiles, wider for others."""
    return max(3, ceil(sqrt(len(tiles) * (1.0 if width >= TILE_SIDE else 2.0))) + 1)


def _tile_size(tiles: Sequence[Tile]) -> tuple[int, int]:
    """Height and width of the largest picture, wide enough for its label."""
    sizes = [t.picture.shape[:2] for t in tiles if t.picture is not None] or [(135, TILE_SIDE)]
    return max(h for h, _ in sizes), max(120, *(w for _, w in sizes))


def _draw_picture(place: Picture, picture: Picture | None) -> None:
    place[:] = BLANK
    if picture is None:
        return
    height, width = picture.shape[:2]
    top, left = (place.shape[0] - height) // 2, (place.shape[1] - width) // 2
    place[top : top + height, left : left + width] = picture
