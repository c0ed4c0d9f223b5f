"""Hard cuts, fades and dissolves, found on 48x27 thumbnails of all frames."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.domain.video.pictures import THUMB_HEIGHT, THUMB_WIDTH, Look, Picture
from shared.models import Shot, Transition

Floats = NDArray[np.float32]

CUT_MIN_DISTANCE = 6.0
CUT_RATIO = 3.0
NEIGHBOURS = 6
FLASH_FRAMES = 4
FLASH_RETURN = 0.2
CUT_CHANGED_SHARE = 0.35
CLEAR_CHANGED_SHARE, CLEAR_RATIO = 0.28, 10.0
CHANGED_LEVELS = 8
BLACK_LEVEL = 24
HISTOGRAM_BINS = 16
LUMA_WEIGHT, CHROMA_WEIGHT = 0.6, 1.2

SPANS_SECONDS = (0.25, 0.4, 0.6, 0.9, 1.3, 2.0)
MIN_SPAN_FRAMES = 6
BLEND_MIN_DISTANCE = 9.0
BLEND_MAX_RESIDUAL = 0.16
BLEND_PROBES = np.linspace(0.125, 0.875, 7)
SAME_SCENE_CORRELATION = 0.85
FLAT_DEVIATION = 5.0
BLEND_CHANGED_SHARE = 0.5
BLEND_MAX_OVERLAP = 2
BLEND_MAX_OFF_TIME = 0.15
BLOCK_FRAMES = 1024
EDGE_SHARE = 0.03
CREEP = 0.25


@dataclass(frozen=True)
class Blend:
    """A stretch of frames on the straight line between its two ends, which are exclusive."""

    start: int
    end: int
    residual: float


class SceneDetector:
    """Keeps a thumbnail of each frame, 4 kB, and finds the transitions at the end."""

    def __init__(self) -> None:
        self._thumbs = bytearray()
        self._at: list[float] = []

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds."""
        self._thumbs += frame.thumb.tobytes()
        self._at.append(at)

    def result(self) -> tuple[Transition, ...]:
        """All transitions in the order of their frames."""
        if len(self._at) < 2:
            return ()
        shape = (len(self._at), 3, THUMB_HEIGHT, THUMB_WIDTH)
        thumbs = np.frombuffer(self._thumbs, np.uint8).reshape(shape)
        return find_transitions(thumbs, _fps(self._at))


def _fps(at: list[float]) -> float:
    return (len(at) - 1) / max(1e-3, at[-1] - at[0])


def find_transitions(thumbs: NDArray[np.uint8], fps: float) -> tuple[Transition, ...]:
    """Transitions of (frames, 3, 27, 48) YUV thumbnails at `fps` frames a second."""
    steps = step_distances(thumbs)
    cuts = find_cuts(thumbs, steps)
    soft: list[Transition] = []
    for blend in find_blends(thumbs, fps):
        change = name_blend(thumbs, blend)
        if change is not None and not any(_share_frames(change, other) for other in soft):
            soft.append(change)
    # A straight line over an abrupt step is only the step, and a step inside a line is none.
    soft = [t for t in soft if not any(_is_step(steps, t, cut) for cut in cuts)]
    cuts = [c for c in cuts if not any(t.start_frame < c <= t.end_frame for t in soft)]
    found = [Transition(kind="cut", start_frame=c, end_frame=c) for c in cuts] + soft
    return tuple(sorted(found, key=lambda t: (t.start_frame, t.end_frame)))


def _share_frames(one: Transition, other: Transition) -> bool:
    overlap = min(one.end_frame, other.end_frame) - max(one.start_frame, other.start_frame)
    return overlap > BLEND_MAX_OVERLAP


def _is_step(steps: Floats, blend: Transition, cut: int) -> bool:
    """Whether `cut` explains most of what changes over `blend`."""
    if not blend.start_frame < cut <= blend.end_frame:
        return False
    return bool(steps[cut - 1] > 0.5 * steps[blend.start_frame : blend.end_frame].sum())


