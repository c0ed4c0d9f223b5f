"""The records of the council: what a judge is asked, what it may answer, and the verdict."""

from collections.abc import Mapping
from typing import Annotated, Literal, get_args

from pydantic import ConfigDict, Field, StringConstraints

from shared.models import Record

Criterion = Literal["hook", "clarity", "emotion", "call_to_action", "brand", "overall"]
CRITERIA: tuple[Criterion, ...] = get_args(Criterion)

Score = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)]
Remark = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
MicroUsd = Annotated[int, Field(ge=0, description="millionths of a US dollar")]

Band = Literal["low", "medium", "high", "unknown"]
Sense = Literal["text", "image", "video"]


class Media(Record):
    """Bytes that a judge may look at."""

    kind: Literal["image", "video"]
    media_type: Literal["image/jpeg", "image/png", "video/mp4", "video/quicktime", "video/webm"]
    content: bytes = Field(repr=False)
    seconds: float = Field(default=0.0, ge=0, description="length of a video")


class Question(Record):
    """What a language model is asked: our instructions, then data, then the form of the answer."""

    instructions: str
    text: str
    media: tuple[Media, ...] = ()
    answer_schema: Mapping[str, object]
    max_output_tokens: int = Field(ge=1)

    def for_senses(self, senses: frozenset[Sense]) -> "Question":
        """The same question with only the media that a judge can see.

        Who can watch the video is not sent the pictures as well: they would cost twice.
        """
        video = [part for part in self.media if part.kind == "video"]
        if "video" in senses and video:
            return self.model_copy(update={"media": tuple(video)})
        seen = tuple(part for part in self.media if part.kind == "image" and "image" in senses)
        return self.model_copy(update={"media": seen})


class Usage(Record):
    """What a call uses, in the units that vendors bill."""

    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    video_seconds: int = Field(default=0, ge=0)


class Answer(Record):
    """What came back from a language model, not yet believed."""

    text: str
    model: str
    usage: Usage
    seconds: float = Field(ge=0)


class Label(Record):
    """Something an annotator named, and where it was most sure of it."""

    text: Annotated[str, StringConstraints(max_length=300)]
    start_seconds: float = Field(ge=0)
    end_seconds: float = Field(ge=0)
    confidence: Fraction


class Annotations(Record):
    """What a video annotator found; None: it was not asked or did not say."""

    shots: tuple[tuple[float, float], ...] | None = None
    labels: tuple[Label, ...] | None = None
    texts: tuple[Label, ...] | None = None
    logos: tuple[Label, ...] | None = None
    explicit_likelihood: float | None = Field(
        default=None, ge=0, le=1, description="of the worst frame: 0 very unlikely, 1 very likely"
    )
    model: str
    usage: Usage
    seconds: float = Field(ge=0)


class Strict(Record):
    """A record that takes JSON's own types only: no text for a number, no number for a text."""

    model_config = ConfigDict(strict=True)


class Scores(Strict):
    """0-100 a criterion; None where a judge cannot tell."""

    hook: Score | None
    clarity: Score | None
    emotion: Score | None
    call_to_action: Score | None
    brand: Score | None
    overall: Score


class Suggestion(Strict):
    """What would make the ad better, and where."""

    at_seconds: Seconds | None
    text: Remark


class SceneAccount(Strict):
    """What happens in one scene and what it is for."""

    start_seconds: Seconds
    end_seconds: Seconds
    seen: Remark
    purpose: Literal["hook", "problem", "product", "proof", "offer", "call_to_action", "other"]


class Opinion(Strict):
    """All that a judge can say; nothing else is taken from it."""

    scores: Scores
    ctr_band: Band
    strengths: Annotated[tuple[Remark, ...], Field(max_length=5)]
    weaknesses: Annotated[tuple[Remark, ...], Field(max_length=5)]
    suggestions: Annotated[tuple[Suggestion, ...], Field(max_length=8)]
    scenes: Annotated[tuple[SceneAccount, ...], Field(max_length=60)] = ()
    confidence: Fraction


class Cost(Record):
    """What a call costs by the price table; `micro_usd` is None when the model has no price."""

    estimated_micro_usd: MicroUsd | None = None
    metered_micro_usd: MicroUsd | None = None
    usage: Usage | None = None


class Testimony(Record):
    """One judge's part in a verdict: its opinion, or the classed reason why there is none."""

    judge: str
    model: str = ""
    senses: tuple[Sense, ...] = ("text",)
    opinion: Opinion | None = None
    left_out: str = Field(default="", description="code of the reason; empty when it was heard")
    reason: str = ""
    weight: float = Field(default=0.0, ge=0)
    outlier_in: tuple[Criterion, ...] = ()
    lacked: tuple[str, ...] = Field(default=(), description="signals that it would have used")
    seconds: float = Field(default=0.0, ge=0)
    cost: Cost = Cost()


class Agreement(Record):
    """One criterion over all judges; `score` is None when nobody could tell."""

    score: Score | None
    lowest: Score | None
    highest: Score | None
    deviation: float | None = Field(ge=0, description="median absolute deviation")
    judges: int = Field(ge=0, description="whose scores count")
    outliers: tuple[str, ...] = ()


class Verdict(Record):
    """What the council says of a video."""

    video_id: str
    scores: dict[Criterion, Agreement]
    overall: Score
    ctr_band: Band
    confidence: Fraction
    heuristic_only: bool
    note: str
    disagreement: bool
    strengths: tuple[str, ...]
    weaknesses: tuple[str, ...]
    suggestions: tuple[Suggestion, ...]
    scenes: tuple[SceneAccount, ...]
    testimonies: tuple[Testimony, ...]
    injection_suspected: bool = Field(
        description="texts of the video address whoever judges it; they were passed on as data"
    )
    cost_micro_usd: MicroUsd
    price_table: str
    seconds: float = Field(ge=0)
