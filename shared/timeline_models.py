"""The timeline: an edit list that alone says what a rendered video will be.

Times are seconds; `at`, `start` and `end` of overlays, captions and music are on the output's
clock, those of a clip's source range and crop keys on its source's. Rectangles are fractions of
the displayed picture. Colours are `#RRGGBB`. All text is literal.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.creative_models import Colour
from shared.models import Record

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Moment = Annotated[float, Field(ge=0, allow_inf_nan=False)]
TimelineText = Annotated[str, Field(max_length=500)]


class Source(Record):
    """A file that is cut from; what it is was measured, not read from its header."""

    path: str = Field(description="in Files; the caller hands over a local copy by source name")
    sha256: str = Field(default="", description="empty: not checked")
    width: int = Field(gt=0, description="as displayed")
    height: int = Field(gt=0)
    fps: Positive
    duration_seconds: Positive
    has_audio: bool


class CropKey(Record):
    """Where the crop stands at one moment of the source; between keys it moves linearly."""

    at_seconds: Moment
    left: Fraction
    top: Fraction
    width: Annotated[float, Field(gt=0, le=1)]
    height: Annotated[float, Field(gt=0, le=1)]


class TransitionIn(Record):
    """How a clip comes in over the end of the one before; the output gets shorter by `seconds`."""

    kind: Literal["fade", "dissolve", "wipe", "slide"]
    seconds: Annotated[float, Field(gt=0, le=2)]


class TimelineClip(Record):
    """A range of a source, or a plain colour, for a while."""

    source: str | None = Field(default=None, description="a name in `sources`; None: a colour")
    color: Colour | None = None
    start_seconds: Moment = 0.0
    end_seconds: Positive = Field(description="exclusive")
    speed: Annotated[float, Field(ge=0.25, le=4)] = 1.0
    fit: Literal["crop", "pad", "blur"] = "crop"
    crop: tuple[CropKey, ...] = Field(default=(), description="empty: the middle")
    transition: TransitionIn | None = None
    sound: bool = Field(default=True, description="whether its own sound is heard")
    why: str = Field(default="", description="the reason for its place")

    @property
    def seconds(self) -> float:
        """How long it is on screen."""
        return (self.end_seconds - self.start_seconds) / self.speed

    @model_validator(mode="after")
    def _whole(self) -> "TimelineClip":
        if (self.source is None) == (self.color is None):
            raise ValueError("a clip has either a source or a colour")
        if self.end_seconds <= self.start_seconds:
            raise ValueError(f"a clip ends at {self.end_seconds}, not after {self.start_seconds}")
        return self


class TextOverlay(Record):
    """Words over the picture for a while; they are wrapped and sized to fit their box."""

    text: TimelineText
    role: Literal["hook", "headline", "cta", "other"] = "other"
    start_seconds: Moment
    end_seconds: Positive
    left: Fraction = 0.08
    top: Fraction = 0.12
    width: Annotated[float, Field(gt=0, le=1)] = 0.84
    height: Annotated[float, Field(gt=0, le=1)] = 0.2
    color: Colour = "#FFFFFF"
    background: Colour | None = None
    fade_seconds: Annotated[float, Field(ge=0, le=2)] = 0.15


class Logo(Record):
    """A picture over the picture, by its path in Files."""

    path: str
    left: Fraction
    top: Fraction
    width: Annotated[float, Field(gt=0, le=1)]
    start_seconds: Moment = 0.0
    end_seconds: Positive


class CaptionWord(Record):
    """A word as it is said, on the output's clock."""

    text: Annotated[str, Field(max_length=100)]
    start_seconds: Moment
    end_seconds: Moment


class Captions(Record):
    """Words as they are said, a few at a time; the one being said stands out."""

    words: tuple[CaptionWord, ...] = Field(min_length=1)
    top: Fraction = 0.62
    height: Annotated[float, Field(gt=0, le=1)] = 0.14
    left: Fraction = 0.08
    width: Annotated[float, Field(gt=0, le=1)] = 0.84
    color: Colour = "#FFFFFF"
    highlight: Colour = "#FFD400"


class EndCard(Record):
    """The last seconds: what to do now, on a colour; its words stay inside the rectangle."""

    seconds: Positive = 2.5
    cta: TimelineText
    headline: TimelineText = ""
    brand: TimelineText = ""
    landing: TimelineText = ""
    background: Colour
    color: Colour = "#FFFFFF"
    button: Colour = "#FFFFFF"
    button_text: Colour = "#111111"
    left: Fraction = 0.08
    top: Fraction = 0.15
    width: Annotated[float, Field(gt=0, le=1)] = 0.84
    height: Annotated[float, Field(gt=0, le=1)] = 0.5