def distances(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> Floats:
    """How different frames are, pair by pair: 0.6 |dY| + 1.2 |dUV|, scaled by their histograms.

    The histogram hardly changes when a camera or a thing moves, and much at a cut.
    """
    step = np.abs(after.astype(np.int16) - before).mean(axis=(2, 3), dtype=np.float32)
    raw = LUMA_WEIGHT * step[:, 0] + CHROMA_WEIGHT * (step[:, 1] + step[:, 2]) / 2
    change = np.abs(_histograms(after) - _histograms(before)).sum(axis=1) / 2
    return np.asarray(raw * (0.4 + 1.2 * np.sqrt(change)), dtype=np.float32)


def _histograms(thumbs: NDArray[np.uint8]) -> Floats:
    """Brightness histograms with 16 bins, (frames, 16), each adding up to 1.

    Each value is shared between its two nearest bins, so that a small change of brightness is a
    small change of the histogram.
    """
    luma = thumbs[:, 0].reshape(len(thumbs), -1).astype(np.float32) / (256 / (HISTOGRAM_BINS - 1))
    low = luma.astype(np.int64)
    upper_share = luma - low
    offsets = np.arange(len(thumbs))[:, None] * HISTOGRAM_BINS
    size = len(thumbs) * HISTOGRAM_BINS
    counts = np.bincount((low + offsets).ravel(), (1 - upper_share).ravel(), size)
    counts += np.bincount((low + 1 + offsets).ravel(), upper_share.ravel(), size + 1)[:size]
    return np.asarray(counts.reshape(-1, HISTOGRAM_BINS) / luma.shape[1], dtype=np.float32)


def step_distances(thumbs: NDArray[np.uint8]) -> Floats:
    """The distance of each frame but the first from the one before it, (frames - 1,)."""
    firsts = range(0, len(thumbs) - 1, BLOCK_FRAMES)
    parts = [thumbs[first : first + BLOCK_FRAMES + 1] for first in firsts]
    return np.concatenate([distances(part[:-1], part[1:]) for part in parts])


def find_cuts(thumbs: NDArray[np.uint8], steps: Floats) -> list[int]:
    """First frames of new shots after hard cuts: far above the neighbourhood, and no flash."""
    cuts: list[int] = []
    for at in np.flatnonzero(steps >= CUT_MIN_DISTANCE).tolist():
        around = np.concatenate([steps[max(0, at - NEIGHBOURS) : at], steps[at + 1 :][:NEIGHBOURS]])
        # One other cut nearby must not hide this one.
        calm = np.sort(around)[: max(1, len(around) - 1)]
        usual = float(calm.mean()) if len(around) else 0.0
        frame = at + 1
        if steps[at] < CUT_RATIO * usual or _returns(thumbs, frame, float(steps[at])):
            continue
        changed = changed_share(thumbs[frame - 1], thumbs[frame])
        needed = CLEAR_CHANGED_SHARE if steps[at] > CLEAR_RATIO * usual else CUT_CHANGED_SHARE
        if changed < needed:
            continue
        if cuts and frame - cuts[-1] < FLASH_FRAMES:
            # A white or black frame or two between two shots: one cut, to the second shot.
            cuts[-1] = frame
        else:
            cuts.append(frame)
    return cuts


def changed_share(before: Picture, after: Picture) -> float:
    """How much of the picture changed, 0-1, black bars left out.

    A thing that crosses the picture, or a caption, changes a part; another shot changes most.
    """
    step = np.abs(after.astype(np.int16) - before).max(axis=0)
    lit = np.maximum(after[0], before[0]) > BLACK_LEVEL
    return float((step[lit] > CHANGED_LEVELS).mean()) if lit.any() else 0.0


def _returns(thumbs: NDArray[np.uint8], frame: int, step: float) -> bool:
    """Whether a picture from just before `frame` is back just after it: a flash, no cut."""
    before = thumbs[max(0, frame - FLASH_FRAMES - 1) : frame]
    after = thumbs[frame : frame + FLASH_FRAMES + 1]
    first = np.repeat(before, len(after), axis=0)
    second = np.tile(after, (len(before), 1, 1, 1))
    return bool(distances(first, second).min() < max(CUT_MIN_DISTANCE, FLASH_RETURN * step))


def find_blends(thumbs: NDArray[np.uint8], fps: float) -> list[Blend]:
    """Stretches whose frames lie on the straight line between their ends, the best first.

    A dissolve or fade is F(k) = (1 - a) F(start) + a F(end) with a rising evenly; what moves or
    is cut does not stay on that line.
    """
    flat = _coarse(thumbs)
    found: list[Blend] = []
    for seconds in SPANS_SECONDS:
        span = max(MIN_SPAN_FRAMES, round(seconds * fps))
        for first in range(0, len(flat) - span, BLOCK_FRAMES):
            found += _blends_of_span(flat[first : first + BLOCK_FRAMES + span], span, first)
    kept: list[Blend] = []
    for blend in sorted(found, key=lambda b: (b.start - b.end) * (1 - 2 * b.residual)):
        if not any(blend.start < other.end and other.start < blend.end for other in kept):
            kept.append(blend)
    return kept


def _coarse(thumbs: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Every other line and column, one row of numbers a frame: enough for a blend's line."""
    return np.ascontiguousarray(thumbs[:, :, ::2, ::2]).reshape(len(thumbs), -1)


def _blends_of_span(flat: NDArray[np.uint8], span: int, first: int) -> list[Blend]:
    starts = np.arange(len(flat) - span)
    move = flat[starts + span].astype(np.float32) - flat[starts]
    far = np.abs(move).mean(axis=1) >= BLEND_MIN_DISTANCE
    starts, move = starts[far], move[far]
    if not len(starts):
        return []
    energy = np.maximum((move * move).sum(axis=1), 1.0)
    worst = np.zeros(len(starts), dtype=np.float32)
    off_time = np.zeros(len(starts), dtype=np.float32)
    for share in BLEND_PROBES:
        step = round(span * share)
        here = flat[starts + step].astype(np.float32) - flat[starts]
        along = (here * move).sum(axis=1) / energy
        left = here - along[:, None] * move
        worst = np.maximum(worst, np.sqrt((left * left).sum(axis=1) / energy))
        off_time = np.maximum(off_time, np.abs(along - step / span))
    good = (worst < BLEND_MAX_RESIDUAL) & (off_time < BLEND_MAX_OFF_TIME)
    return [
        Blend(first + int(s), first + int(s) + span, float(r))
        for s, r in zip(starts[good], worst[good], strict=True)
    ]


def name_blend(thumbs: NDArray[np.uint8], blend: Blend) -> Transition | None:
    """The transition of a blend with its exact range; None for a change within one shot.

    That is: the same scene in another light, or only a part of the picture (a title).
    """
    start, end = _measure_range(_coarse_around(thumbs, blend), blend)
    first, last = thumbs[start].astype(np.float32), thumbs[end].astype(np.float32)
    from_flat, to_flat = first[0].std() < FLAT_DEVIATION, last[0].std() < FLAT_DEVIATION
    if from_flat and to_flat:
        kind = "fade_in" if last[0].mean() > first[0].mean() else "fade_out"
    elif from_flat or to_flat:
        kind = "fade_in" if from_flat else "fade_out"
    elif (
        _correlation(first[0], last[0]) > SAME_SCENE_CORRELATION
        or changed_share(thumbs[start], thumbs[end]) < BLEND_CHANGED_SHARE
    ):
        return None
    else:
        kind = "dissolve"
    return Transition.model_validate({"kind": kind, "start_frame": start, "end_frame": end})


def _correlation(first: Floats, last: Floats) -> float:
    a, b = first - first.mean(), last - last.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))


