"""Fades, dissolves and moving transitions, found on thumbnails of all frames."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.camera import is_camera_move
from shared.domain.video.runs import find_runs
from shared.domain.video.thumbs import (
    BLOCK_FRAMES,
    Floats,
    Thumbs,
    cells_of,
    changed_share,
    correlation,
    histogram_change,
)
from shared.models import Transition

# Lengths that editors use; a longer one is found by its middle and then measured.
SPANS_SECONDS = (0.25, 0.4, 0.6, 0.9, 1.3, 2.0)
# Fewer frames have fewer than five between their ends, and anything seems to be on its way.
MIN_SPAN_FRAMES = 6
# A mean of levels of 256: a dissolve between two dark shots reaches it, noise and coding do not.
BLEND_MIN_DISTANCE = 7.0
# How far frames may leave the space between both ends, as a share of the whole change: what moves
# within the shots of a dissolve or wipe. Two levels are rounding and coding.
BLEND_MAX_OUTSIDE, BETWEEN_SLACK = 0.12, 2.0
# Every eighth of the way. At each a circle that opens (the square of time), and eased changes, are
# at most this far from where an even change would be.
PROBES = np.linspace(0.125, 0.875, 7)
BLEND_MAX_OFF_TIME = 0.22
# What goes on before or after at half the pace is a moving camera, not a change between shots.
BLEND_MAX_AROUND, CALM_AROUND = 0.45, 0.25
# Pictures of one shot in two lights, or with a thing moved, are this alike; of two shots hardly.
SAME_SCENE_CORRELATION = 0.85
# Levels: black, white and one colour with the noise of their coding; a foggy sky has more.
FLAT_DEVIATION = 5.0
# Another shot changes nearly all places; a title, an inset picture or a person less than this.
BLEND_CHANGED_SHARE = 0.65
# A straight blend of two still shots leaves its line by 0 and of two lively ones by 0.15; a wipe by
# 0.5, the root of p (1 - p) in its middle. A fade has one lively shot only, but a longer way.
STRAIGHT_RESIDUAL, FADE_RESIDUAL = 0.16, 0.26
# Any change but a straight blend must also change the light as a cut does: a camera on its way
# brings the same light from elsewhere.
MIN_HISTOGRAM_CHANGE = 0.22
# A cut stands alone: no step beside it is half as large.
ABRUPT_SHARE = 0.5
# One step that does most of it is a cut or a flash.
MAX_STEP_SHARE = 0.5
# Begun and done: less is noise, more would cut the slow ends of an eased change.
EDGE_SHARE = 0.03
# A quarter of the mean pace: slower is the movement that goes on in the shot.
CREEP = 0.25

Frames = NDArray[np.int64]


@dataclass(frozen=True)
class Blend:
    """A stretch of frames that lie between its two ends, which are exclusive."""

    start: int
    end: int
    residual: float


def find_gradual(thumbs: Thumbs, steps: Floats, cuts: list[int], fps: float) -> list[Transition]:
    """All gradual transitions of (frames, 3, 27, 48) thumbnails, none over another.

    `steps` are the distances from frame to frame, `cuts` the steps that may be hard cuts.
    """
    cells = cells_of(thumbs)
    found: list[Transition] = []
    walls = np.array([c for c in cuts if _is_abrupt(steps, c - 1)], dtype=np.int64)
    for blend in find_blends(cells, fps, walls):
        change = name_blend(thumbs, cells, _measure_range(cells, blend, walls))
        if change is None or _is_step(steps, cells, change) or _passes_by(thumbs, cells, change):
            continue
        if not any(_share_frames(change, other) for other in found):
            found.append(change)
    for start, end in find_runs(thumbs, steps, cuts, fps):
        change = Transition(kind="dissolve", start_frame=start, end_frame=end)
        if _is_step(steps, cells, change) or _passes_by(thumbs, cells, change):
            continue
        if not any(_share_frames(change, other) for other in found):
            found.append(change)
    return found


def _is_abrupt(steps: Floats, at: int) -> bool:
    """Whether both steps beside a cut are far smaller, so that no gradual change goes across."""
    beside = np.concatenate([steps[max(0, at - 1) : at], steps[at + 1 : at + 2]])
    return bool((beside < ABRUPT_SHARE * steps[at]).all())


def _is_step(steps: Floats, cells: Floats, change: Transition) -> bool:
    """Whether a single step explains most of a change, and the rest is movement."""
    start, end = change.start_frame, change.end_frame
    inner = steps[start:end]
    along = _along(cells[start : end + 1], 0, end - start)
    return bool(inner.max() > MAX_STEP_SHARE * inner.sum() or np.diff(along).max() > MAX_STEP_SHARE)


def _passes_by(thumbs: Thumbs, cells: Floats, change: Transition) -> bool:
    """Whether a change that is no straight blend is a camera on its way."""
    start, end = change.start_frame, change.end_frame
    straight = _bend(cells, start, end) < STRAIGHT_RESIDUAL
    return not straight and is_camera_move(thumbs, start, end)


def _share_frames(one: Transition, other: Transition) -> bool:
    return one.start_frame < other.end_frame and other.start_frame < one.end_frame


def find_blends(cells: Floats, fps: float, walls: Frames) -> list[Blend]:
    """Stretches whose frames lie between their ends everywhere in the picture, the best first.

    None goes over one of `walls`, the first frames after hard cuts.

    In a dissolve or fade each place goes from one shot to the other evenly, in a wipe each place
    changes sides once; what moves or is cut takes other values in between.
    """
    found: list[Blend] = []
    for seconds in SPANS_SECONDS:
        span = max(MIN_SPAN_FRAMES, round(seconds * fps))
        for first in range(0, len(cells) - span, BLOCK_FRAMES):
            starts = np.arange(first, min(first + BLOCK_FRAMES, len(cells) - span))
            before, after = (np.searchsorted(walls, at, "right") for at in (starts, starts + span))
            found += _blends_of_span(cells, span, starts[before == after])
    kept: list[Blend] = []
    for blend in sorted(found, key=lambda b: (b.start - b.end) * (1 - 2 * b.residual)):
        if not any(blend.start < other.end and other.start < blend.end for other in kept):
            kept.append(blend)
    return kept


def _blends_of_span(cells: Floats, span: int, starts: Frames) -> list[Blend]:
    move = cells[starts + span] - cells[starts]
    starts = starts[np.abs(move).mean(axis=1) >= BLEND_MIN_DISTANCE]
    worst = np.zeros(len(starts), dtype=np.float32)
    for share in PROBES:
        # Most stretches fail at once, and the others alone are probed further.
        here = cells[starts + round(span * share)] - cells[starts]
        move = cells[starts + span] - cells[starts]
        energy = np.maximum((move * move).sum(axis=1), 1.0)
        along = (here * move).sum(axis=1) / energy
        outside = np.maximum(here - np.maximum(move, 0), np.minimum(move, 0) - here)
        outside = np.maximum(outside - BETWEEN_SLACK, 0)
        worst = np.maximum(worst, np.sqrt((outside * outside).sum(axis=1) / energy))
        good = (worst < BLEND_MAX_OUTSIDE) & (np.abs(along - share) < BLEND_MAX_OFF_TIME)
        starts, worst = starts[good], worst[good]
    return [Blend(int(s), int(s) + span, float(r)) for s, r in zip(starts, worst, strict=True)]


def name_blend(thumbs: Thumbs, cells: Floats, ends: tuple[int, int]) -> Transition | None:
    """The transition from one frame to another; None for a change within one shot.

    That is: the same scene in another light, only a part of the picture (a title), or a camera
    that moves on.
    """
    start, end = ends
    first, last = thumbs[start].astype(np.float32), thumbs[end].astype(np.float32)
    from_flat, to_flat = first[0].std() < FLAT_DEVIATION, last[0].std() < FLAT_DEVIATION
    straight = _bend(cells, start, end) < FADE_RESIDUAL
    if from_flat and to_flat:
        kind = "fade_in" if last[0].mean() > first[0].mean() else "fade_out"
    elif (from_flat or to_flat) and straight:
        kind = "fade_in" if from_flat else "fade_out"
    elif (
        correlation(first[0], last[0]) > SAME_SCENE_CORRELATION
        or changed_share(thumbs[start], thumbs[end]) < BLEND_CHANGED_SHARE
        or not _joins_shots(thumbs, cells, start, end)
    ):
        return None
    else:
        kind = "dissolve"
    return Transition.model_validate({"kind": kind, "start_frame": start, "end_frame": end})


def _joins_shots(thumbs: Thumbs, cells: Floats, start: int, end: int) -> bool:
    """Whether a change is one between two shots, and not a camera on its way."""
    before, after = _change_around(cells, start, end)
    return min(before, after) <= BLEND_MAX_AROUND and (
        max(before, after) <= CALM_AROUND
        or _bend(cells, start, end) < STRAIGHT_RESIDUAL
        or histogram_change(thumbs[start], thumbs[end]) > MIN_HISTOGRAM_CHANGE
    )


def _change_around(cells: Floats, start: int, end: int) -> tuple[float, float]:
    """What changes in a third of the time before and after, against what does in between."""
    reach = max(2, (end - start) // 3)
    move = float(np.abs(cells[end] - cells[start]).mean())
    before = float(np.abs(cells[start] - cells[max(0, start - reach)]).mean())
    after = float(np.abs(cells[min(len(cells) - 1, end + reach)] - cells[end]).mean())
    return before / max(1e-6, move), after / max(1e-6, move)


def _bend(cells: Floats, start: int, end: int) -> float:
    """How far the frames leave the straight line between two, as a share of its length."""
    move = cells[end] - cells[start]
    here = cells[start : end + 1] - cells[start]
    left = here - np.outer(_along(cells[start : end + 1], 0, end - start), move)
    return float(np.sqrt((left * left).sum(axis=1).max() / max(1.0, float(move @ move))))


def _measure_range(cells: Floats, blend: Blend, walls: Frames) -> tuple[int, int]:
    """First and last frame of the blend: as far as frames go on along its line, no further."""
    length = blend.end - blend.start
    earlier = walls[walls <= blend.start]
    later = walls[walls > blend.end]
    low = max(0, blend.start - length, *earlier[-1:].tolist())
    near = cells[low : min(blend.end + length + 1, *later[:1].tolist(), len(cells))]
    start, end = blend.start - low, blend.end - low
    along = _along(near, start, end)
    pace = CREEP / (end - start)
    while start > 0 and along[start] - along[start - 1] > pace:
        start -= 1
    while end + 1 < len(along) and along[end + 1] - along[end] > pace:
        end += 1
    along = _along(near, start, end)
    middle = (start + end) // 2
    begun = np.flatnonzero(along[start:middle] <= EDGE_SHARE)
    done = np.flatnonzero(along[middle : end + 1] >= 1 - EDGE_SHARE)
    last = middle + int(done[0]) if len(done) else end
    return start + (int(begun[-1]) if len(begun) else 0) + low, last + low


def _along(cells: Floats, start: int, end: int) -> Floats:
    """How far each frame is on the way from frame `start` (0) to frame `end` (1)."""
    move = cells[end] - cells[start]
    return np.asarray((cells - cells[start]) @ move / max(1.0, float(move @ move)))
