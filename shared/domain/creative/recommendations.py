"""What past ads with results teach about the next one of their industry and objective."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from statistics import fmean

from shared.clip_models import AdRecord
from shared.creative_models import Concept, Recommendations

FULL_ADS = 100
"""Confidence is min(1, ads / 100): the house's rule for all it learns."""
LEAST_ADS, LEAST_IMPRESSIONS = 3, 1_000
"""Of a kind, before anything is said of it."""
BETTER, WORSE = 1.0, 0.8
"""Times the usual rate: recommended from the one on, avoided below the other."""


def recommend(concept: Concept, ads: Iterable[AdRecord]) -> Recommendations:
    """Recommendations for a concept from a tenant's own ads.

    An ad counts when it was shown and does not say another industry or objective. Rates are
    pooled: all clicks over all impressions of a kind, so that small ads weigh little.
    """
    known = [ad for ad in ads if _counts(ad, concept)]
    usual = _rate(known)
    roas = [ad.revenue_per_spend for ad in known if ad.revenue_per_spend is not None]
    hooks = _rated(known, lambda ad: ad.hook_type if ad.hook_type not in (None, "none") else "")
    return Recommendations(
        industry=concept.industry,
        expected_ctr=usual,
        expected_roas=fmean(roas) if roas else None,
        confidence=min(1.0, len(known) / FULL_ADS),
        hook_types=_best(hooks, usual),
        hooks=_best(_rated(known, lambda ad: ad.hook_template), usual),
        ctas=_best(_rated(known, lambda ad: ad.cta_template), usual),
        avoid=tuple(sorted(kind for kind, rate in hooks.items() if usual and rate < WORSE * usual)),
    )


def told(found: Recommendations, trusted: bool) -> str:
    """Whether recommendations or general patterns were used, in one sentence."""
    ads = f"confidence {found.confidence:.2f} from past ads of this industry and objective"
    if trusted:
        kinds = f"; better than usual: {', '.join(found.hook_types)}" if found.hook_types else ""
        return f"recommendations blended in, {ads}{kinds}"
    return f"general patterns: {ads} is under 0.5"


def _counts(ad: AdRecord, concept: Concept) -> bool:
    return (
        bool(ad.impressions)
        and ad.clicks is not None
        and _plain(ad.industry) in ("", _plain(concept.industry))
        and _plain(ad.objective) in ("", _plain(concept.objective))
    )


def _plain(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def _rate(ads: Sequence[AdRecord]) -> float | None:
    """Clicks over impressions; None when that is no rate a prediction can start from."""
    shown = sum(ad.impressions or 0 for ad in ads)
    rate = sum(ad.clicks or 0 for ad in ads) / shown if shown else 0.0
    return rate if 0 < rate < 1 else None


def _rated(ads: Sequence[AdRecord], kind_of: Callable[[AdRecord], str | None]) -> dict[str, float]:
    """The pooled rate of every kind with enough ads and impressions behind it."""
    groups: dict[str, list[AdRecord]] = defaultdict(list)
    for ad in ads:
        kind = kind_of(ad)
        if kind:
            groups[kind].append(ad)
    return {
        kind: _rate(group) or 0.0
        for kind, group in groups.items()
        if len(group) >= LEAST_ADS and sum(ad.impressions or 0 for ad in group) >= LEAST_IMPRESSIONS
    }


def _best(rates: dict[str, float], usual: float | None) -> tuple[str, ...]:
    good = [kind for kind, rate in rates.items() if usual and rate >= BETTER * usual]
    return tuple(sorted(good, key=lambda kind: (-rates[kind], kind)))
