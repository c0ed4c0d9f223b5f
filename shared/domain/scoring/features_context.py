"""The features beside the pictures: how new the ad is, and whether it fits whom it is for."""

from collections.abc import Callable
from functools import partial
from statistics import fmean
from typing import NamedTuple

import numpy as np

from shared.domain.scoring.feature import Case, Feature
from shared.domain.scoring.texts import read_text

# A viewer forgets: an ad of a month ago counts half.
HALF_LIFE_DAYS = 30.0
SIMILAR = 0.8
RECENT_DAYS = 30.0
PAST = "embedding, past ads"
FACTS = "ad facts"
# Width / height that fills the placement most used, and the length that the platforms recommend.
PLATFORMS = {
    "meta": (0.8, 30.0),
    "facebook": (0.8, 30.0),
    "instagram": (0.5625, 30.0),
    "tiktok": (0.5625, 34.0),
    "youtube": (16 / 9, 30.0),
    "google": (16 / 9, 30.0),
    "snapchat": (0.5625, 15.0),
    "pinterest": (0.5625, 15.0),
    "linkedin": (1.0, 30.0),
    "x": (1.0, 15.0),
}


class Beside(NamedTuple):
    """A past ad beside this one: likeness 0-1, age in days, whether it did better than most."""

    likeness: float
    age_days: float
    won: bool


def past_of(case: Case) -> list[Beside] | None:
    """Past ads with embeddings as long as this one's; None when there is nothing to compare."""
    signals = case.signals
    if signals.embedding is None or signals.past_ads is None or signals.scored_at is None:
        return None
    ours, now = signals.embedding, signals.scored_at
    known = [ad.ctr for ad in signals.past_ads if ad.ctr is not None]
    bar = float(np.median(known)) if known else 1.0
    return [
        Beside(
            likeness_of(ours, ad.embedding)
            if ad.similarity is None
            else min(1.0, max(0.0, ad.similarity)),
            max(0.0, (now - ad.started_at).total_seconds() / 86_400),
            ad.ctr is not None and ad.ctr > bar,
        )
        for ad in signals.past_ads
        if ad.similarity is not None or len(ad.embedding) == len(ours)
    ]


def likeness_of(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """The cosine of two embeddings, 0-1; what points away counts as unlike."""
    a, b = np.asarray(one, np.float64), np.asarray(other, np.float64)
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return min(1.0, max(0.0, float(a @ b) / length)) if length else 0.0


def decay(age_days: float) -> float:
    """How much an ad of that age still counts: one half after 30 days."""
    return float(0.5 ** (age_days / HALF_LIFE_DAYS))


def novelty_of(case: Case) -> float | None:
    """1 - the largest likeness x decay over past ads; 1 without past ads, None when unknown."""
    past = past_of(case)
    if past is None:
        return None
    return 1.0 - max((p.likeness * decay(p.age_days) for p in past), default=0.0)


def _of_past(measure: Callable[[list[Beside]], float | None], case: Case) -> float | None:
    past = past_of(case)
    return measure(past) if past is not None else None


def _likest_age(past: list[Beside]) -> float | None:
    return max(past).age_days if past else None


def _to_winners(past: list[Beside]) -> float | None:
    return max((p.likeness for p in past if p.won), default=None)


def age_alignment(case: Case) -> float | None:
    """The years that the audience and whom the ad is made for share / the years of both, 0-1."""
    ad = case.signals.ad
    ages = (ad.audience.age_from, ad.audience.age_to, ad.made_for_age_from, ad.made_for_age_to)
    if any(age is None for age in ages):
        return None
    low, high, made_low, made_high = (float(age or 0) for age in ages)
    common = min(high, made_high) - max(low, made_low) + 1
    both = max(high, made_high) - min(low, made_low) + 1
    return max(0.0, common / both) if both > 0 else None


def interest_match(case: Case) -> float | None:
    """The share of the audience's interests that the words name, by the beginnings of words."""
    interests = case.signals.ad.audience.interests
    if not interests or not case.wording.known:
        return None
    said = {word[:5] for text in case.wording.all for word in read_text(text).words}
    hits = [any(word[:5] in said for word in read_text(name).words) for name in interests]
    return fmean(hits)


def persona_fit(case: Case) -> float | None:
    """The likeness of the persona's embedding and the ad's, 0-1."""
    persona, ours = case.signals.ad.audience.persona_embedding, case.signals.embedding
    if persona is None or ours is None or len(persona) != len(ours):
        return None
    return likeness_of(persona, ours)


def language_match(case: Case) -> float | None:
    """Whether the words are in the audience's language."""
    wanted, has = case.signals.ad.audience.language, case.wording.language
    if not wanted or not case.wording.known or has.code == "und":
        return None
    return float(has.code == wanted.lower().split("-")[0])


def platform_fit(case: Case) -> float | None:
    """Half how far the shape fills the platform's placement, half that it is not too long."""
    fit = PLATFORMS.get(case.signals.ad.platform.lower())
    analysis = case.signals.analysis
    if fit is None or analysis is None:
        return None
    aspect, longest = fit
    has = analysis.media.width / analysis.media.height
    seconds = analysis.media.duration_seconds
    shape = min(has, aspect) / max(has, aspect)
    return 0.5 * shape + 0.5 * (min(1.0, longest / seconds) if seconds > 0 else 0.0)


def _past(
    name: str, formula: str, unit: str, measure: Callable[[list[Beside]], float | None]
) -> Feature:
    return Feature(
        name,
        "novelty",
        formula,
        PAST,
        unit,
        partial(_of_past, measure),
        "unknown too without past ads",
    )


FEATURES = (
    Feature(
        "novelty", "novelty", "1 - max(likeness x 0.5^(age / 30 days))", PAST, "0-1", novelty_of
    ),
    _past(
        "nearest_distance",
        "1 - largest likeness (cosine)",
        "0-1",
        lambda p: 1 - max(p).likeness if p else None,
    ),
    _past(
        "mean_distance",
        "1 - mean likeness",
        "0-1",
        lambda p: 1 - fmean(b.likeness for b in p) if p else None,
    ),
    _past(
        "decayed_likeness",
        "mean of likeness x decay",
        "0-1",
        lambda p: fmean(b.likeness * decay(b.age_days) for b in p) if p else None,
    ),
    _past("likest_age", "age of the likest ad", "days", _likest_age),
    _past("likeness_to_winners", "largest likeness to ads over the median CTR", "0-1", _to_winners),
    _past(
        "similar_recent",
        "ads of 30 days with likeness >= 0.8",
        "count",
        lambda p: float(sum(b.likeness >= SIMILAR and b.age_days <= RECENT_DAYS for b in p)),
    ),
    _past("past_ads", "ads compared with", "count", lambda p: float(len(p))),
    Feature(
        "age_alignment", "demographic", "common years / years of both", FACTS, "0-1", age_alignment
    ),
    Feature(
        "interest_match",
        "demographic",
        "interests that the words name / interests",
        "ad facts, words",
        "0-1",
        interest_match,
    ),
    Feature(
        "persona_fit",
        "demographic",
        "cosine of persona and ad",
        "ad facts, embedding",
        "0-1",
        persona_fit,
    ),
    Feature(
        "language_match",
        "demographic",
        "words in the audience's language",
        "ad facts, words",
        "0 or 1",
        language_match,
    ),
    Feature(
        "platform_fit",
        "demographic",
        "0.5 shape + 0.5 length",
        "ad facts, analysis",
        "0-1",
        platform_fit,
    ),
)
