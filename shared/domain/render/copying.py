"""Whether a timeline asks for nothing but a range of one source, which then is copied as it is."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from shared.domain.render.encoding import FAST_START, REPEATABLE
from shared.domain.render.frames import FramePlan
from shared.domain.render.picture import source_words
from shared.domain.render.probe import SourceFacts
from shared.timeline_models import Grade, Timeline

SAME_RATE = 0.002


@dataclass(frozen=True)
class CopiedRange:
    """Where the copy begins and how long it is, on the source's clock."""

    source: str
    start_seconds: float
    seconds: float


def copied_range(
    timeline: Timeline, plan: FramePlan, facts: Mapping[str, SourceFacts]
) -> CopiedRange | None:
    """The range to copy; None where a frame has to be drawn or coded anew.

    It begins on a key frame, and ends on one or with the source: elsewhere later frames are
    needed to decode earlier ones.
    """
    clip = timeline.clips[0]
    drawn = (
        *(timeline.overlays, timeline.logo, timeline.captions, timeline.end_card),
        timeline.grade != Grade(),
        *(len(timeline.clips) > 1, clip.source is None, clip.speed != 1),
        any((key.left, key.top, key.width, key.height) != (0, 0, 1, 1) for key in clip.crop),
    )
    if any(drawn) or clip.source is None:
        return None
    known = facts[clip.source]
    if not _as_we_write(known, timeline):
        return None
    slack = 0.5 / timeline.fps
    near = (at for at in known.keyframes_seconds if abs(at - clip.start_seconds) < slack)
    start = next(near, None)
    ends = (*known.keyframes_seconds, known.start_seconds + known.seconds)
    seconds = plan.total / timeline.fps
    if start is None or not any(abs(start + seconds - end) < slack for end in ends):
        return None
    return CopiedRange(clip.source, start, seconds)


def _as_we_write(known: SourceFacts, timeline: Timeline) -> bool:
    """Whether the source's frames are what an encode of ours would make."""
    return (
        (known.demuxer, known.codec, known.pixels) == ("mov", "h264", "yuv420p")
        and (known.width, known.height) == (timeline.width, timeline.height)
        and known.matrix_name == "bt709"
        and known.constant_rate
        and abs(known.fps - timeline.fps) < SAME_RATE
        and abs(known.sample_aspect - 1) < SAME_RATE
        and not (known.rotated or known.full_range or known.hdr or known.interlaced)
    )


def copy_words(copied: CopiedRange, link: str, sound: str) -> list[str]:
    """The command line that copies the pictures and puts our sound under them."""
    # Rounded up, the first picture would lie before the beginning.
    begin = math.floor(copied.start_seconds * 1e6) / 1e6
    return [
        *("-seek_timestamp", "1", "-ss", f"{begin:.6f}"),
        *("-t", f"{copied.seconds:.6f}", *source_words(link, "mov")),
        *("-i", f"file:{sound}", "-map", "0:v:0", "-map", "1:a:0", "-c", "copy"),
        *(*REPEATABLE, *FAST_START),
    ]
