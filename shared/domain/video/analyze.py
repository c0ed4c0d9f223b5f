"""The analysis of one video: everything that a CPU can measure, in one decode, in a child."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.domain.video.child import Progress, read_in_child
from shared.domain.video.sniff import sniff_container
from shared.models import Analysis, Limits


@dataclass(frozen=True)
class Wanted:
    """What is wanted of an analysis: the child's task, and what to do with its answer."""

    video_id: str
    extracted_at: datetime
    preview: bool
    on_contact_sheet: Callable[[bytes], None] | None

    def task(self, path: Path, limits: Limits) -> dict[str, Any]:
        """The task for the child; raises a refusal when the file is no video by its first bytes."""
        return {
            "do": "analyze",
            "path": str(path.resolve()),
            "demuxer": sniff_container(path, limits),
            "limits": limits.model_dump(),
            "preview": self.preview,
            "pictures": self.on_contact_sheet is not None,
            "video_id": self.video_id,
            "extracted_at": self.extracted_at.isoformat(),
        }

    def take(self, answer: dict[str, Any]) -> Analysis:
        """The Analysis in the child's answer; the contact sheet goes to who asked for it."""
        if self.on_contact_sheet is not None:
            self.on_contact_sheet(b64decode(answer["contact_sheet"]))
        return Analysis.model_validate(answer["analysis"])


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
    wanted = Wanted(video_id, extracted_at, preview, on_contact_sheet)
    answer = read_in_child(wanted.task(path, limits), limits, on_progress)
    return wanted.take(answer)
