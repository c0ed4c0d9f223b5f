"""Moving transitions: stretches of unrest between two calm shots."""

import numpy as np

from shared.domain.video.thumbs import (
    Floats,
    Thumbs,
    changed_share,
    correlation,
    distances,
    histogram_change,
)

# Distances from frame to frame: of a still shot with some life, of a lively one, of a fast one.
RUN_LEVELS = (3.0, 6.0, 12.0)
# As for a cut: far above its neighbourhood, here for several frames on end.
RUN_RATIO = 3.0
# Shorter ones are cuts with a frame or two in between; editors hardly take longer ones.
RUN_MIN_FRAMES, RUN_MAX_SECONDS = 4, 1.3
# Footage of 30 frames a second in a video of 60 repeats every other one.
RUN_GAP_FRAMES = 1
# A shot often begins or ends with a movement: unrest that begins this soon after a cut is its own.
RUN_CUT_FRAMES = 3
# A step does this share of all at a cut with some movement, even if it is only one of several; one
# that is reached over another of half its size belongs to a fast change, up to half of all.
CUT_STEP_SHARE, RAMP_STEP_SHARE, RAMP_SHARE = 0.25, 0.5, 0.5
# The first and last frame are of two shots: as far apart and with as much other light as at a cut
# (6 between neighbours), nearly everywhere, and with no likeness that a moved camera would leave.
RUN_MIN_DISTANCE = 14.0
RUN_SAME_CORRELATION = 0.4
RUN_MIN_HISTOGRAM_CHANGE = 0.22
RUN_CHANGED_SHARE = 0.65
# What is usual is asked of the time of a short shot before and after.
CALM_SECONDS = 0.7


def find_runs(thumbs: Thumbs, steps: Floats, cuts: list[int], fps: float) -> list[tuple[int, int]]:
    """Stretches of unrest between two calm shots: slides, zooms, whips and blurs.

    A shot that is lively itself is calm against the change only, so that each level of unrest is
    looked at. Unrest right after or before a cut is the shot's own movement.
    """
    found: list[tuple[int, int]] = []
    for level in RUN_LEVELS:
        for start, end in _restless(steps, level):
            if (
                RUN_MIN_FRAMES <= end - start <= RUN_MAX_SECONDS * fps
                and not any(start < last and first < end for first, last in found)
                and _stands_out(steps, start, end, fps)
                and not _touches_cut(steps, start, end, cuts)
                and _is_other_shot(thumbs, start, end)
            ):
                found.append((start, end))
    return found


def _stands_out(steps: Floats, start: int, end: int, fps: float) -> bool:
    """Whether a run is far livelier than what goes on before and after it."""
    reach = max(RUN_MIN_FRAMES, round(CALM_SECONDS * fps))
    calm = np.concatenate([steps[max(0, start - reach) : start], steps[end : end + reach]])
    usual = float(np.median(calm)) if len(calm) else 0.0
    return float(np.median(steps[start:end])) >= RUN_RATIO * usual


def _touches_cut(steps: Floats, start: int, end: int, cuts: list[int]) -> bool:
    """Whether a cut is beside a run, or in it and more than one of the run's own steps."""
    near = [c - 1 for c in cuts if start - RUN_CUT_FRAMES < c - 1 < end + RUN_CUT_FRAMES]
    return any(
        not start <= at < end or steps[at] > _own_share(steps[start:end], at - start) for at in near
    )


def _own_share(run: Floats, at: int) -> float:
    """How large one step of a run may be before it is a cut."""
    beside = np.concatenate([run[max(0, at - 1) : at], run[at + 1 : at + 2]])
    reached = len(beside) > 0 and beside.max() > RAMP_SHARE * run[at]
    return float((RAMP_STEP_SHARE if reached else CUT_STEP_SHARE) * run.sum())


def _restless(steps: Floats, level: float) -> list[tuple[int, int]]:
    """Runs of steps of at least `level`, from the last frame before to the first frame after."""
    runs: list[list[int]] = []
    for at in np.flatnonzero(steps >= level).tolist():
        if runs and at - runs[-1][1] <= RUN_GAP_FRAMES:
            runs[-1][1] = at + 1
        else:
            runs.append([at, at + 1])
    return [(start, end) for start, end in runs]


def _is_other_shot(thumbs: Thumbs, start: int, end: int) -> bool:
    first, last = thumbs[start], thumbs[end]
    far = float(distances(first[None], last[None])[0])
    alike = correlation(first[0].astype(np.float32), last[0].astype(np.float32))
    return (
        far >= RUN_MIN_DISTANCE
        and alike < RUN_SAME_CORRELATION
        and histogram_change(first, last) > RUN_MIN_HISTOGRAM_CHANGE
        and changed_share(first, last) >= RUN_CHANGED_SHARE
    )
