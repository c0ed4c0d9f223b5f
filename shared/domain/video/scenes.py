"""Hard cuts and all other transitions of a video, and the shots between them."""

import math
from bisect import bisect_left
from itertools import pairwise

import numpy as np

from shared.domain.video.camera import has_moved
from shared.domain.video.gradual import FLAT_DEVIATION, find_gradual
from shared.domain.video.pictures import Look, Picture
from shared.domain.video.thumbs import Floats, Thumbs, changed_share, distances, step_distances
from shared.models import Shot, Transition

CUT_MIN_DISTANCE = 6.0
CUT_RATIO = 3.0
NEIGHBOURS = 6
# Below this distance a frame repeats the one before; footage of 12 frames a second in a video of
# 60 has five of each.
REPEAT_DISTANCE, REPEATS = 0.3, 5
# A step nearly as large as the one in question is another cut, and no movement.
OTHER_CUT_SHARE = 0.8
FLASH_FRAMES = 4
FLASH_RETURN = 0.2
# A flash that rises over a frame in between shows at least half of itself in each step.
HALF_LIT = 2.0
CUT_CHANGED_SHARE = 0.35
CLEAR_CHANGED_SHARE, CLEAR_RATIO = 0.28, 10.0
# A long video is searched a stretch at a time. The margins on both sides hold the longest
# transition twice, so that each is seen whole with its surroundings.
STRETCH_SECONDS, MARGIN_SECONDS, MIN_STRETCH_FRAMES = 20.0, 5.0, 600


class SceneDetector:
    """Keeps thumbnails, 4 kB each, of the last stretch of frames only, however long the video."""

    def __init__(self) -> None:
        self._thumbs: list[Picture] = []
        self._at: list[float] = []
        self._dropped = 0
        self._settled = 0
        self._found: list[Transition] = []

    def see(self, frame: Look, at: float) -> None:
        """Takes one frame, shown at `at` seconds."""
        self._thumbs.append(frame.thumb)
        self._at.append(at)
        long = self._at[-1] - self._at[0] >= STRETCH_SECONDS + 2 * MARGIN_SECONDS
        if len(self._at) >= MIN_STRETCH_FRAMES and long:
            self._settle(self._at[-1] - MARGIN_SECONDS)

    def _settle(self, until: float) -> None:
        """Finds what begins before `until`, and drops the frames that nothing later needs."""
        fps = (len(self._at) - 1) / max(1e-3, self._at[-1] - self._at[0])
        border = bisect_left(self._at, until)
        for t in find_transitions(np.stack(self._thumbs), fps):
            if t.start_frame < border and t.start_frame + self._dropped >= self._settled:
                self._found.append(_later(t, self._dropped))
        self._settled = border + self._dropped
        if self._found:
            self._settled = max(self._settled, self._found[-1].end_frame)
        drop = bisect_left(self._at, until - MARGIN_SECONDS)
        self._thumbs, self._at = self._thumbs[drop:], self._at[drop:]
        self._dropped += drop

    def result(self) -> tuple[Transition, ...]:
        """All transitions in the order of their frames."""
        if len(self._at) >= 2:
            self._settle(math.inf)
        return tuple(self._found)


def _later(transition: Transition, frames: int) -> Transition:
    start, end = transition.start_frame + frames, transition.end_frame + frames
    return transition.model_copy(update={"start_frame": start, "end_frame": end})


def find_transitions(thumbs: Thumbs, fps: float) -> tuple[Transition, ...]:
    """Transitions of (frames, 3, 27, 48) YUV thumbnails at `fps` frames a second."""
    steps = step_distances(thumbs)
    cuts = find_cuts(thumbs, steps)
    soft = find_gradual(thumbs, steps, cuts, fps)
    # A large step inside a gradual transition is none of its own.
    cuts = [c for c in cuts if not any(t.start_frame < c <= t.end_frame for t in soft)]
    found = [Transition(kind="cut", start_frame=c, end_frame=c) for c in cuts] + soft
    return tuple(sorted(found, key=lambda t: (t.start_frame, t.end_frame)))


def find_cuts(thumbs: Thumbs, steps: Floats) -> list[int]:
    """First frames of new shots after hard cuts: far above the neighbourhood, and no flash."""
    cuts: list[int] = []
    for at in np.flatnonzero(steps >= CUT_MIN_DISTANCE).tolist():
        usual = usual_step(steps, at)
        frame = at + 1
        if steps[at] < CUT_RATIO * usual or _returns(thumbs, frame, float(steps[at])):
            continue
        changed = changed_share(thumbs[frame - 1], thumbs[frame])
        calm = steps[at] > CLEAR_RATIO * usual
        if changed < (CLEAR_CHANGED_SHARE if calm else CUT_CHANGED_SHARE):
            continue
        # A camera shows its turn in more than one step; alone between still frames, the same
        # picture at another place is an editor's jump cut.
        if not calm and has_moved(thumbs[frame - 1], thumbs[frame]):
            continue
        if not cuts or frame - cuts[-1] >= FLASH_FRAMES:
            cuts.append(frame)
        elif _is_flat(thumbs[cuts[-1]]) or steps[at] > steps[cuts[-1] - 1]:
            # A white or black frame or two between two shots: one cut, to the second shot. Else
            # the greater step is the cut, and the smaller one what moves beside it.
            cuts[-1] = frame
    return cuts


def _is_flat(thumb: Picture) -> bool:
    return bool(thumb[0].std() < FLAT_DEVIATION)


def usual_step(steps: Floats, at: int) -> float:
    """How much the frames around step `at` differ, on the livelier side of it.

    The median of each side: one other cut nearby must not hide this one, and the end of a whip,
    lively on one side, is none.
    """
    reach = NEIGHBOURS * REPEATS
    sides = (steps[max(0, at - reach) : at][::-1], steps[at + 1 :][:reach])
    return max((_median_step(side, float(steps[at])) for side in sides if len(side)), default=0.0)


def _median_step(side: Floats, step: float) -> float:
    """The median of the steps nearest to `step`, the repeated frames among them left out."""
    near = float(np.median(side[:NEIGHBOURS]))
    if not (side[:REPEATS] > REPEAT_DISTANCE).any():
        return near
    moved = side[(side > REPEAT_DISTANCE) & (side < OTHER_CUT_SHARE * step)][:NEIGHBOURS]
    # One other step in a still picture, say of a caption, is no movement either.
    moves = min(NEIGHBOURS, len(side) // (REPEATS + 1))
    return max(near, float(np.median(moved))) if len(moved) > max(1, moves - 2) else near


def _returns(thumbs: Thumbs, frame: int, step: float) -> bool:
    """Whether a picture from just before `frame` is back just after it: a flash, no cut."""
    before = thumbs[max(0, frame - FLASH_FRAMES - 1) : frame]
    after = thumbs[frame : frame + FLASH_FRAMES + 1]
    first = np.repeat(before, len(after), axis=0)
    second = np.tile(after, (len(before), 1, 1, 1))
    apart = distances(first, second)
    excursion = min(float(apart.max()), HALF_LIT * step)
    return bool(apart.min() < max(CUT_MIN_DISTANCE, FLASH_RETURN * excursion))


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
