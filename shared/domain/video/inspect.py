"""Whether a file is a video that we take: sniffed, limits checked, the first frames decoded."""

from pathlib import Path

from shared.domain.video.child import read_in_child
from shared.domain.video.sniff import sniff_container
from shared.models import Limits, Record


class VideoFacts(Record):
    """What the header and the first frames say; durations and counts are only claims here.

    `width` and `height` are as displayed, `rotation` clockwise degrees.
    """

    container: str
    codec: str
    width: int
    height: int
    rotation: int
    claimed_fps: float
    claimed_seconds: float
    has_audio: bool
    hdr: bool
    size_bytes: int


def inspect_video(path: Path, limits: Limits) -> VideoFacts:
    """The facts of the video at `path`, or the refusal that says what is wrong with it.

    The bytes are opened in a child process; see shared/domain/video/refusals.py for the errors.
    """
    demuxer = sniff_container(path, limits)
    task = {
        "do": "inspect",
        "path": str(path.resolve()),
        "demuxer": demuxer,
        "limits": limits.model_dump(),
    }
    facts = read_in_child(task, limits)
    return VideoFacts.model_validate({**facts, "size_bytes": path.stat().st_size})
