"""What judges may look at: a sheet of pictures, and the video itself in kinds that they take."""

from typing import Literal

from shared.council_models import Media
from shared.models import Analysis

VideoType = Literal["video/mp4", "video/quicktime", "video/webm"]


def media_of(analysis: Analysis, sheet: bytes, clip: bytes) -> tuple[Media, ...]:
    """The JPEG sheet and the video, each when there is one; the video's kind is what was sniffed.

    No bytes mean that there is none, or none small enough.
    """
    media: list[Media] = []
    if sheet:
        media.append(Media(kind="image", media_type="image/jpeg", content=sheet))
    kind = video_type(analysis.media.container)
    if clip and kind is not None:
        seconds = analysis.media.duration_seconds
        media.append(Media(kind="video", media_type=kind, content=clip, seconds=seconds))
    return tuple(media)


def video_type(container: str) -> VideoType | None:
    """The media type of a container by the report's name; None for one that is not sent."""
    names = container.lower().split(",")
    if "mp4" in names:
        return "video/mp4"
    if "mov" in names:
        return "video/quicktime"
    return "video/webm" if "webm" in names else None
