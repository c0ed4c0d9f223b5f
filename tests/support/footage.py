"""Made footage: analyses and inferences as the stages would write them, and random ones."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from shared.creative_models import Brand, Concept, Variation
from shared.domain.creative.footage import Footage
from shared.inference_models import Inference, SeenObject, TextLine, Transcript, Word
from shared.models import (
    Analyser,
    Analysis,
    Audio,
    Box,
    Faces,
    FaceSample,
    Hook,
    Media,
    MotionMoment,
    Shot,
    Speech,
    Sync,
    Transition,
    VideoPattern,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FaceAt = tuple[float, float, float, int | None]
"""Moment, middle, width and track of a face."""


def concept(**others: Any) -> Concept:
    """An ad for fresh air."""
    known: dict[str, Any] = {
        "product": "Meadow",
        "benefit": "Fresh air, every day",
        "pain_point": "Tired of grey walls",
        "target_audience": "people in cities",
        "industry": "travel",
        "landing_url": "https://www.meadow.example/try?x=1",
        "brand": Brand(name="Meadow"),
    }
    return Concept(**{**known, **others})


def variation(**others: Any) -> Variation:
    """One way to make that ad."""
    known: dict[str, Any] = {
        "id": "c-1",
        "concept_id": "c",
        "variation_number": 1,
        "strategy": "hook",
        "variations_applied": {},
        "hook": "Stop scrolling! Tired of grey walls?",
        "headline": "Fresh air without the long drive",
        "cta": "Try it today",
        "color_scheme": ("#2C3E50", "#E74C3C", "#ECF0F1"),
        "color_scheme_name": "professional",
        "pacing": "medium",
        "duration": 15,
        "created_at": NOON,
        "predicted_performance": 0.6,
        "predicted_score": 0.6,
        "confidence": 0.3,
        "variation_hash": "x",
        "why": "a test",
    }
    return Variation(**{**known, **others})


def analysis(
    shot_seconds: Sequence[float] = (5.0,),
    *,
    rate: float = 25.0,
    size: tuple[int, int] = (1920, 1080),
    energies: Sequence[float] = (),
    faces: Sequence[FaceAt] = (),
    speech: Sequence[tuple[float, float]] = (),
    beats: Sequence[float] = (),
    onsets: Sequence[float] = (),
    transitions: Sequence[Transition] = (),
    has_audio: bool = True,
    hook_score: float = 0.5,
    analysers: Sequence[Analyser] = (),
) -> Analysis:
    """The report on a video of these shots; `energies` are of its windows of 30 frames."""
    ends = [0]
    for seconds in shot_seconds:
        ends.append(ends[-1] + max(1, round(seconds * rate)))
    frames = ends[-1]
    moments = _moments(frames, rate, energies)
    return Analysis(
        video_id="v",
        media=Media(
            container="mov",
            codec="h264",
            width=size[0],
            height=size[1],
            rotation=0,
            fps=round(rate, 4),
            variable_rate=False,
            frames=frames,
            duration_seconds=round(frames / rate, 3),
            has_audio=has_audio,
            hdr=False,
        ),
        cuts=tuple(ends[1:-1]),
        shots=tuple(
            Shot(
                start_frame=a,
                end_frame=b,
                start_seconds=round(a / rate, 3),
                end_seconds=round(b / rate, 3),
            )
            for a, b in pairwise(ends)
        ),
        transitions=tuple(transitions),
        motion_moments=moments,
        faces=face_track(faces),
        hook=Hook(
            hook_score=hook_score, hook_type="face", optimization_suggestions=(), contributions={}
        ),
        audio=Audio(
            tempo_bpm=None,
            beats_seconds=tuple(beats),
            onsets_seconds=tuple(onsets),
            speech=tuple(Speech(start_seconds=a, end_seconds=b) for a, b in speech),
            loudness_lufs=None,
            sync=Sync(sync_points=(), sync_quality=None, beat_matches=0),
        ),
        pattern=VideoPattern(
            video_id="v",
            motion_moments=(),
            hook_score=hook_score,
            face_engagement=None,
            audio_sync_quality=None,
            extracted_at=NOON,
        ),
        analysers=tuple(analysers),
    )


def face_track(faces: Sequence[FaceAt]) -> Faces:
    """Faces at a third of the height; several at one moment are one sample."""
    moments: dict[float, list[Box]] = {}
    for at, middle, width, track in faces:
        box = Box(
            left=round(middle - width / 2, 4), top=0.25, width=width, height=width, track=track
        )
        moments.setdefault(round(at, 3), []).append(box)
    return Faces(
        detector="haar",
        share=1.0 if moments else 0.0,
        max_count=max((len(boxes) for boxes in moments.values()), default=0),
        engagement=None,
        samples=tuple(
            FaceSample(frame=round(at * 25), at_seconds=at, boxes=tuple(moments[at]))
            for at in sorted(moments)
        ),
    )


def _moments(frames: int, rate: float, energies: Sequence[float]) -> tuple[MotionMoment, ...]:
    found = []
    for i, first in enumerate(range(0, frames, 30)):
        last = min(frames, first + 30)
        energy = energies[i % len(energies)] if energies else 0.0
        kind = "hook" if first / rate < 3 else "cta" if last > 0.8 * frames else "content"
        found.append(
            MotionMoment(
                frame_start=first,
                frame_end=last,
                timestamp_start=round(first / rate, 3),
                timestamp_end=round(last / rate, 3),
                motion_energy=energy,
                peak_frame=first,
                peak_energy=energy,
                moment_type=kind,
                face_present=False,
                face_weight=1.0,
            )
        )
    return tuple(found)


def inference(
    words: Sequence[tuple[str, float, float]] | None = None,
    *,
    lines: Sequence[tuple[str, float, float, tuple[float, float, float, float]]] = (),
    persons: Sequence[tuple[float, float]] = (),
) -> Inference:
    """What was said (word, from, to), written (text, from, to, box), seen (moment, middle)."""
    transcript = None
    if words is not None:
        transcript = Transcript(
            language="en",
            source="captions",
            words=tuple(
                Word(word=w, start_seconds=a, end_seconds=b, confidence=1.0) for w, a, b in words
            ),
        )
    return Inference(
        video_id="v",
        transcript=transcript,
        text=tuple(
            TextLine(
                start_seconds=a,
                end_seconds=b,
                text=text,
                confidence=1.0,
                box=Box(left=box[0], top=box[1], width=box[2], height=box[3]),
            )
            for text, a, b, box in lines
        ),
        objects=tuple(
            SeenObject(
                shot=0,
                at_seconds=at,
                label="person",
                confidence=0.9,
                box=Box(left=middle - 0.1, top=0.2, width=0.2, height=0.8),
            )
            for at, middle in persons
        ),
        analysers=(),
    )


def footage(found: Analysis, seen: Inference | None = None, **others: Any) -> Footage:
    """Footage called `ad`."""
    return Footage(
        **{"name": "ad", "path": "a.mp4", "analysis": found, "inference": seen, **others}
    )


def talk(
    text: str, start: float, *, word_seconds: float = 0.3, gap: float = 0.05, pause: float = 0.5
) -> list[tuple[str, float, float]]:
    """Words one after another, with a pause after each full stop."""
    words, at = [], start
    for word in text.split():
        words.append((word, round(at, 3), round(at + word_seconds, 3)))
        at += word_seconds + (pause if word[-1] in ".!?" else gap)
    return words


@st.composite
def random_footage(draw: st.DrawFn) -> Footage:
    """Any video of 0.1 to 600 seconds, with or without words, beats, faces, text."""
    rate = draw(st.sampled_from([10.0, 23.976, 24.0, 25.0, 29.97, 30.0, 50.0, 59.94, 60.0, 14.7]))
    total = draw(st.one_of(st.floats(0.1, 8.0), st.floats(0.1, 600.0)))
    count = draw(st.integers(1, 25))
    shares = [draw(st.floats(0.05, 1.0)) for _ in range(count)]
    shots = [max(1 / rate, total * share / sum(shares)) for share in shares]
    size = draw(st.sampled_from([(1920, 1080), (1080, 1920), (640, 640), (64, 48), (176, 144)]))
    spoken = draw(st.sampled_from(["nothing", "speech", "words", "touching words"]))
    speech, words = _random_speech(draw, total, spoken)
    beats: list[float] = []
    if draw(st.booleans()):
        step = draw(st.floats(0.3, 1.0))
        beats = [round(step * i, 3) for i in range(int(total / step))]
    faces = [
        (round(total * i / 20, 3), draw(st.floats(0.05, 0.95)), draw(st.floats(0.02, 0.5)), i % 3)
        for i in range(draw(st.integers(0, 20)))
    ]
    lines = []
    if draw(st.booleans()):
        begin = draw(st.floats(0, total))
        lines = [("HELLO YOU", begin, begin + 2.0, (0.2, 0.8, draw(st.floats(0.1, 0.7)), 0.1))]
    found = analysis(
        shots,
        rate=rate,
        size=size,
        energies=[draw(st.floats(0, 5)) for _ in range(4)],
        faces=faces,
        speech=speech,
        beats=beats,
        has_audio=spoken != "nothing" or draw(st.booleans()),
    )
    seen = inference(words, lines=lines) if words is not None or lines else None
    scores = tuple(draw(st.one_of(st.none(), st.floats(0, 1))) for _ in shots)
    return footage(found, seen, scores=scores)


def _random_speech(
    draw: st.DrawFn, total: float, spoken: str
) -> tuple[list[tuple[float, float]], list[tuple[str, float, float]] | None]:
    if spoken == "nothing":
        return [], None
    spans: list[tuple[float, float]] = []
    at = draw(st.floats(0, 3.0))
    for _ in range(draw(st.integers(0, 40))):
        long = draw(st.floats(0.1, 1.2 if "words" in spoken else 12.0))
        if at + long > total:
            break
        spans.append((round(at, 3), round(at + long, 3)))
        pause = 0.0 if spoken == "touching words" else draw(st.floats(0.0, 1.5))
        at += long + pause
    if spoken == "speech":
        return [(a, b) for a, b in spans if b > a], None
    ends = [draw(st.sampled_from(["a", "b.", "c,"])) for _ in spans]
    return spans, [(word, a, b) for word, (a, b) in zip(ends, spans, strict=True)]
