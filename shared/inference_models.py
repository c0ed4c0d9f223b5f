"""The records of the heavy inference: what was read, seen, said and felt in one video."""

from typing import Literal

from pydantic import Field

from shared.models import Analyser, Analysis, Box, Record

Provider = Literal["", "cpu", "gpu"]


ANALYSERS = (
    *("sampling", "text", "objects", "visual_pattern", "transcript"),
    *("face_emotions", "speech_emotions", "audio_quality", "embeddings"),
)
"""The names of all parts of the heavy inference."""


class InferenceAnalyser(Analyser):
    """An analyser of the heavy inference, and which kind of processor its network ran on."""

    provider: Provider = Field(default="", description="empty when no network ran")


class TextLine(Record):
    """A line of text on screen, from its first to its last sample; the box is where it stood."""

    start_seconds: float
    end_seconds: float
    text: str
    confidence: float = Field(ge=0, le=1)
    box: Box


class TextCoverage(Record):
    """How much text there is: shares of the picture's area and of the video's time, 0-1."""

    mean: float = Field(ge=0, le=1, description="share of the picture, averaged over the video")
    most: float = Field(ge=0, le=1, description="the largest share at any moment")
    time: float = Field(ge=0, le=1, description="share of the time with any text")


class SeenObject(Record):
    """One object on one frame, named as in the COCO data set."""

    shot: int = Field(ge=0, description="index into the analysis' shots")
    at_seconds: float
    label: str
    confidence: float = Field(ge=0, le=1)
    box: Box


class Persons(Record):
    """The persons among the objects, over the frames that were looked at."""

    share: float = Field(ge=0, le=1, description="share of the shots with a person, by time")
    max_count: int = Field(ge=0)


class Word(Record):
    """One spoken word."""

    word: str
    start_seconds: float
    end_seconds: float
    confidence: float = Field(ge=0, le=1)


class Transcript(Record):
    """What is said. `source`: the recogniser, or `captions` for a file of the user's."""

    language: str = Field(description="ISO 639-1; empty when nobody said")
    source: str
    words: tuple[Word, ...]

    @property
    def text(self) -> str:
        """All words in one line."""
        return " ".join(word.word for word in self.words)


class FaceEmotion(Record):
    """The expression of one face on one sampled frame; `scores` sum to 1."""

    at_seconds: float
    box: Box
    emotion: str
    scores: dict[str, float]


class SpeechEmotion(Record):
    """How a stretch of speech sounds; `scores` sum to 1."""

    start_seconds: float
    end_seconds: float
    emotion: str
    scores: dict[str, float]


class Emotions(Record):
    """Emotions that were seen and heard; None where the network did not run."""

    faces: tuple[FaceEmotion, ...] | None = None
    speech: tuple[SpeechEmotion, ...] | None = None


class AudioQuality(Record):
    """How clean the sound is, measured on its samples.

    `snr_db` and `reverberation_seconds` are None where the sound gives no way to tell.
    """

    clipped_share: float = Field(ge=0, le=1, description="share of samples in flattened peaks")
    noise_floor_db: float | None = Field(description="level of the quietest tenth, dB full scale")
    snr_db: float | None = Field(description="speech over noise, decibels")
    reverberation_seconds: float | None = Field(description="RT60 estimated from free decays")


class ShotPattern(Record):
    """What a shot looks like to an image classifier: its likeliest classes, best first."""

    shot: int = Field(ge=0)
    labels: tuple[str, ...]
    scores: tuple[float, ...]


class VisualPattern(Record):
    """The visual pattern of each shot, and how much shots differ (1 - mean cosine), 0-1."""

    shots: tuple[ShotPattern, ...]
    variety: float | None = Field(ge=0, le=1)


class ShotEmbedding(Record):
    """The vector of what is said and written during a shot."""

    shot: int = Field(ge=0)
    text: str
    vector: tuple[float, ...]


class Embeddings(Record):
    """Sentence vectors of unit length; `whole` is of transcript and text on screen together."""

    model: str
    dimensions: int
    text: str
    whole: tuple[float, ...]
    shots: tuple[ShotEmbedding, ...]


class Inference(Record):
    """What the networks found in one video; a part is None when its analyser did not run."""

    video_id: str
    text: tuple[TextLine, ...] | None = None
    text_coverage: TextCoverage | None = None
    objects: tuple[SeenObject, ...] | None = None
    persons: Persons | None = None
    transcript: Transcript | None = None
    emotions: Emotions = Emotions()
    audio_quality: AudioQuality | None = None
    visual_pattern: VisualPattern | None = None
    embeddings: Embeddings | None = None
    analysers: tuple[InferenceAnalyser, ...]

    @classmethod
    def none_ran(cls, video_id: str, reason: str) -> "Inference":
        """The record when no analyser could run."""
        parts = (InferenceAnalyser(name=n, status="unavailable", reason=reason) for n in ANALYSERS)
        return cls(video_id=video_id, analysers=tuple(parts))

    def lacking(self) -> tuple[str, ...]:
        """The names of the analysers that could not run, for those who work with less."""
        return tuple(part.name for part in self.analysers if part.status == "unavailable")


class Understanding(Record):
    """Analysis and inference of one video together."""

    analysis: Analysis
    inference: Inference
