"""Which hooks won: results beat scores, and few results prove little."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clip_models import AdRecord
from shared.domain.patterns.winners import UNKNOWN, sum_up_hooks
from tests.support.clips import NOON


def ad(hook_type: str | None, **known: float) -> AdRecord:
    """An ad of which this is known."""
    return AdRecord.model_validate(
        {"video_id": "v", "made_at": NOON, "clips": 1, "hook_type": hook_type, **known}
    )


def test_the_best_rate_of_many_comes_before_a_lucky_few() -> None:
    found = sum_up_hooks(
        [
            ad("question", impressions=50_000, clicks=1_000),
            ad("question", impressions=50_000, clicks=1_200),
            ad("pov", impressions=100_000, clicks=1_000),
            ad("number", impressions=20, clicks=1),
            ad("command", score=0.9),
            ad("testimonial", score=0.4),
        ]
    )
    assert [one.hook_type for one in found] == [
        *("question", "number", "pov"),
        *("command", "testimonial"),
    ]
    best = found[0]
    assert (best.ads, best.with_results, best.impressions, best.clicks) == (2, 2, 100_000, 2_200)
    assert best.ctr == pytest.approx(0.022)
    assert best.lift == pytest.approx(1.37, abs=0.01)
    assert found[1].lift == pytest.approx(1.02, abs=0.01)
    assert found[3].ctr is found[3].lift is None


def test_means_are_of_what_is_known() -> None:
    (one,) = sum_up_hooks(
        [ad("pov", score=0.2, predicted_ctr=0.01), ad("pov", score=0.4), ad("pov")]
    )
    assert (one.ads, one.with_results) == (3, 0)
    assert one.score == pytest.approx(0.3)
    assert one.predicted_ctr == pytest.approx(0.01)


def test_an_ad_that_nobody_read_is_of_an_unknown_kind_and_no_ads_are_nothing() -> None:
    assert sum_up_hooks([]) == ()
    assert sum_up_hooks([ad(None)])[0].hook_type == UNKNOWN


counts = st.integers(0, 10_000)


@given(st.lists(st.tuples(st.sampled_from(["question", "pov", "none"]), counts, counts)))
def test_nothing_is_counted_twice_or_lost(told: list[tuple[str, int, int]]) -> None:
    ads = [ad(kind, impressions=seen + clicks, clicks=clicks) for kind, seen, clicks in told]
    found = sum_up_hooks(ads)
    assert sum(one.ads for one in found) == len(ads)
    assert sum(one.clicks for one in found) == sum(clicks for _, _, clicks in told if clicks)
    assert all(one.lift is None or 0.25 <= one.lift <= 4 for one in found)
    known = [one.lift for one in found if one.lift is not None]
    assert known == sorted(known, reverse=True)
