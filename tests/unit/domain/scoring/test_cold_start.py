"""The prediction without results: the documented rules, the headline, and honesty about both."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.scoring.cold_start import ASSUMED_CTR, predict_cold
from shared.score_models import AdFacts, Signals
from tests.unit.domain.scoring.creatives import everything


def variation(**facts: object) -> Signals:
    seconds = facts.pop("seconds", None)
    return Signals(ad=AdFacts.model_validate(facts), duration_seconds=seconds)


@pytest.mark.parametrize(
    ("signals", "score"),
    [
        (variation(headline="A quiet lamp", pacing="slow", seconds=30), 0.5),
        (variation(headline="Hurry, offer ends tonight!", pacing="slow", seconds=30), 0.6),
        (variation(headline="A quiet lamp", call_to_action="Shop Now", seconds=30), 0.6),
        (variation(headline="A quiet lamp", pacing="slow", seconds=15), 0.55),
        (variation(headline="A quiet lamp", pacing="fast", seconds=30), 0.55),
        (variation(headline="A quiet lamp", pacing="slow", seconds=60), 0.45),
        (
            variation(
                headline="Hurry, offer ends tonight!",
                call_to_action="Shop now",
                pacing="fast",
                seconds=15,
            ),
            0.8,
        ),
    ],
)
def test_the_rank_score_is_that_of_the_document(signals: Signals, score: float) -> None:
    assert predict_cold(signals).rank_score == pytest.approx(score)


@given(
    st.text(max_size=60),
    st.one_of(st.none(), st.floats(0.001, 0.5)),
    st.one_of(st.none(), st.floats(0, 600)),
    st.sampled_from(["", "fast", "medium", "slow"]),
)
def test_effects_sum_to_the_distance_from_the_usual(
    headline: str, usual: float | None, seconds: float | None, pacing: str
) -> None:
    signals = variation(headline=headline, expected_ctr=usual, pacing=pacing, seconds=seconds)
    told = predict_cold(signals)
    expected = usual or ASSUMED_CTR
    assert sum(m.effect for m in told.movers) == pytest.approx(told.value - expected, abs=1e-9)
    assert 0 < told.low <= told.value <= told.high <= 1
    assert 0 <= told.confidence <= 0.3


def test_what_was_not_known_is_named_and_lowers_the_confidence() -> None:
    whole, nothing = predict_cold(everything()), predict_cold(Signals())
    assert whole.lacked == ()
    assert whole.confidence == pytest.approx(0.3)
    assert set(nothing.lacked) == {
        "urgent_words",
        "clear_call_to_action",
        "lasts_15_seconds",
        "fast_pacing",
        "lasts_60_seconds",
        "headline",
        "expected_ctr",
    }
    assert nothing.confidence == 0.0
    assert nothing.movers == ()
    assert nothing.value == ASSUMED_CTR


def test_nothing_of_it_is_called_measured() -> None:
    told = predict_cold(everything())
    assert told.coverage is None
    assert told.model_version == "cold-start-1"


def test_the_better_headline_is_expected_to_do_better_within_a_fifth() -> None:
    weak, strong = (
        predict_cold(variation(headline=text, expected_ctr=0.02, pacing="slow", seconds=30))
        for text in ("The lamp", "Here's what happened when she told them the truth about it. Wow.")
    )
    assert strong.value > weak.value
    assert 0.02 / 1.21 < weak.value < strong.value < 0.02 * 1.21


def test_a_german_headline_is_ranked_without_words() -> None:
    told = predict_cold(variation(headline="Warum ist deine Haut nur so trocken?", seconds=15))
    assert {"urgent_words", "headline"} <= set(told.lacked)
    assert told.rank_score == pytest.approx(0.55)
