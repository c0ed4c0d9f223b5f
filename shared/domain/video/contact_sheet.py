"""The contact sheet: one frame a shot with its number, time and length, as a JPEG."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, log

import cv2
import numpy as np

from shared.domain.video.album import KEPT_SIDE, Kept, as_jpeg
from shared.domain.video.pictures import Picture
from shared.models import Analysis, Shot

MOST_SHOTS, FEWEST_TILES = 60, 6
SHEET_WIDTH, PAGE_SHAPE = 1260, 1.5
GAP, LABEL_HEIGHT, FOOTER_HEIGHT = 12, 30, 26
MIN_TILE_WIDTH, MIN_SHEET_WIDTH = 120, 340
LEGEND = "shot, time of the picture, length of the shot"
PAPER, INK, FAINT_INK, BLANK = (28, 24, 22), (240, 240, 240), (165, 160, 155), (52, 46, 42)
FONT = cv2.FONT_HERSHEY_DUPLEX


@dataclass(frozen=True)
class Tile:
    """One place on the sheet: the shot's number, when, a note, and a picture if there is one."""

    title: str
    note: str
    picture: Picture | None


def draw_contact_sheet(kept: Sequence[Kept], report: Analysis) -> bytes:
    """The sheet as JPEG: a tile a shot, more of a shot when there are few, at most 60 in all.

    `kept` are numbered and timed as the report's shots are.
    """
    shots = report.shots
    shown = choose_shots(shots)
    parts = ceil(FEWEST_TILES / max(1, len(shots)))
    first, tiles = shots[0].start_seconds, []
    for number in shown:
        strip: list[Kept | None] = [*choose_pictures(kept, shots[number], parts)]
        for picture in strip or [None]:
            tiles.append(_tile(number + 1, shots[number], picture, first, report.media.hdr))
    left_out = f"{len(shown)} of {len(shots)} shots; " if len(shown) < len(shots) else ""
    return as_jpeg(_lay_out(tiles, left_out + LEGEND))


def choose_shots(shots: Sequence[Shot]) -> list[int]:
    """The numbers of the shots to show: all, or 60 spread evenly with the first and the last."""
    if len(shots) <= MOST_SHOTS:
        return list(range(len(shots)))
    step = (len(shots) - 1) / (MOST_SHOTS - 1)
    return [round(i * step) for i in range(MOST_SHOTS)]


def choose_pictures(kept: Sequence[Kept], shot: Shot, parts: int) -> list[Kept]:
    """The pictures nearest to the middles of `parts` equal stretches of the shot, each once."""
    length = shot.end_seconds - shot.start_seconds
    wanted = [shot.start_seconds + (part + 0.5) / parts * length for part in range(parts)]
    inside = [k for k in kept if shot.start_frame <= k.frame < shot.end_frame]
    chosen = {min(inside, key=lambda k: abs(k.at_seconds - at)) for at in wanted} if inside else ()
    return sorted(chosen, key=lambda k: k.frame)


def _tile(number: int, shot: Shot, kept: Kept | None, first: float, hdr: bool) -> Tile:
    """A picture of a shot, `first` being when the video begins."""
    at = clock_of((kept.at_seconds if kept else shot.start_seconds) - first)
    note = f"{at}  {shot.end_seconds - shot.start_seconds:.1f} s"
    if kept is None:
        return Tile(str(number), note, None)
    coded = np.frombuffer(kept.jpeg, np.uint8)
    picture = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return Tile(str(number), note, _brighten(picture) if hdr else picture)


def _brighten(picture: Picture) -> Picture:
    """PQ and HLG look flat without their transfer: stretch to what a viewer expects."""
    low, high = (float(n) for n in np.percentile(picture, (1, 99)))
    stretched = (picture.astype(np.float32) - low) * (255 / max(32.0, high - low))
    return np.asarray(np.clip(stretched, 0, 255), np.uint8)


def clock_of(seconds: float) -> str:
    """`0:07.4`, minutes and seconds."""
    tenths = round(10 * max(0.0, seconds))
    return f"{tenths // 600}:{tenths % 600 / 10:04.1f}"


def _lay_out(tiles: Sequence[Tile], footer: str) -> Picture:
    """Rows of tiles of one size on dark paper, the footer below."""
    height, width = _tile_size(tiles)
    across, down = width + GAP, height + LABEL_HEIGHT + GAP
    columns = choose_columns(len(tiles), across, down)
    sheet_height = ceil(len(tiles) / columns) * down + GAP + FOOTER_HEIGHT
    sheet = np.empty((sheet_height, max(MIN_SHEET_WIDTH, columns * across + GAP), 3), np.uint8)
    sheet[:] = PAPER
    for i, tile in enumerate(tiles):
        left, top = GAP + i % columns * across, GAP + i // columns * down
        _draw_picture(sheet[top : top + height, left : left + width], tile.picture)
        baseline = top + height + LABEL_HEIGHT - 11
        _write(sheet, tile.title, (left, baseline), 0.5, INK)
        note_left = left + width - cv2.getTextSize(tile.note, FONT, 0.4, 1)[0][0]
        _write(sheet, tile.note, (note_left, baseline), 0.4, FAINT_INK)
    _write(sheet, footer, (GAP, sheet_height - 14), 0.4, FAINT_INK)
    return sheet


def _write(
    sheet: Picture, words: str, at: tuple[int, int], size: float, ink: tuple[int, int, int]
) -> None:
    cv2.putText(sheet, words, at, FONT, size, ink, 1, cv2.LINE_AA)


def choose_columns(count: int, width: int, height: int) -> int:
    """How many tiles stand side by side: few places stay empty and the sheet looks like a page."""

    def ugliness(columns: int) -> float:
        rows = ceil(count / columns)
        empty = (columns * rows - count) / count
        return empty + abs(log(columns * width / (rows * height * PAGE_SHAPE)))

    most = max(1, (SHEET_WIDTH - GAP) // (width + GAP))
    return min(range(1, min(count, most) + 1), key=ugliness)


def _tile_size(tiles: Sequence[Tile]) -> tuple[int, int]:
    """Height and width of the largest picture, wide enough for its label."""
    sizes = [t.picture.shape[:2] for t in tiles if t.picture is not None] or [
        (KEPT_SIDE * 9 // 16, KEPT_SIDE)
    ]
    return max(h for h, _ in sizes), max(MIN_TILE_WIDTH, *(w for _, w in sizes))


def _draw_picture(place: Picture, picture: Picture | None) -> None:
    place[:] = BLANK
    if picture is None:
        return
    height, width = picture.shape[:2]
    top, left = (place.shape[0] - height) // 2, (place.shape[1] - width) // 2
    place[top : top + height, left : left + width] = picture
