"""Reports that tests make up, to draw pictures of."""

from datetime import UTC, datetime
from itertools import pairwise

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

FPS = 30
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
BOX = Box(left=0.4, top=0.2, width=0.2, height=0.2)


def report_of(shots: int = 3, shot_frames: int = 60, *, first: float = 0.0) -> Analysis:
    """Shots of equal length with cuts between, a face in each second second, beats, speech."""
    frames = shots * shot_frames
    end = first + frames / FPS
    edges = [i * shot_frames for i in range(shots + 1)]
    moments = tuple(_window(f, min(f + 30, frames), first) for f in range(0, frames, 30))
    samples = tuple(
        FaceSample(frame=f, at_seconds=first + f / FPS, boxes=(BOX,) if f % 60 == 0 else ())
        for f in range(0, frames, 30)
    )
    hook = Hook(hook_score=0.5, hook_type="face", optimization_suggestions=(), contributions={})
    return Analysis(
        video_id="v1",
        media=Media(
            container="mov",
            codec="h264",
            width=1920,
            height=1080,
            rotation=0,
            fps=FPS,
            variable_rate=False,
            frames=frames,
            duration_seconds=frames / FPS,
            has_audio=True,
            hdr=False,
        ),
        cuts=tuple(edges[1:-1]),
        shots=tuple(
            Shot(
                start_frame=a,
                end_frame=b,
                start_seconds=first + a / FPS,
                end_seconds=first + b / FPS,
            )
            for a, b in pairwise(edges)
        ),
        transitions=tuple(Transition(kind="cut", start_frame=e, end_frame=e) for e in edges[1:-1]),
        motion_moments=moments,
        faces=Faces(detector="haar", share=0.5, max_count=1, engagement=0.7, samples=samples),
        hook=hook,
        audio=Audio(
            tempo_bpm=120.0,
            beats_seconds=tuple(first + i / 2 for i in range(2 * frames // FPS)),
            onsets_seconds=(),
            speech=(Speech(start_seconds=first + 0.5, end_seconds=end - 0.5),),
            loudness_lufs=-14.0,
            sync=Sync(sync_points=(first + 1.0,), sync_quality=0.5, beat_matches=1),
        ),
        pattern=VideoPattern(
            video_id="v1",
            motion_moments=moments,
            hook_score=0.5,
            face_engagement=0.7,
            audio_sync_quality=0.5,
            extracted_at=NOON,
        ),
        analysers=(Analyser(name="speech", status="ran"),),
    )


def _window(start: int, end: int, first: float) -> MotionMoment:
    return MotionMoment(
        frame_start=start,
        frame_end=end,
        timestamp_start=first + start / FPS,
        timestamp_end=first + end / FPS,
        motion_energy=1.0 + start % 7,
        peak_frame=start + 3,
        peak_energy=2.0 + start % 11,
        moment_type="content",
        face_present=False,
        face_weight=1.0,
    )
