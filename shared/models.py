"""The records of the product: limits, the analysis report and its parts."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Record(BaseModel):
    """A frozen record with only the fields it declares."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Record):
    """What a video may be at most before it is refused, and what it is read with."""

    max_bytes: int = 500_000_000
    max_seconds: float = 600.0
    max_side_pixels: int = 8192
    max_fps: float = 120.0
    max_streams: int = 8
    deadline_seconds: float = Field(default=432.0, description="wall time for reading one video")
    max_memory_bytes: int = Field(
        default=4_000_000_000, description="address space of the reading process"
    )
    face_model: str = Field(
        default="", description="path of the ONNX network that finds faces; empty: Haar cascade"
    )


class CouncilRules(Record):
    """How a council sits: time, money, weights; all are settings."""

    deadline_seconds: float = Field(default=20.0, gt=0, le=300)
    video_cap_micro_usd: int = Field(default=1_000_000, ge=0)
    day_cap_micro_usd: int = Field(default=10_000_000, ge=0)
    weights: dict[str, float] = Field(
        default_factory=dict, description="by scheme (gemini, claude, ...) or full name; 1 else"
    )
    outlier_deviations: float = Field(default=3.0, gt=0)
    deep: bool = False
    max_output_tokens: int = Field(default=4_000, ge=200)
    max_video_bytes: int = Field(default=14_000_000, ge=0)
    prices: str = Field(default="", description="path of a price table; empty: the one shipped")
    most_clips: int = Field(default=5, ge=0, le=20)


class ScoringRules(Record):
    """What scoring takes from the account's past; both are settings."""

    most_past_ads: int = Field(default=50, ge=0, le=1_000)
    least_impressions: int = Field(default=1_000, ge=1)


class CreativeRules(Record):
    """How variations are picked; all are settings."""

    diversity: float = Field(default=0.5, ge=0, le=1, description="0 is by expectation alone")
    most_selected: int = Field(default=10, ge=0, le=50)
    least_score: float = Field(default=0.5, ge=0, le=1, description="what is not over it is left")


class InferenceTools(Record):
    """Where the networks lie, and which of two kinds is used where there are two."""

    models: str = Field(default=".local/models", description="the folder with ONNX files")
    object_model: Literal["yolox", "yolov8"] = "yolox"
    text_reader: Literal["ppocr", "paddleocr"] = "ppocr"
    sentence_engine: Literal["numpy", "sentence-transformers"] = "numpy"


class Media(Record):
    """What a video is, measured on decoded frames; width and height as displayed."""

    container: str
    codec: str
    width: int
    height: int
    rotation: Literal[0, 90, 180, 270] = Field(
        description="degrees clockwise from stored to displayed"
    )
    fps: float = Field(ge=0)
    variable_rate: bool
    frames: int = Field(ge=0)
    duration_seconds: float = Field(ge=0)
    has_audio: bool
    hdr: bool


class Shot(Record):
    """A run of frames between transitions; `end_frame` and `end_seconds` are exclusive."""

    start_frame: int
    end_frame: int
    start_seconds: float
    end_seconds: float


class Transition(Record):
    """How one shot becomes the next; for a cut, start = end = first frame of the new shot."""

    kind: Literal["cut", "fade_in", "fade_out", "dissolve"]
    start_frame: int
    end_frame: int


class MotionMoment(Record):
    """One window of 30 frames (shorter at the end), as 1-data-flow section 1 lists it."""

    frame_start: int
    frame_end: int
    timestamp_start: float
    timestamp_end: float
    motion_energy: float = Field(ge=0)
    peak_frame: int
    peak_energy: float = Field(ge=0)
    moment_type: Literal["hook", "transition", "cta", "content"]
    face_present: bool
    face_weight: float


class Box(Record):
    """A rectangle on the displayed picture, fractions of its width and height."""

    left: float
    top: float
    width: float
    height: float
    tracked: bool = Field(
        default=False, description="followed from a neighbouring sample, not detected on this one"
    )
    track: int | None = Field(
        default=None, ge=0, description="which face: one number for one face within one shot"
    )

    @property
    def area(self) -> float:
        """Its share of the picture, 0-1."""
        return min(1.0, max(0.0, self.width * self.height))


class FaceSample(Record):
    """The faces on one sampled frame."""

    frame: int
    at_seconds: float
    boxes: tuple[Box, ...]


class Faces(Record):
    """Faces over the whole video; `share` and `engagement` are fractions, None when not run."""

    detector: str = Field(default="", description="haar, yunet or yolov8-face; empty when not run")
    share: float | None = Field(ge=0, le=1)
    max_count: int | None = Field(ge=0)
    engagement: float | None = Field(ge=0, le=1)
    samples: tuple[FaceSample, ...]


class Hook(Record):
    """How the first three seconds hold a viewer, 0-1, and what would help."""

    hook_score: float = Field(ge=0, le=1)
    hook_type: str
    optimization_suggestions: tuple[str, ...]
    contributions: dict[str, float] = Field(description="what each signal added to the score")


class Speech(Record):
    """A stretch of speech."""

    start_seconds: float
    end_seconds: float


class Sync(Record):
    """Beats and onsets that fall on cuts or motion peaks; `sync_quality` is None without sound."""

    sync_points: tuple[float, ...]
    sync_quality: float | None = Field(ge=0, le=1)
    beat_matches: int = Field(ge=0)


class Audio(Record):
    """What is heard. `tempo_bpm` is None without a steady beat, `loudness_lufs` None in silence."""

    tempo_bpm: float | None
    beats_seconds: tuple[float, ...]
    onsets_seconds: tuple[float, ...]
    speech: tuple[Speech, ...]
    loudness_lufs: float | None
    sync: Sync


class VideoPattern(Record):
    """What is kept to compare this video with others."""

    video_id: str
    motion_moments: tuple[MotionMoment, ...]
    hook_score: float
    face_engagement: float | None
    audio_sync_quality: float | None
    extracted_at: datetime


class Analyser(Record):
    """Whether one part of the analysis ran, and why not when it did not."""

    name: str
    status: Literal["ran", "unavailable", "skipped"]
    reason: str = ""
    seconds: float = Field(default=0.0, ge=0)


class Analysis(Record):
    """The report on one video: what `gv analyze --json` prints and what is stored."""

    video_id: str
    media: Media
    cuts: tuple[int, ...] = Field(description="first frame of each new shot after a hard cut")
    shots: tuple[Shot, ...]
    transitions: tuple[Transition, ...]
    motion_moments: tuple[MotionMoment, ...]
    faces: Faces
    hook: Hook
    audio: Audio
    pattern: VideoPattern
    analysers: tuple[Analyser, ...]
