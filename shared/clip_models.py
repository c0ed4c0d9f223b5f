"""The records of clips: shots that can be found again, questions about them, and the answers."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from shared.models import Record

Fraction = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
MAX_QUESTION_CHARACTERS = 1_000


class Clip(Record):
    """One shot of one ad with all that is known of it; None is unknown, empty is none."""

    clip_id: str = Field(description="video_id and shot number, the same on every run")
    video_id: str
    tenant_id: str
    shot: int = Field(ge=0, description="index into the analysis' shots")
    name: str = Field(default="", description="the ad's file name, as its owner wrote it")
    path: str = Field(default="", description="the video's file, of which the clip is a part")
    start_seconds: float = Field(ge=0)
    end_seconds: float = Field(ge=0, description="exclusive")
    thumbnail_path: str | None = Field(
        default=None,
        description="the ad's contact sheet, which numbers its shots from 1; None: none was drawn",
    )
    transcript: str | None = None
    text: str | None = Field(default=None, description="what is written on screen, each line once")
    objects: tuple[str, ...] | None = Field(default=None, description="labels, most sure first")
    has_face: bool | None = None
    features: dict[str, float | None] = Field(default={}, description="measured on this shot, 0-1")
    score: float | None = Field(default=None, ge=0, le=1)
    hook_type: str | None = Field(
        default=None, description="the strongest hook in the clip's own words; `none` without one"
    )
    predicted_ctr: float | None = Field(
        default=None, ge=0, le=1, description="of the whole ad: a clip alone has none"
    )
    platform: str = ""
    language: str = Field(default="", description="ISO 639-1 of what is said; empty: unknown")
    rank: int = Field(ge=1, description="among the clips of its ad, 1 is the best")
    made_at: datetime = Field(description="when its ad was analysed")

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end_seconds - self.start_seconds


class ClipVector(Record):
    """A clip and the vector of its words; None when it has no words or nobody embedded them."""

    clip: Clip
    vector: tuple[float, ...] | None = None


class ClipSet(Record):
    """The clips of one ad, and the vector of all its words."""

    video_id: str
    made_at: datetime
    model: str = Field(default="", description="what made the vectors; empty: there are none")
    clips: tuple[ClipVector, ...]
    whole: tuple[float, ...] | None = None


class ClipFilter(Record):
    """What a clip has to be; None asks nothing. What is unknown of a clip meets no condition."""

    min_score: Fraction | None = None
    min_predicted_ctr: Fraction | None = None
    hook_types: frozenset[str] | None = None
    platforms: frozenset[str] | None = None
    languages: frozenset[str] | None = None
    video_id: str | None = None
    has_face: bool | None = None
    min_seconds: float | None = Field(default=None, ge=0, description="shortest clip")
    max_seconds: float | None = Field(default=None, ge=0, description="longest clip")
    from_seconds: float | None = Field(default=None, ge=0, description="earliest start in its ad")
    to_seconds: float | None = Field(default=None, ge=0, description="latest start in its ad")
    since: datetime | None = Field(default=None, description="its ad was analysed then or later")
    until: datetime | None = Field(default=None, description="its ad was analysed before")

    def accepts(self, clip: Clip) -> bool:
        """Whether a clip meets every condition."""
        return (
            _at_least(clip.score, self.min_score)
            and _at_least(clip.predicted_ctr, self.min_predicted_ctr)
            and (self.hook_types is None or clip.hook_type in self.hook_types)
            and (self.platforms is None or clip.platform in self.platforms)
            and (self.languages is None or clip.language in self.languages)
            and self.video_id in (None, clip.video_id)
            and (self.has_face is None or clip.has_face is self.has_face)
            and _at_least(clip.seconds, self.min_seconds)
            and (self.max_seconds is None or clip.seconds <= self.max_seconds)
            and _at_least(clip.start_seconds, self.from_seconds)
            and (self.to_seconds is None or clip.start_seconds <= self.to_seconds)
            and (self.since is None or clip.made_at >= self.since)
            and (self.until is None or clip.made_at < self.until)
        )


def _at_least(value: float | None, least: float | None) -> bool:
    return least is None or (value is not None and value >= least)


class ClipQuestion(Record):
    """What somebody looks for; without text the best clips that pass the filter."""

    text: str = Field(default="", max_length=MAX_QUESTION_CHARACTERS)
    filter: ClipFilter = ClipFilter()
    limit: int = Field(default=10, ge=1, le=100)


class Match(Record):
    """Why a clip was found; None where that way of searching did not find it."""

    words: tuple[str, ...] = Field(default=(), description="of the question, that it has")
    word_rank: int | None = Field(default=None, ge=1)
    word_score: float | None = Field(default=None, description="BM25")
    meaning_rank: int | None = Field(default=None, ge=1)
    similarity: float | None = Field(default=None, description="cosine, -1 to 1")


class Hit(Record):
    """A clip that was found; `relevance` only orders the hits of one answer."""

    clip: Clip
    relevance: float
    match: Match


class Found(Record):
    """The answer: hits, best first, and what could not be done."""

    hits: tuple[Hit, ...]
    searched: int | None = Field(description="clips that were looked through; None: not counted")
    by_meaning: bool = Field(description="whether meaning was compared, or words only")
    notes: tuple[str, ...] = ()


class AdRecord(Record):
    """One ad as it is compared with others; results are None until somebody reports them."""

    video_id: str
    name: str = ""
    made_at: datetime
    clips: int = Field(ge=0)
    hook_type: str | None = None
    score: float | None = None
    predicted_ctr: float | None = None
    started_at: datetime | None = Field(default=None, description="when it began to run")
    impressions: int | None = Field(default=None, ge=0)
    clicks: int | None = Field(default=None, ge=0)
    conversions: int | None = Field(default=None, ge=0)
    revenue_per_spend: float | None = Field(
        default=None, ge=0, allow_inf_nan=False, description="ROAS"
    )
    industry: str = Field(default="", description="empty: nobody said")
    objective: str = Field(default="", description="empty: nobody said")
    hook_template: str = Field(default="", description="id; empty: not from a template of ours")
    cta_template: str = Field(default="", description="id; empty: not from a template of ours")


class SimilarAd(Record):
    """A past ad that resembles another; `weight` orders them."""

    ad: AdRecord
    similarity: float
    lift: float | None = Field(description="its rate over the usual one; None: no results known")
    freshness: float = Field(ge=0, le=1)
    weight: float
    reason: str
