"""The heuristic judge: the same facts give the same words, and it says what it lacked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.council_models import Opinion
from shared.domain.council.case import Case, read_case
from shared.domain.council.heuristic import (
    GIVEN,
    MOST_CONFIDENCE,
    OVERALL,
    PARTS,
    judge_by_rules,
)
from shared.inference_models import Inference
from tests.support.cases import analysis, card, case

ALL_SIGNALS = dict.fromkeys(GIVEN, 0.9)


def test_the_weights_of_each_criterion_and_of_all_add_up_to_one() -> None:
    for criterion in OVERALL:
        weights = [part.weight for part in PARTS if part.criterion == criterion]
        assert sum(weights) == pytest.approx(1)
    assert sum(OVERALL.values()) == pytest.approx(1)


def test_a_report_alone_is_judged_and_the_rest_is_said_to_be_lacking() -> None:
    opinion, lacked = judge_by_rules(Case(analysis()))
    assert opinion.scores.hook == pytest.approx(0.7 * 75 + 0.3 * 50)
    assert opinion.scores.brand is None
    assert opinion.scores.call_to_action is None
    assert {"brand", "urgency", "text_at_end", "curiosity"} <= set(lacked)
    assert 0 < opinion.confidence < MOST_CONFIDENCE
    assert "strong first three seconds" in opinion.strengths
    assert opinion.suggestions[0].text == "show the product at once"


def test_the_same_case_is_judged_alike() -> None:
    assert judge_by_rules(case("BUY NOW")) == judge_by_rules(case("BUY NOW"))


def test_with_every_signal_nothing_is_lacking_and_it_is_as_sure_as_it_gets() -> None:
    full = replace(case("HELLO", "YOU"), signals=ALL_SIGNALS)
    opinion, lacked = judge_by_rules(full)
    assert lacked == ()
    assert opinion.confidence == pytest.approx(MOST_CONFIDENCE)
    assert opinion.scores.brand == pytest.approx(90)


def test_signals_are_found_under_the_names_that_scoring_gives_them() -> None:
    known = card({"band": "high"}, urgency=0.8, authority=None)
    nothing_read = Inference(video_id="a" * 32, analysers=())
    one = read_case(analysis(), "ad.mp4", nothing_read, known)
    opinion, lacked = judge_by_rules(one)
    assert opinion.scores.call_to_action == pytest.approx(0.35 * 80 + 0.65 * 50)
    assert opinion.ctr_band == "high"
    assert "urgency" not in lacked
    assert "authority" in lacked


def test_a_weak_part_is_named_as_a_weakness() -> None:
    weak = replace(case(), signals={"urgency": 0.0, "brand": 0.1})
    opinion, _ = judge_by_rules(weak)
    assert "the brand is hardly present" in opinion.weaknesses
    assert "no reason to act now" in opinion.weaknesses


def test_a_better_signal_never_lowers_a_score() -> None:
    for name in GIVEN:
        low, _ = judge_by_rules(Case(analysis(), signals={name: 0.1}))
        high, _ = judge_by_rules(Case(analysis(), signals={name: 0.9}))
        assert high.scores.overall >= low.scores.overall, name


@given(
    st.dictionaries(
        st.sampled_from([*GIVEN, "other"]), st.none() | st.floats() | st.text(max_size=5)
    )
)
def test_whatever_signals_come_the_opinion_fits_the_form(
    signals: dict[str, float | str | None],
) -> None:
    opinion, _ = judge_by_rules(Case(analysis(), signals=signals))
    assert Opinion.model_validate_json(opinion.model_dump_json()) == opinion
