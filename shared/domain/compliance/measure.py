"""Measures a file for its check: the child decodes it, and here the text on it is read."""

from pathlib import Path

from shared.domain.compliance.facts import Measured
from shared.domain.inference.aside import TextAside
from shared.domain.inference.engines import open_text_reader
from shared.domain.inference.text import TextTrack
from shared.domain.video.child import Progress, read_in_child
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
    with TextAside(lambda: _open_track(tools)) as reader:
        answer = read_in_child(task, limits, on_progress, reader.take)
        reader.finish()
    start = answer["start_seconds"]
    spoken = answer["speech"]
    return Measured(
        values=answer["values"],
        width=answer["width"],
        height=answer["height"],
        length_seconds=answer["length_seconds"],
        has_sound=answer["has_sound"],
        text=_lines(reader.track, start, start + answer["length_seconds"]),
        text_problem=reader.problem,
        skipped_reads=answer["skipped_reads"],
        speech=None
        if spoken is None
        else tuple(
            Speech(start_seconds=max(0.0, a - start), end_seconds=b - start) for a, b in spoken
        ),
        speech_problem=answer.get("speech_problem", ""),
    )


def _open_track(tools: InferenceTools) -> TextTrack:
    reader = open_text_reader(tools.text_reader, Path(tools.models))
    return TextTrack(reader, whole_side=CLOSE_SIDE)


def _lines(track: TextTrack | None, start: float, end: float) -> tuple[TextLine, ...] | None:
    """The lines read, their times from `start` on; None when nothing could read."""
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