class Grade(Record):
    """The colour scheme on the picture: a tint of shadows and lights, 0 is none."""

    shadows: Colour | None = None
    lights: Colour | None = None
    strength: Fraction = 0.0
    saturation: Annotated[float, Field(ge=0, le=2)] = 1.0
    contrast: Annotated[float, Field(ge=0.5, le=1.5)] = 1.0


class Music(Record):
    """A file that is played under everything and gives way to speech."""

    source: str = Field(description="a name in `sources`")
    start_seconds: Moment = Field(default=0.0, description="where in the file it begins")
    gain_db: Annotated[float, Field(ge=-60, le=12)] = -12.0
    duck_db: Annotated[float, Field(ge=0, le=40)] = 9.0


class Sound(Record):
    """How it sounds: loudness after EBU R128, true peak, fades."""

    loudness_lufs: Annotated[float, Field(ge=-40, le=-5)] = -14.0
    true_peak_db: Annotated[float, Field(ge=-9, le=0)] = -2.0
    fade_in_seconds: Annotated[float, Field(ge=0, le=5)] = 0.02
    fade_out_seconds: Annotated[float, Field(ge=0, le=5)] = 0.4
    music: Music | None = None


class Encoding(Record):
    """How the frames are written; the same settings and the same ffmpeg make the same frames."""

    video: Literal["libx264", "h264_nvenc"] = "libx264"
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = "veryfast"
    crf: Annotated[int, Field(ge=0, le=51)] = 21
    threads: Annotated[int, Field(ge=1, le=64)] = 2
    keyframe_seconds: Positive = 2.0
    audio_kbps: Annotated[int, Field(ge=32, le=512)] = 128
    video_kbps: Annotated[int, Field(ge=64, le=100_000)] | None = Field(
        default=None, description="a steady rate, filled up where nothing moves, instead of `crf`"
    )


class Timeline(Record):
    """The whole edit: `render(timeline, files)` needs nothing else."""

    version: Literal[1] = 1
    width: Annotated[int, Field(ge=16, le=8192, multiple_of=2)]
    height: Annotated[int, Field(ge=16, le=8192, multiple_of=2)]
    fps: Annotated[int, Field(ge=10, le=120)] = 30
    sources: dict[str, Source] = Field(default={})
    clips: tuple[TimelineClip, ...] = Field(min_length=1)
    overlays: tuple[TextOverlay, ...] = ()
    logo: Logo | None = None
    captions: Captions | None = None
    end_card: EndCard | None = None
    grade: Grade = Grade()
    sound: Sound = Sound()
    encoding: Encoding = Encoding()
    notes: tuple[str, ...] = Field(default=(), description="what could not be done, and why")

    @property
    def seconds(self) -> float:
        """How long the output is."""
        overlaps = sum(clip.transition.seconds for clip in self.clips if clip.transition)
        body = sum(clip.seconds for clip in self.clips) - overlaps
        return body + (self.end_card.seconds if self.end_card else 0.0)

    @model_validator(mode="after")
    def _known(self) -> "Timeline":
        named = {clip.source for clip in self.clips if clip.source is not None}
        if self.sound.music:
            named.add(self.sound.music.source)
        if unknown := sorted(named - set(self.sources)):
            raise ValueError(f"source {unknown[0]!r} is not among {sorted(self.sources)}")
        if self.clips[0].transition:
            raise ValueError("the first clip has nothing to come over")
        for one, other in zip(self.clips, self.clips[1:], strict=False):
            if other.transition and other.transition.seconds > min(one.seconds, other.seconds) / 2:
                raise ValueError("a transition is longer than half of a clip beside it")
        return self


class Rendered(Record):
    """What a render made: local paths are relative to the folder it was asked to write to."""

    video: str = "video.mp4"
    preview: str | None = "preview.mp4"
    thumbnail: str = "thumbnail.jpg"
    seconds: float
    frames: int
    pictures_sha256: str = Field(
        description="of the coded pictures, to repeat and to audit: the same ones decode alike"
    )
    ffmpeg: str = Field(description="the version that rendered")
    copied: bool = Field(default=False, description="no frame was encoded again")
    loudness_lufs: float | None = None
    true_peak_db: float | None = None
    notes: tuple[str, ...] = ()
