"""Records for the tests of compliance: a measured ad in which everything is in order."""

from typing import Any

from shared.domain.compliance.facts import Measured
from shared.inference_models import TextLine
from shared.models import Box
from shared.timeline_models import (
    Captions,
    CaptionWord,
    Source,
    TextOverlay,
    Timeline,
    TimelineClip,
)

FINE = {
    "container": "mp4",
    "video_codec": "h264",
    "audio_codec": "aac",
    "ratio": 0.5625,
    "size": 1080.0,
    "long_side": 1920.0,
    "length": 22.0,
    "file_size": 9_000_000.0,
    "video_bit_rate": 3_000.0,
    "audio_bit_rate": 128.0,
    "sample_rate": "48000",
    "frame_rate": 30.0,
    "steady_rate": "steady",
    "faststart": "first",
    "pixel_format": "yuv420p",
    "hdr": "sdr",
    "square_pixels": "square",
    "rotation": "upright",
    "sound": "present",
    "loudness": -14.0,
    "true_peak": -2.0,
    "black_start": 0.0,
    "frozen_start": 0.1,
    "letterbox": 0.0,
}


def line(
    text: str,
    start: float = 0.0,
    end: float = 3.0,
    *,
    left: float = 0.2,
    top: float = 0.3,
    width: float = 0.5,
    height: float = 0.04,
) -> TextLine:
    box = Box(left=left, top=top, width=width, height=height)
    return TextLine(start_seconds=start, end_seconds=end, text=text, confidence=0.99, box=box)


CALL = (line("Try it today", 18.0, 22.0),)


def measured(*, text: Any = CALL, **values: Any) -> Measured:
    """A 22 s vertical ad; `values` replace those of the rules, None takes one away."""
    speech = values.pop("speech", ())
    problem = values.pop("text_problem", "")
    size = values.pop("picture", (1080, 1920))
    together = {**FINE, **values}
    return Measured(
        values={name: value for name, value in together.items() if value is not None},
        width=size[0],
        height=size[1],
        length_seconds=together["length"],
        has_sound=True,
        text=text,
        text_problem=problem,
        speech=speech,
        speech_problem="" if speech is not None else "no network",
    )


def timeline(**changes: Any) -> Timeline:
    """Three clips of 10 s of a landscape source, overlays, captions."""
    source = Source(
        path="a.mp4", width=1920, height=1080, fps=30, duration_seconds=60, has_audio=True
    )
    clips = tuple(
        TimelineClip(source="a", start_seconds=10.0 * i, end_seconds=10.0 * (i + 1))
        for i in range(3)
    )
    overlays = (
        TextOverlay(text="Tired of walls?", role="hook", start_seconds=0, end_seconds=3, top=0.02),
        TextOverlay(text="Go out", role="cta", start_seconds=27, end_seconds=30, top=0.8),
    )
    words = tuple(
        CaptionWord(text=f"word{i}", start_seconds=float(i), end_seconds=i + 0.8) for i in range(29)
    )
    whole = {
        "width": 1080,
        "height": 1920,
        "sources": {"a": source},
        "clips": clips,
        "overlays": overlays,
        "captions": Captions(words=words, top=0.7),
        **changes,
    }
    return Timeline(**whole)
