"""The case: what is known of a video, bounded, as every judge gets it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.council_models import Media
from shared.domain.council.quoting import plain
from shared.models import Analysis

NAME_CHARACTERS = 120
LINE_CHARACTERS, MOST_LINES = 200, 60
TRANSCRIPT_CHARACTERS = 4_000
MOST_SIGNALS, MOST_SHOTS = 120, 60
FEATURES = "features"

Signal = float | str | None


@dataclass(frozen=True)
class Line:
    """Text on screen, with the time that it stands there."""

    start_seconds: float
    end_seconds: float
    text: str


@dataclass(frozen=True)
class Case:
    """One video before the council; None means that nobody looked, not that there is nothing."""

    analysis: Analysis
    name: str = ""
    lines: tuple[Line, ...] | None = None
    transcript: str | None = None
    signals: Mapping[str, Signal] = field(default_factory=dict)
    media: tuple[Media, ...] = ()

    @property
    def seconds(self) -> float:
        """How long the video is."""
        return self.analysis.media.duration_seconds

    @property
    def outside_texts(self) -> Iterator[str]:
        """Everything that the video's maker wrote or said."""
        yield self.name
        yield from (line.text for line in self.lines or ())
        yield self.transcript or ""
        yield from (value for value in self.signals.values() if isinstance(value, str))


def read_case(
    analysis: Analysis,
    name: str,
    inference: Mapping[str, Any],
    scores: Mapping[str, Any],
    media: tuple[Media, ...] = (),
) -> Case:
    """The case of a video from its stored records; what they lack is None.

    `inference` may hold `text` (lines with `start_seconds`, `end_seconds`, `text`) and
    `transcript` (`words` with `word` or `text`); every number and short text of `scores` is a
    signal, nested ones by dotted names.
    """
    lines = inference.get("text")
    return Case(
        analysis=analysis,
        name=name,
        lines=tuple(_lines(lines)) if isinstance(lines, list) else None,
        transcript=_transcript(inference.get("transcript")),
        signals=dict(list(_signals(scores))[:MOST_SIGNALS]),
        media=media,
    )


def facts_of(case: Case) -> dict[str, Any]:
    """What a language model is told: numbers of ours, and texts cleaned and cut."""
    report = case.analysis
    lines = None if case.lines is None else case.lines[:MOST_LINES]
    return {
        "file_name": plain(case.name, NAME_CHARACTERS) or None,
        "seconds": round(case.seconds, 2),
        "width": report.media.width,
        "height": report.media.height,
        "shots": [
            [round(shot.start_seconds, 2), round(shot.end_seconds, 2)]
            for shot in report.shots[:MOST_SHOTS]
        ],
        "hook": {"score_0_to_1": report.hook.hook_score, "type": plain(report.hook.hook_type, 60)},
        "faces_share_of_time": report.faces.share,
        "sound": _sound_of(case) if report.media.has_audio else None,
        "text_on_screen": None
        if lines is None
        else [
            [round(line.start_seconds, 2), round(line.end_seconds, 2), text]
            for line in lines
            if (text := plain(line.text, LINE_CHARACTERS))
        ],
        "transcript": None
        if case.transcript is None
        else plain(case.transcript, TRANSCRIPT_CHARACTERS),
        "signals": {
            plain(name, 80): plain(value, LINE_CHARACTERS) if isinstance(value, str) else value
            for name, value in case.signals.items()
        },
    }


def _sound_of(case: Case) -> dict[str, Any]:
    audio = case.analysis.audio
    return {
        "tempo_bpm": audio.tempo_bpm,
        "loudness_lufs": audio.loudness_lufs,
        "speech": [
            [round(part.start_seconds, 2), round(part.end_seconds, 2)] for part in audio.speech[:60]
        ],
        "sync_quality_0_to_1": audio.sync.sync_quality,
    }


def _lines(lines: list[Any]) -> Iterator[Line]:
    for line in lines:
        if isinstance(line, Mapping) and isinstance(line.get("text"), str):
            start: Any = line.get("start_seconds")
            end: Any = line.get("end_seconds")
            begins = float(start) if _is_number(start) else 0.0
            yield Line(begins, float(end) if _is_number(end) else begins, line["text"])


def _transcript(record: Any) -> str | None:
    if not isinstance(record, Mapping) or not isinstance(record.get("words"), list):
        return None
    words = (
        word.get("word", word.get("text")) for word in record["words"] if isinstance(word, Mapping)
    )
    return " ".join(word.strip() for word in words if isinstance(word, str))


def _signals(record: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Signal]]:
    for name, value in record.items():
        if name == FEATURES:
            # A hundred numbers that the scores already sum up.
            continue
        if isinstance(value, Mapping) and "contributions" in value:
            # A score with its parts: the parts are reasons, the value is the signal.
            yield from _signals({name: value["value"]}, prefix)
        elif isinstance(value, Mapping) and prefix.count(".") < 3:
            yield from _signals(value, f"{prefix}{name}.")
        elif value is None or _is_number(value) or _is_short(value):
            yield f"{prefix}{name}", value


def _is_number(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < 1e15


def _is_short(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= LINE_CHARACTERS
