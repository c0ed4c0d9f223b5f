"""The records of creation: a concept, what is recommended for it, its variations, the plan."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shared.models import Record

Platform = Literal["meta", "google", "tiktok", "linkedin", "x"]
Placement = Literal[
    "meta:feed",
    "meta:reels",
    "meta:stories",
    "tiktok:feed",
    "youtube:instream",
    "youtube:shorts",
    "youtube:demand_gen",
    "linkedin:feed",
    "x:feed",
]
Pacing = Literal["fast", "medium", "slow"]
Strategy = Literal["hook", "cta", "headline", "colors", "pacing_duration", "combination"]
Seconds = Literal[15, 30, 60]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
FewWords = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Colour = Annotated[str, StringConstraints(pattern=r"^#[0-9A-Fa-f]{6}$")]


class Brand(Record):
    """Whose ad it is; colours are shown first among the schemes, the logo is a path in Files."""

    name: FewWords = ""
    colors: tuple[Colour, ...] = Field(default=(), max_length=3)
    logo_path: str = Field(default="", max_length=900)


class Concept(Record):
    """What an ad is about, in its advertiser's words; all text in it is data."""

    product: Words
    benefit: Words
    pain_point: Words
    target_audience: Words
    industry: Words
    objective: Words = "conversions"
    brand: Brand = Brand()
    offer: FewWords = ""
    landing_url: str = Field(default="", max_length=2000)
    language: str = Field(default="en", pattern=r"^[a-z]{2}$", description="ISO 639-1")
    platforms: tuple[Platform, ...] = Field(
        default=("meta", "google", "tiktok", "linkedin", "x"),
        min_length=1,
        description="whose text limits every variation keeps",
    )
    placement: Placement = Field(
        default="meta:reels", description="what the picture is laid out for; others are checked"
    )
    seed: int = Field(default=0, ge=0, le=2**53)
    hook: FewWords = Field(default="", description="the base's hook; empty: chosen from templates")
    headline: FewWords = ""
    cta: FewWords = ""
    pacing: Pacing = "medium"
    duration: Seconds = 30


class Recommendations(Record):
    """What past campaigns of an industry teach; blended in from a confidence of 0.5."""

    industry: str
    expected_ctr: float | None = Field(default=None, ge=0, le=1)
    expected_roas: float | None = Field(default=None, ge=0)
    confidence: float = Field(ge=0, le=1, description="min(1, ads with results / 100)")
    hook_types: tuple[str, ...] = Field(default=(), description="best first")
    hooks: tuple[str, ...] = Field(default=(), description="ids of templates, best first")
    ctas: tuple[str, ...] = Field(default=(), description="ids of templates, best first")
    avoid: tuple[str, ...] = Field(default=(), description="hook types that did worse than usual")


class Variation(Record):
    """One way to make the ad; `variations_applied` says what differs from the base."""

    id: str = Field(description="concept id and number, the same for one concept and seed")
    concept_id: str
    variation_number: int = Field(ge=1)
    strategy: Strategy
    variations_applied: dict[str, str] = Field(description="changed field -> how")
    hook: str
    headline: str
    cta: str
    color_scheme: tuple[Colour, ...] = Field(min_length=2, max_length=3)
    color_scheme_name: str
    pacing: Pacing
    duration: Seconds
    created_at: datetime
    predicted_performance: float = Field(ge=0, le=1)
    predicted_score: float = Field(ge=0, le=1, description="the same number, as the flow names it")
    predicted_ctr: float | None = Field(default=None, ge=0, le=1)
    confidence: float = Field(ge=0, le=1)
    variation_hash: str = Field(description="of all that a viewer would see")
    render_priority: int | None = Field(
        default=None, ge=1, description="1 is rendered first; None: not picked"
    )
    why: str = Field(description="the reason for its place, one sentence")


class VariationPlan(Record):
    """Everything that was planned for one concept; stored create-once."""

    concept_id: str
    concept: Concept
    video_id: str | None = Field(default=None, description="the footage; None: colour cards")
    created_at: datetime
    model_version: str = Field(description="what predicted")
    variations: tuple[Variation, ...]
    selected: tuple[str, ...] = Field(description="ids to render, first first")
    recommendations: Recommendations | None = None
    notes: tuple[str, ...] = Field(default=(), description="what was lacking or left out, and why")

    @property
    def chosen(self) -> "tuple[Variation, ...]":
        """The variations to render, first first."""
        by_id = {one.id: one for one in self.variations}
        return tuple(by_id[id] for id in self.selected)
