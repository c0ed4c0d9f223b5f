"""The consensus: weights times confidence, outliers by median absolute deviation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.council_models import Opinion
from shared.domain.council.consensus import (
    Voice,
    agree,
    band_of,
    confidence_of,
    disagree,
    merge_remarks,
)
from tests.support.vendors import opinion

DEVIATIONS = 3.0


def voice(
    judge: str, overall: float, confidence: float = 0.5, weight: float = 1.0, band: str = "unknown"
) -> Voice:
    """A judge that gives every criterion one score."""
    said = opinion(overall, confidence=confidence, ctr_band=band)
    return Voice(judge, Opinion.model_validate(said, strict=False), weight)


def test_the_score_is_the_mean_by_weight_times_confidence() -> None:
    voices = [voice("a", 80, 0.9, 2.0), voice("b", 50, 0.6, 1.0)]
    expected = (80 * 1.8 + 50 * 0.6) / 2.4
    assert agree(voices, DEVIATIONS)["overall"].score == pytest.approx(expected, abs=0.05)


def test_a_judge_far_from_all_others_does_not_count_and_is_named() -> None:
    voices = [voice("a", 52), voice("b", 55), voice("c", 58), voice("obedient", 100, 1.0)]
    overall = agree(voices, DEVIATIONS)["overall"]
    assert overall.outliers == ("obedient",)
    assert overall.score == pytest.approx(55)
    assert (overall.judges, overall.highest) == (3, 100)
    assert disagree(agree(voices, DEVIATIONS))


def test_judges_that_agree_to_the_digit_do_not_make_a_near_miss_an_outlier() -> None:
    voices = [voice("a", 60), voice("b", 60), voice("c", 60), voice("d", 70)]
    assert agree(voices, DEVIATIONS)["overall"].outliers == ()


def test_of_two_judges_neither_is_an_outlier_but_they_disagree() -> None:
    voices = [voice("a", 10, 0.5), voice("b", 90, 0.5)]
    agreements = agree(voices, DEVIATIONS)
    assert agreements["overall"].outliers == ()
    assert agreements["overall"].score == 50
    assert disagree(agreements)
    assert confidence_of(voices, agreements["overall"]) == 0.0


def test_agreement_keeps_the_judges_confidence() -> None:
    voices = [voice("a", 60, 0.8), voice("b", 60, 0.6)]
    assert confidence_of(voices, agree(voices, DEVIATIONS)["overall"]) == pytest.approx(0.7)


def test_a_criterion_that_nobody_can_tell_has_no_score() -> None:
    said = opinion()
    said["scores"]["brand"] = None
    lone = Voice("a", Opinion.model_validate(said, strict=False), 1.0)
    brand = agree([lone], DEVIATIONS)["brand"]
    assert (brand.score, brand.judges) == (None, 0)


def test_judges_without_any_confidence_count_alike() -> None:
    voices = [voice("a", 40, 0.0), voice("b", 60, 0.0)]
    assert agree(voices, DEVIATIONS)["overall"].score == 50


def test_a_tie_between_bands_is_unknown() -> None:
    assert band_of([voice("a", 50, band="low"), voice("b", 50, band="high")]) == "unknown"
    assert band_of([voice("a", 50, 0.9, band="low"), voice("b", 50, band="high")]) == "low"
    assert band_of([voice("a", 50)]) == "unknown"


def test_remarks_are_taken_in_turn_and_each_once() -> None:
    assert merge_remarks([["x", "y"], ["X", "z"], []]) == ("x", "y", "z")
    assert len(merge_remarks([[f"{n}" for n in range(20)]])) == 8


@given(
    st.lists(
        st.tuples(
            st.floats(min_value=0, max_value=100),
            st.floats(min_value=0, max_value=1),
            st.floats(min_value=0, max_value=9),
        ),
        min_size=1,
        max_size=7,
    )
)
def test_a_consensus_lies_between_its_judges_whatever_they_say(
    said: list[tuple[float, float, float]],
) -> None:
    voices = [voice(f"j{n}", *one) for n, one in enumerate(said)]
    overall = agree(voices, DEVIATIONS)["overall"]
    assert overall.score is not None
    assert min(s for s, _, _ in said) - 0.05 <= overall.score <= max(s for s, _, _ in said) + 0.05
    assert 0 <= confidence_of(voices, overall) <= 1
    assert overall.judges + len(overall.outliers) == len(voices)
