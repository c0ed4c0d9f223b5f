"""The records of scoring: what is known of a video or a storyboard, its scores, a prediction."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.inference_models import AudioQuality, FaceEmotion, SeenObject, Word
from shared.models import Analysis, Record

MAX_STORYBOARD_BYTES = 1_000_000
PictureKind = Literal["person", "product", "demonstration", "text_card", "scenery", "screen"]


class TextLine(Record):
    """Words on screen from one moment to another, planned or read.

    `coverage` is their share of the picture; a plan knows no box that it could follow from.
    """

    start_seconds: float
    end_seconds: float
    text: str
    confidence: float = Field(default=1.0, ge=0, le=1)
    coverage: float | None = Field(default=None, ge=0, le=1)


class PastAd(Record):
    """An ad of before: how like it is, when it started, its CTR (a fraction) when known.

    A store that compared the vectors tells the `similarity` (cosine); else the embedding does.
    """

    embedding: tuple[float, ...] = ()
    similarity: float | None = None
    started_at: datetime
    ctr: float | None = None


class Audience(Record):
    """Who is to see the ad; None or empty is unknown."""

    age_from: int | None = None
    age_to: int | None = None
    interests: tuple[str, ...] = ()
    language: str | None = None
    persona_embedding: tuple[float, ...] | None = None


class AdFacts(Record):
    """What is known of the ad besides its pictures; empty or None is unknown."""

    platform: str = ""
    industry: str = ""
    headline: str = ""
    call_to_action: str = ""
    pacing: Literal["", "fast", "medium", "slow"] = ""
    audience: Audience = Audience()
    made_for_age_from: int | None = None
    made_for_age_to: int | None = None
    size_bytes: int | None = None
    expected_ctr: float | None = Field(
        default=None, gt=0, lt=1, description="the account's or the industry's usual CTR"
    )


class Signals(Record):
    """All that may be known of one creative; None: not measured, empty: measured and nothing."""

    analysis: Analysis | None = None
    text: tuple[TextLine, ...] | None = None
    words: tuple[Word, ...] | None = None
    sightings: tuple[SeenObject, ...] | None = None
    emotions: tuple[FaceEmotion, ...] | None = None
    sound: AudioQuality | None = None
    pictures: dict[PictureKind, float] | None = None
    embedding: tuple[float, ...] | None = None
    past_ads: tuple[PastAd, ...] | None = None
    ad: AdFacts = AdFacts()
    duration_seconds: float | None = Field(default=None, ge=0)
    scene_seconds: tuple[float, ...] | None = None
    scored_at: datetime | None = None


class Score(Record):
    """A score 0-1, None when nothing of it is known; its contributions sum to it."""

    value: float | None = Field(ge=0, le=1)
    contributions: dict[str, float] = Field(default={})
    unknown: tuple[str, ...] = Field(default=(), description="parts whose weight the others took")
    evidence: dict[str, str] = Field(default={}, description="the words behind a part")


class HookKind(Record):
    """A kind of hook in the opening words."""

    kind: str
    strength: float = Field(ge=0, le=1)
    confidence: float = Field(ge=0, le=1)


class HookReading(Record):
    """The strongest kind of hook, `none` without one, `unknown` without words; and the others."""

    kind: str
    strength: float | None = Field(ge=0, le=1)
    confidence: float | None = Field(ge=0, le=1)
    others: tuple[HookKind, ...] = ()
    words: str = ""


class Lack(Record):
    """A signal that was not there, and what was done without it."""

    signal: str
    consequence: str


class Scores(Record):
    """Everything that scoring says of one creative."""

    features: dict[str, float | None]
    curiosity: Score
    urgency: Score
    social_proof: Score
    transformation: Score
    authority: Score
    psychology: Score
    hook: HookReading
    hook_score: Score
    technical: Score
    emotion: Score
    objects: Score
    novelty: Score
    demographic_fit: Score
    overall: Score
    language: str
    lacked: tuple[Lack, ...]


class Mover(Record):
    """A feature that moved a prediction away from the usual, in the prediction's unit."""

    feature: str
    value: float | None
    effect: float


class Prediction(Record):
    """What is expected of a creative, how surely, and why."""

    target: Literal["ctr", "roas", "conversions"]
    value: float
    low: float
    high: float
    coverage: float | None = Field(
        description="the share of cases that the interval held on unseen data; None: not measured"
    )
    band: Literal["low", "medium", "high"]
    confidence: float = Field(ge=0, le=1)
    rank_score: float | None = Field(default=None, ge=0, le=1)
    movers: tuple[Mover, ...]
    model_version: str
    lacked: tuple[str, ...] = Field(description="signals that the model uses and did not have")


class ScoreCard(Record):
    """What is stored of one scoring: the scores, and what is expected because of them."""

    video_id: str
    scored_at: datetime
    scores: Scores
    prediction: Prediction


class ModelRecord(Record):
    """The trained model that a tenant uses for a target: the document that switches it."""

    target: Literal["ctr", "roas", "conversions"]
    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.-]{0,63}$")
    path: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    size_bytes: int = Field(ge=0)
    trained_rows: int = Field(ge=1)
    coverage: float | None = Field(ge=0, le=1)
    figures: dict[str, float] = Field(description="measured on the newest, unseen part of the data")
    installed_at: datetime
    before: str = Field(description="the version that it took the place of; empty: none")


class Scene(Record):
    """One scene of a storyboard; None or empty is unknown."""

    seconds: float = Field(gt=0, le=3600)
    text: str = Field(default="", max_length=2000)
    spoken: str = Field(default="", max_length=10_000)
    picture: PictureKind | None = None


class Storyboard(Record):
    """An ad before there is a video."""

    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=200)
    ad: AdFacts = AdFacts()


class StoryboardCard(Record):
    """What is told of one storyboard; the id follows from the tenant and what the plan says."""

    storyboard_id: str
    scored_at: datetime
    scores: Scores
    prediction: Prediction
