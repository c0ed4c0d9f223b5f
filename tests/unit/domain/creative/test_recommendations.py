"""What past ads teach: their own industry's, enough of them, better and worse kinds."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clip_models import AdRecord
from shared.domain.creative.recommendations import recommend
from tests.unit.domain.creative.concepts import concept_of


def ad(number: int = 0, **fields: Any) -> AdRecord:
    """An ad of the industry that was shown a thousand times."""
    given_fields: dict[str, Any] = {
        "video_id": f"{number:032x}",
        "made_at": datetime(2026, 1, 1, tzinfo=UTC),
        "clips": 1,
        "industry": "beauty",
        "impressions": 1_000,
        "clicks": 20,
        **fields,
    }
    return AdRecord(**given_fields)


def test_confidence_is_a_hundredth_an_ad_with_results() -> None:
    ads = [ad(number) for number in range(50)]
    assert recommend(concept_of(), ads).confidence == 0.5
    assert recommend(concept_of(), ads * 4).confidence == 1
    assert recommend(concept_of(), []).confidence == 0
    assert recommend(concept_of(), []).expected_ctr is None


@pytest.mark.parametrize(
    "fields",
    [{"impressions": None}, {"impressions": 0}, {"clicks": None}, {"industry": "saas"}],
)
def test_an_ad_without_results_or_of_another_industry_does_not_count(
    fields: dict[str, Any],
) -> None:
    assert recommend(concept_of(), [ad(**fields)]).confidence == 0


def test_an_ad_that_says_no_industry_counts_and_spelling_does_not() -> None:
    found = recommend(
        concept_of(industry="E-Commerce"), [ad(industry=""), ad(industry="ecommerce")]
    )
    assert found.confidence == 0.02


def test_kinds_that_do_better_come_first_and_those_that_do_worse_are_avoided() -> None:
    ads = [
        *(ad(hook_type="question", clicks=40, cta_template="get_now") for _ in range(3)),
        *(ad(hook_type="pov", clicks=30, hook_template="pov_discovered") for _ in range(3)),
        *(ad(hook_type="number", clicks=2) for _ in range(3)),
        *(ad(hook_type="you", clicks=900) for _ in range(2)),
        ad(hook_type="none", clicks=0, revenue_per_spend=2.0),
    ]
    found = recommend(concept_of(), [one for one in ads if one.hook_type != "you"])
    assert found.hook_types == ("question", "pov")
    assert found.avoid == ("number",)
    assert found.ctas == ("get_now",)
    assert found.hooks == ("pov_discovered",)
    assert found.expected_roas == 2.0
    # Two ads are no evidence, however well they did.
    assert "you" not in recommend(concept_of(), ads).hook_types


def test_rates_are_pooled() -> None:
    found = recommend(concept_of(), [ad(impressions=9_000, clicks=90), ad(clicks=110)])
    assert found.expected_ctr == pytest.approx(0.02)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9)), max_size=20))
def test_no_numbers_break_it(results: list[tuple[int, int]]) -> None:
    found = recommend(concept_of(), [ad(impressions=shown, clicks=n) for shown, n in results])
    assert found.expected_ctr is None or 0 < found.expected_ctr < 1
