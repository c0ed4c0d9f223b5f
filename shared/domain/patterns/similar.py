"""Ads that resemble another one: those that won and are recent weigh more."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared.clip_models import AdRecord, SimilarAd

HALF_LIFE_DAYS = 90.0
"""After so long a result counts half: tastes and auctions change. Our judgement."""
PRIOR_IMPRESSIONS = 2_000.0
"""As many impressions at the usual rate are added to each ad's own: few prove little."""
PRIOR_CLICKS = 100.0
LEAST_LIFT, MOST_LIFT = 0.25, 4.0
SECONDS_A_DAY = 86_400.0


def rank_similar(near: Iterable[tuple[AdRecord, float]], now: datetime) -> tuple[SimilarAd, ...]:
    """Past ads with their cosine, heaviest first: similarity x lift x freshness.

    Lift is how much better than the mean of these ads one did, shrunk towards 1 by few results:
    conversions a click where they are known, else clicks an impression. An ad of unknown results
    weighs as a usual one. Freshness halves every 90 days since it began to run.
    """
    ads = list(near)
    usual_ctr = rate_of([(ad.clicks, ad.impressions) for ad, _ in ads])
    usual_cvr = rate_of([(ad.conversions, ad.clicks) for ad, _ in ads])
    found = []
    for ad, similarity in ads:
        lift, reason = _lift(ad, usual_ctr, usual_cvr)
        age = (now - (ad.started_at or ad.made_at)).total_seconds() / SECONDS_A_DAY
        freshness = 0.5 ** (max(0.0, age) / HALF_LIFE_DAYS)
        weight = max(0.0, similarity) * freshness * (1.0 if lift is None else lift)
        found.append(
            SimilarAd(
                ad=ad,
                similarity=similarity,
                lift=lift,
                freshness=freshness,
                weight=weight,
                reason=reason,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.weight, one.ad.video_id)))


def rate_of(counts: Sequence[tuple[int | None, int | None]]) -> float | None:
    """Successes a trial over all ads that know both; None when nobody does."""
    known = [(hits, tries) for hits, tries in counts if hits is not None and tries]
    tries = sum(tries for _, tries in known)
    hits = sum(hits for hits, _ in known)
    return hits / tries if tries and hits else None


def _lift(
    ad: AdRecord, usual_ctr: float | None, usual_cvr: float | None
) -> tuple[float | None, str]:
    """How much better than usual, and from what that is known."""
    if ad.conversions is not None and ad.clicks and usual_cvr:
        lift = shrunk_lift(ad.conversions, ad.clicks, usual_cvr, PRIOR_CLICKS)
        return lift, f"{ad.conversions} conversions of {ad.clicks} clicks"
    if ad.clicks is not None and ad.impressions and usual_ctr:
        lift = shrunk_lift(ad.clicks, ad.impressions, usual_ctr, PRIOR_IMPRESSIONS)
        return lift, f"{ad.clicks} clicks of {ad.impressions} impressions"
    return None, "no results known"


def shrunk_lift(hits: int, tries: int, usual: float, prior: float) -> float:
    """The posterior mean of a rate over the usual one, 0.25-4."""
    lift = (hits + prior * usual) / (tries + prior) / usual
    return min(MOST_LIFT, max(LEAST_LIFT, lift))
