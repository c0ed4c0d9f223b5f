"""What an account usually gets, from the results of its past ads."""

from collections.abc import Iterable

from shared.domain.scoring.cold_start import ASSUMED_CTR

PRIOR_IMPRESSIONS = 2_000.0
"""As many impressions at the expected rate are added: few prove little. Our judgement."""


def usual_ctr(results: Iterable[tuple[int, int]], least_impressions: int) -> float | None:
    """The CTR (a fraction) of all (clicks, impressions) together, drawn to 1 % when few.

    None under `least_impressions` in all.
    """
    known = [(min(clicks, seen), seen) for clicks, seen in results]
    seen = sum(seen for _, seen in known)
    if seen < least_impressions:
        return None
    return shrunk_ctr(sum(clicks for clicks, _ in known), seen, ASSUMED_CTR)


def shrunk_ctr(clicks: int, impressions: int, usual: float) -> float:
    """The posterior mean of one ad's CTR, before whose results the usual was expected."""
    return (min(clicks, impressions) + PRIOR_IMPRESSIONS * usual) / (
        impressions + PRIOR_IMPRESSIONS
    )
