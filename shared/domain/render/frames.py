"""Where each part of a timeline lies on the output's grid of frames."""

from dataclasses import dataclass

from shared.domain.render.refusals import TimelineUnfit
from shared.timeline_models import Timeline, TimelineClip

SLACK = 1e-6


@dataclass(frozen=True)
class Part:
    """A clip on the grid: it is seen for `frames`, the first `overlap` of them over the one before.

    `index` is its place among the timeline's clips.
    """

    index: int
    clip: TimelineClip
    first: int
    frames: int
    overlap: int


@dataclass(frozen=True)
class FramePlan:
    """All parts, the frames before the end card, and those of the card."""

    parts: tuple[Part, ...]
    body: int
    card: int

    @property
    def total(self) -> int:
        """Frames of the whole output."""
        return self.body + self.card


def plan_frames(timeline: Timeline) -> FramePlan:
    """The grid of a timeline: every boundary is rounded once, so nothing drifts.

    A clip that falls between two frames is left out. Raises TimelineUnfit when all do.
    """
    parts: list[Part] = []
    begins = 0.0
    for index, clip in enumerate(timeline.clips):
        begins -= clip.transition.seconds if clip.transition else 0.0
        ends = begins + clip.seconds
        first, last = (round(at * timeline.fps) for at in (begins, ends))
        before = parts[-1].first + parts[-1].frames if parts else 0
        begins = ends
        if last > first:
            overlap = max(0, before - first) if clip.transition else 0
            parts.append(Part(index, clip, first, last - first, overlap))
    if not parts:
        raise TimelineUnfit(
            f"{timeline.seconds:g} s are shorter than a frame of 1/{timeline.fps} s; take more"
        )
    body = parts[-1].first + parts[-1].frames
    card = timeline.end_card.seconds if timeline.end_card else 0.0
    return FramePlan(tuple(parts), body, round((begins + card) * timeline.fps) - body)


def frame_range(start_seconds: float, end_seconds: float, fps: int) -> tuple[int, int]:
    """The frames shown from `start` until before `end`, as [first, end)."""
    return ceil_frame(start_seconds, fps), ceil_frame(end_seconds, fps)


def ceil_frame(at_seconds: float, fps: int) -> int:
    """The first frame that is shown at a moment or later."""
    return -int(-(at_seconds * fps - SLACK) // 1)
