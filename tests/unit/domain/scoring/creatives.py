"""Creatives with all signals, with few and with none."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from shared.inference_models import AudioQuality, FaceEmotion, SeenObject, Word
from shared.models import (
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
from shared.score_models import (
    AdFacts,
    Audience,
    PastAd,
    Signals,
    TextLine,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def analysis(width: int = 1080, height: int = 1920, seconds: float = 12.0) -> Analysis:
    """A report on a video of three shots with a face, music and speech."""
    moments = tuple(
        MotionMoment(
            frame_start=30 * i,
            frame_end=30 * (i + 1),
            timestamp_start=float(i),
            timestamp_end=float(i + 1),
            motion_energy=1.0 + i % 3,
            peak_frame=30 * i,
            peak_energy=5.0,
            moment_type="content",
            face_present=True,
            face_weight=3.2,
        )
        for i in range(int(seconds))
    )
    bounds = (0.0, 2.0, 5.0, seconds)
    box = Box(left=0.1, top=0.1, width=0.3, height=0.3)
    return Analysis(
        video_id="0" * 32,
        media=Media(
            container="mp4",
            codec="h264",
            width=width,
            height=height,
            rotation=0,
            fps=30.0,
            variable_rate=False,
            frames=int(30 * seconds),
            duration_seconds=seconds,
            has_audio=True,
            hdr=False,
        ),
        cuts=(60, 150),
        shots=tuple(
            Shot(start_frame=int(30 * a), end_frame=int(30 * b), start_seconds=a, end_seconds=b)
            for a, b in pairwise(bounds)
        ),
        transitions=tuple(Transition(kind="cut", start_frame=at, end_frame=at) for at in (60, 150)),
        motion_moments=moments,
        faces=Faces(
            detector="haar",
            share=0.5,
            max_count=1,
            engagement=0.6,
            samples=(FaceSample(frame=0, at_seconds=0.0, boxes=(box,)),),
        ),
        hook=Hook(
            hook_score=0.7,
            hook_type="face",
            optimization_suggestions=(),
            contributions={"faces": 0.7},
        ),
        audio=Audio(
            tempo_bpm=120.0,
            beats_seconds=(0.5, 1.0),
            onsets_seconds=(0.5,),
            speech=(Speech(start_seconds=1.0, end_seconds=5.0),),
            loudness_lufs=-14.0,
            sync=Sync(sync_points=(), sync_quality=0.4, beat_matches=0),
        ),
        pattern=VideoPattern(
            video_id="0" * 32,
            motion_moments=moments,
            hook_score=0.7,
            face_engagement=0.6,
            audio_sync_quality=0.4,
            extracted_at=NOON,
        ),
        analysers=(),
    )


def words(text: str, start_seconds: float = 0.0) -> tuple[Word, ...]:
    """Words that are spoken without a pause, three a second."""
    return tuple(
        Word(
            word=w,
            start_seconds=start_seconds + i / 3,
            end_seconds=start_seconds + (i + 1) / 3,
            confidence=1,
        )
        for i, w in enumerate(text.split())
    )


def seen(at_seconds: float, label: str, area: float) -> SeenObject:
    """An object that fills this share of the picture."""
    box = Box(left=0, top=0, width=area, height=1)
    return SeenObject(shot=0, at_seconds=at_seconds, label=label, confidence=1, box=box)


def felt(at_seconds: float, scores: dict[str, float]) -> FaceEmotion:
    """What one face shows."""
    box = Box(left=0, top=0, width=1, height=1)
    return FaceEmotion(
        at_seconds=at_seconds, box=box, emotion=max(scores, key=scores.__getitem__), scores=scores
    )


def everything() -> Signals:
    """A creative of which every signal is there."""
    return Signals(
        analysis=analysis(),
        text=(
            TextLine(start_seconds=0, end_seconds=6, text="Tired of dry skin?", coverage=0.1),
            TextLine(start_seconds=8, end_seconds=12, text="Shop now. Only 3 left!", coverage=0.2),
        ),
        words=words("I tried this cream and it changed my skin in just 7 days."),
        sightings=(
            seen(0, "person", 0.4),
            seen(0, "bottle", 0.1),
            seen(1, "person", 0.3),
        ),
        emotions=(
            felt(0, {"happiness": 0.6, "surprise": 0.3, "neutral": 0.1}),
            felt(1, {"happiness": 0.2, "neutral": 0.8}),
        ),
        sound=AudioQuality(
            clipped_share=0.0, noise_floor_db=-60.0, snr_db=40.0, reverberation_seconds=0.0
        ),
        pictures={"person": 0.6, "product": 0.4},
        embedding=(1.0, 0.0, 0.0),
        past_ads=(
            PastAd(embedding=(1.0, 0.0, 0.0), started_at=NOON - timedelta(days=30), ctr=0.01),
            PastAd(embedding=(0.0, 1.0, 0.0), started_at=NOON - timedelta(days=3), ctr=0.03),
        ),
        ad=AdFacts(
            platform="tiktok",
            industry="beauty",
            headline="Hydrated skin in 7 days",
            call_to_action="Shop now",
            audience=Audience(
                age_from=25,
                age_to=44,
                interests=("skin care", "hiking"),
                language="en-US",
                persona_embedding=(1.0, 0.0, 0.0),
            ),
            made_for_age_from=25,
            made_for_age_to=34,
            size_bytes=3_000_000,
            expected_ctr=0.02,
        ),
        scored_at=NOON,
    )
