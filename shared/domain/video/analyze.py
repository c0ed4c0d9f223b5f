"""The analysis of one video: everything that a CPU can measure, in one decode, in a child."""

from base64 import b64decode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from shared.domain.video.child import Progress, read_in_child
from shared.domain.video.sniff import sniff_container
from shared.models import Analysis, Limits


def analyze_video(
    path: Path,
    *,
    video_id: str,
    limits: Limits,
    extracted_at: datetime,
    on_progress: Progress,
    preview: bool = False,
    on_contact_sheet: Callable[[bytes], None] | None = None,
) -> Analysis:
    """The report on the video at `path`; the same bytes give the same report.

    With `preview` only reference frames are decoded: cheaper, and exact to the next of them.
    `on_contact_sheet(jpeg)` gets the picture of one frame a shot; without it none is made.
    `on_progress(share, step)` is called at most ten times a second with a share of 0-1.
    Raises a refusal (shared/domain/video/refusals.py) when it cannot be analysed.
    """
    demuxer = sniff_container(path, limits)
    task = {
        "do": "analyze",
        "path": str(path.resolve()),
        "demuxer": demuxer,
        "limits": limits.model_dump(),
        "preview": preview,
        "pictures": on_contact_sheet is not None,
        "video_id": video_id,
        "extracted_at": extracted_at.isoformat(),
    }
    answer = read_in_child(task, limits, on_progress)
    if on_contact_sheet is not None:
        on_contact_sheet(b64decode(answer["contact_sheet"]))
    return Analysis.model_validate(answer["analysis"])
