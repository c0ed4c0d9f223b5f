"""Which kinds of hook a tenant's own ads won with: results first, scores where there are none."""

from collections.abc import Iterable
from statistics import fmean

from shared.clip_models import AdRecord, HookSummary
from shared.domain.patterns.similar import PRIOR_IMPRESSIONS, rate_of, shrunk_lift

UNKNOWN = "unknown"


def sum_up_hooks(ads: Iterable[AdRecord]) -> tuple[HookSummary, ...]:
    """One summary a kind of hook, the highest lift first; those without results by their score.

    The lift is the posterior mean of the CTR over that of all these ads, 0.25-4, as if each kind
    had 2,000 impressions more at the usual rate.
    """
    by_kind: dict[str, list[AdRecord]] = {}
    for ad in ads:
        by_kind.setdefault(ad.hook_type or UNKNOWN, []).append(ad)
    usual = rate_of([(ad.clicks, ad.impressions) for kind in by_kind.values() for ad in kind])
    found = [_summary(name, kind, usual) for name, kind in by_kind.items()]
    return tuple(sorted(found, key=_order))


def _summary(name: str, ads: list[AdRecord], usual: float | None) -> HookSummary:
    results = [
        (ad.clicks, ad.impressions) for ad in ads if ad.clicks is not None and ad.impressions
    ]
    clicks = sum(clicks for clicks, _ in results)
    impressions = sum(impressions for _, impressions in results)
    lift = None
    if results and usual:
        lift = shrunk_lift(clicks, impressions, usual, PRIOR_IMPRESSIONS)
    return HookSummary(
        hook_type=name,
        ads=len(ads),
        score=_mean(ad.score for ad in ads),
        predicted_ctr=_mean(ad.predicted_ctr for ad in ads),
        with_results=len(results),
        impressions=impressions,
        clicks=clicks,
        ctr=clicks / impressions if impressions else None,
        lift=lift,
    )


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _order(one: HookSummary) -> tuple[bool, float, float, str]:
    return (one.ctr is None, -(one.lift or 0.0), -(one.score or 0.0), one.hook_type)
