"""Measures a file for its check: the child decodes it, and here the text on it is read."""

from pathlib import Path
from typing import Any

from shared.domain.compliance.facts import Measured
from shared.domain.inference.engines import open_text_reader
from shared.domain.inference.text import TextTrack
from shared.domain.video.child import Progress, read_in_child
from shared.domain.video.detector import AnalyserUnavailable
from shared.domain.video.sniff import sniff_container
from shared.inference_models import TextLine
from shared.models import InferenceTools, Limits, Speech

CLOSE_SIDE = 960
"""How large and where a text is, counts here: at less, small letters seem larger."""


def measure_ad(
    path: Path,
    *,
    limits: Limits,
    tools: InferenceTools,
    on_progress: Progress | None = None,
) -> Measured:
    """What is in the video at `path`, all on the file itself, untrusted bytes in a child process.

    Without the networks that read text the rules about text are unavailable, and it says why.
    Raises a refusal (shared/domain/video/refusals.py) when the file cannot be read.
    """
    task = {
        "do": "check",
        "path": str(path.resolve()),
        "demuxer": sniff_container(path, limits),
        "limits": limits.model_dump(),
    }
    reader = TextTaker(tools)
    answer = read_in_child(task, limits, on_progress, reader.take)
    start = answer["start_seconds"]
    spoken = answer["speech"]
    return Measured(
        values=answer["values"],
        width=answer["width"],
        height=answer["height"],
        length_seconds=answer["length_seconds"],
        has_sound=answer["has_sound"],
        text=reader.lines(start, start + answer["length_seconds"]),
        text_problem=reader.problem,
        skipped_reads=answer["skipped_reads"],
        speech=None
        if spoken is None
        else tuple(
            Speech(start_seconds=max(0.0, a - start), end_seconds=b - start) for a, b in spoken
        ),
        speech_problem=answer.get("speech_problem", ""),
    )


class TextTaker:
    """Reads the regions that the child hands over, while it goes on; opens the networks late."""

    def __init__(self, tools: InferenceTools) -> None:
        self.problem = ""
        self._track: TextTrack | None = None
        self._tools = tools

    def take(self, part: dict[str, Any]) -> None:
        """One part: a region to read, or a run of edges."""
        track = self._opened()
        if track is None:
            return
        if part["kind"] == "text":
            track.read(part)
        else:
            track.remember(part)

    def _opened(self) -> TextTrack | None:
        if self._track is None and not self.problem:
            try:
                tools = self._tools
                reader = open_text_reader(tools.text_reader, Path(tools.models))
                self._track = TextTrack(reader, whole_side=CLOSE_SIDE)
            except AnalyserUnavailable as problem:
                self.problem = str(problem)
        return self._track

    def lines(self, start: float, end: float) -> tuple[TextLine, ...] | None:
        """The lines read, their times from `start` on; None when nothing could read."""
        track = self._opened()
        if track is None:
            return None
        return tuple(
            line.model_copy(
                update={
                    "start_seconds": max(0.0, round(line.start_seconds - start, 3)),
                    "end_seconds": round(line.end_seconds - start, 3),
                }
            )
            for line in track.lines(end)
        )
