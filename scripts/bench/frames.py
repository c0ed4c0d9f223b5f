"""Draws the frames of an edit from the footage of the sample ad: crops, blends, captions, grain."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from scripts.bench.edit import Edit, Shot

Plane = NDArray[np.uint8]
Planes = tuple[Plane, Plane, Plane]

GRAIN_LEVELS = 3.0
GRAIN_SHEETS = 8
GRAIN_ROOM = 64
FLASH = (0.6, 1.0, 0.5)
CAPTIONS = ("NEW IN", "NO MORE WAITING", "SEE IT MOVE", "LOVED BY 10 000", "ONLY TODAY", "-30 %")
BUTTON = "SHOP NOW"


def read_footage(sample: Path) -> list[Planes]:
    """Every frame of the sample as its three planes, Y at full size, U and V at half."""
    import av

    with av.open(str(sample)) as container:
        return [
            _planes(np.asarray(frame.to_ndarray(), np.uint8)) for frame in container.decode(video=0)
        ]


def _planes(stacked: Plane) -> Planes:
    """The planes of a yuv420p frame as PyAV stacks them: Y over U over V, (1.5 height, width)."""
    height, width = stacked.shape[0] * 2 // 3, stacked.shape[1]
    chroma = stacked[height:].reshape(2, height // 2, width // 2)
    return stacked[:height], chroma[0], chroma[1]


def draw_frames(edit: Edit, footage: list[Planes]) -> Iterator[Plane]:
    """Each frame of the ad as PyAV takes it, (1.5 height, width)."""
    cv2.setNumThreads(1)
    draw = np.random.default_rng(edit.frames)
    grain = _grain_sheets(edit, draw)
    words = {shot: _word_mask(edit, shot) for shot in edit.shots}
    stacked = np.empty((edit.height * 3 // 2, edit.width), np.uint8)
    for index in range(edit.frames):
        here = [shot for shot in edit.shots if shot.start <= index < shot.end]
        shown = [_see(edit, shot, footage, index) for shot in here]
        for shot, planes in zip(here, shown, strict=True):
            _write(planes, words[shot])
        planes = shown[0] if len(shown) == 1 else _dissolve(here, shown, index)
        planes = _dim(planes, _light(edit, index))
        for shot in here:
            if shot.flash_at is not None and index - shot.flash_at in range(len(FLASH)):
                planes = _flash(planes, FLASH[index - shot.flash_at])
        for target, plane in zip(_planes(stacked), planes, strict=True):
            target[:] = plane
        _add_grain(stacked[: edit.height], grain[index % GRAIN_SHEETS], draw)
        yield stacked


def _see(edit: Edit, shot: Shot, footage: list[Planes], index: int) -> Planes:
    """The footage of a shot on frame `index`, cropped and scaled to the ad's size."""
    first, last = shot.footage.start, shot.footage.end - 1
    at = (index - shot.start) * shot.speed
    # Footage that is too short is played to and fro.
    at = abs((at + last - first) % (2 * (last - first)) - (last - first)) if last > first else 0
    now = first + int(at)
    share = at - int(at)
    window = _window(edit, shot, index, footage[now][0].shape)
    planes = [
        one if share < 0.01 else _mix(one, other, share)
        for one, other in zip(footage[now], footage[min(now + 1, last)], strict=True)
    ]
    y, u, v = (
        _scale(plane, window, (edit.width // step, edit.height // step), step)
        for plane, step in zip(planes, (1, 2, 2), strict=True)
    )
    return y, u, v


def _window(edit: Edit, shot: Shot, index: int, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """The affine map from pixels of the ad to pixels of the footage, 2x3."""
    height, width = shape[0] * shot.footage.clean_height, shape[1]
    scale = min(width / edit.width, height / edit.height) / shot.zoom
    done = (index - shot.start) / (shot.end - shot.start)
    (x0, y0), (x1, y1) = shot.place
    left = (width - scale * edit.width) * (x0 + done * (x1 - x0))
    top = (height - scale * edit.height) * (y0 + done * (y1 - y0))
    if shot.mirrored:
        return np.array([[-scale, 0, left + scale * (edit.width - 1)], [0, scale, top]])
    return np.array([[scale, 0, left], [0, scale, top]])


def _scale(plane: Plane, window: NDArray[np.float64], size: tuple[int, int], step: int) -> Plane:
    moved = window.copy()
    moved[:, 2] /= step
    how = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR
    return np.asarray(
        cv2.warpAffine(plane, moved, size, flags=how, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _mix(one: Plane, other: Plane, share: float) -> Plane:
    """On the straight line from one picture (share 0) to another (1)."""
    return np.asarray(cv2.addWeighted(one, 1 - share, other, share, 0), np.uint8)


def _towards(plane: Plane, level: int, share: float) -> Plane:
    """On the straight line from a picture (share 0) to one flat level (1)."""
    return np.asarray(cv2.addWeighted(plane, 1 - share, plane, 0, share * level), np.uint8)


def _dissolve(here: list[Shot], shown: list[Planes], index: int) -> Planes:
    """Two shots that overlap: the straight line from one to the other."""
    start, end = here[1].start, here[0].end
    share = (index - start + 1) / (end - start + 1)
    y, u, v = (_mix(one, other, share) for one, other in zip(shown[0], shown[1], strict=True))
    return y, u, v


def _light(edit: Edit, index: int) -> float:
    """How bright a frame is: 1, less inside a fade, 0 where it ends."""
    for change in edit.transitions:
        inside = change.start_frame <= index <= change.end_frame
        if change.kind in ("fade_in", "fade_out") and inside:
            length = change.end_frame - change.start_frame + 1
            share = (index - change.start_frame + 1) / length
            return share if change.kind == "fade_in" else 1 - share
    return 1.0


def _dim(planes: Planes, light: float) -> Planes:
    """Nearer to black, as editors fade: in the limited range 16 is black, 128 no colour."""
    if light >= 1:
        return planes
    y, u, v = (
        _towards(plane, zero, 1 - light) for plane, zero in zip(planes, (16, 128, 128), strict=True)
    )
    return y, u, v


def _flash(planes: Planes, share: float) -> Planes:
    y, u, v = (
        _towards(plane, white, share) for plane, white in zip(planes, (235, 128, 128), strict=True)
    )
    return y, u, v


def _word_mask(edit: Edit, shot: Shot) -> tuple[slice, Plane, Plane] | None:
    """Rows, brightness and coverage of a shot's caption; None when it has none."""
    closing = shot is edit.shots[-1]
    if shot.caption is None and not closing:
        return None
    text = BUTTON if closing else CAPTIONS[(shot.caption or 0) % len(CAPTIONS)]
    size = min(edit.width, edit.height) / 540
    thick = round(2 * size)
    font = cv2.FONT_HERSHEY_DUPLEX
    (wide, high), _ = cv2.getTextSize(text, font, size, thick)
    top = int(0.8 * edit.height) - high
    rows = slice(top, top + 3 * high)
    bright = np.full((3 * high, edit.width), 16, np.uint8)
    cover = np.zeros_like(bright)
    at = ((edit.width - wide) // 2, 2 * high)
    if closing:
        cover[high // 3 : -high // 3, at[0] - high : at[0] + wide + high] = 255
    else:
        cv2.putText(cover, text, at, font, size, 255, 3 * thick, cv2.LINE_AA)
    cv2.putText(bright, text, at, font, size, 235, thick, cv2.LINE_AA)
    return rows, bright, cover


def _write(planes: Planes, words: tuple[slice, Plane, Plane] | None) -> None:
    """Put a caption on a frame, in place."""
    if words is None:
        return
    rows, bright, cover = words
    cv2.copyTo(bright, cover, planes[0][rows])


def _grain_sheets(edit: Edit, draw: np.random.Generator) -> list[tuple[Plane, Plane]]:
    """Camera noise as what it adds and what it takes away, somewhat larger than the frame."""
    shape = (edit.height + GRAIN_ROOM, edit.width + GRAIN_ROOM)
    sheets = []
    for _ in range(GRAIN_SHEETS):
        noise = np.rint(draw.normal(0, GRAIN_LEVELS, shape))
        more, less = np.clip(noise, 0, 255), np.clip(-noise, 0, 255)
        sheets.append((more.astype(np.uint8), less.astype(np.uint8)))
    return sheets


def _add_grain(luma: Plane, sheet: tuple[Plane, Plane], draw: np.random.Generator) -> None:
    top, left = draw.integers(0, GRAIN_ROOM, 2)
    height, width = luma.shape
    more, less = (part[top : top + height, left : left + width] for part in sheet)
    cv2.add(luma, more, dst=luma)
    cv2.subtract(luma, less, dst=luma)