def _coarse_around(thumbs: NDArray[np.uint8], blend: Blend) -> tuple[int, Floats]:
    """The first frame of the surroundings of a blend, and those frames."""
    length = blend.end - blend.start
    low = max(0, blend.start - length)
    return low, _coarse(thumbs[low : blend.end + length + 1]).astype(np.float32)


def _measure_range(around: tuple[int, Floats], blend: Blend) -> tuple[int, int]:
    """First and last frame of the blend: as far as frames go on along its line, no further."""
    low, flat = around
    start, end = blend.start - low, blend.end - low
    along = _along(flat, start, end)
    pace = CREEP / (end - start)
    while start > 0 and along[start] - along[start - 1] > pace:
        start -= 1
    while end + 1 < len(along) and along[end + 1] - along[end] > pace:
        end += 1
    along = _along(flat, start, end)
    middle = (start + end) // 2
    begun = np.flatnonzero(along[start:middle] <= EDGE_SHARE)
    done = np.flatnonzero(along[middle : end + 1] >= 1 - EDGE_SHARE)
    last = middle + int(done[0]) if len(done) else end
    return start + (int(begun[-1]) if len(begun) else 0) + low, last + low


def _along(flat: Floats, start: int, end: int) -> Floats:
    """How far each frame is on the way from frame `start` (0) to frame `end` (1)."""
    move = flat[end] - flat[start]
    return np.asarray((flat - flat[start]) @ move / max(1.0, float(move @ move)))


def shots_between(
    transitions: tuple[Transition, ...], at: list[float], end_seconds: float
) -> tuple[Shot, ...]:
    """The shots of a video with frames at `at` seconds; a gradual change splits in its middle.

    A fade from or to black at the very edge starts or ends a shot, it does not split one.
    """
    borders = {0, len(at)}
    for transition in transitions:
        middle = (transition.start_frame + transition.end_frame + 1) // 2
        if transition.kind in ("cut", "dissolve"):
            borders.add(middle)
        elif transition.kind == "fade_in" and transition.start_frame > 0:
            borders.add(transition.start_frame)
    edges = sorted(b for b in borders if 0 <= b <= len(at))
    seconds = [*at, end_seconds]
    return tuple(
        Shot(
            start_frame=a,
            end_frame=b,
            start_seconds=round(seconds[a], 4),
            end_seconds=round(seconds[b], 4),
        )
        for a, b in pairwise(edges)
    )
