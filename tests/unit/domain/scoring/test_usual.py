"""What an account usually gets: pooled over its ads, careful when little is known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.usual import shrunk_ctr, usual_ctr

COUNTS = st.lists(st.tuples(st.integers(0, 10**9), st.integers(1, 10**9)), max_size=20)


def test_all_clicks_over_all_impressions_drawn_to_one_percent() -> None:
    assert usual_ctr([(30, 1_000), (0, 2_000)], 1_000) == pytest.approx((30 + 20) / 5_000)
    assert usual_ctr([(50_000, 1_000_000)], 1_000) == pytest.approx(0.05, rel=0.01)


def test_too_few_impressions_and_none_are_unknown() -> None:
    assert usual_ctr([(9, 999)], 1_000) is None
    assert usual_ctr([], 1) is None


def test_one_lucky_click_is_no_ctr_of_a_half() -> None:
    assert shrunk_ctr(1, 2, 0.01) == pytest.approx(21 / 2_002)


@given(COUNTS, st.integers(1, 10**6))
def test_whatever_was_counted_it_is_a_fraction(counts: list[tuple[int, int]], least: int) -> None:
    """Also more clicks than impressions, as platforms report them on some days."""
    found = usual_ctr(counts, least)
    assert found is None or 0 < found < 1
