"""Which headline wins, on tests the model has not seen, and the check that keeps bad tests out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.train.headlines import judge_pairs, pair_figures
from scripts.train.recipes import PAIR_SAMPLE
from scripts.train.sources import read_pairs
from shared.domain.scoring.headlines import compare_headlines, score_headline
from shared.domain.scoring.randomisation import SplitTest, broken_weeks, sample_ratio_p_value

line = st.text(max_size=120)


def test_two_of_three_pairs_of_held_out_tests_are_told_right() -> None:
    figures = pair_figures(judge_pairs(read_pairs(PAIR_SAMPLE)), "the sample")
    assert [figure.name for figure in figures if figure.met is False] == []


@given(line, line)
def test_a_pair_of_headlines_has_one_winner_whatever_their_order(one: str, other: str) -> None:
    chance, back = compare_headlines(one, other), compare_headlines(other, one)
    assert (chance is None) == (back is None)
    if chance is not None and back is not None:
        assert 0 < chance < 1
        assert chance + back == pytest.approx(1.0)


def test_a_headline_against_itself_is_a_coin() -> None:
    assert compare_headlines("Watch this", "Watch this") == 0.5


@pytest.mark.parametrize("text", ["", "🔥🔥", "12:34", "Nur noch heute bei uns", "今だけ半額"])
def test_what_is_no_english_headline_has_no_score(text: str) -> None:
    assert score_headline(text) is None


def test_the_score_tells_its_place_among_the_archive() -> None:
    score = score_headline("Here's what happened when she told them the truth. I had no idea.")
    assert score is not None
    assert 0 <= score.percentile <= 1
    assert 0.5 < score.lift < 2
    assert score.version == "headlines-1"
    endless = score_headline("word " * 3000)
    assert endless is not None
    assert endless == score_headline("word " * 40)


def test_even_splits_pass_and_uneven_ones_fail_the_sample_ratio_check() -> None:
    assert sample_ratio_p_value((3000, 3010, 2990)) > 0.5
    assert sample_ratio_p_value((3000, 3600)) < 1e-6
    assert sample_ratio_p_value((3000, 3100, 3400)) < 1e-4
    assert sample_ratio_p_value((3000,)) == sample_ratio_p_value(()) == 1.0
    assert sample_ratio_p_value((0, 0)) == 1.0


def test_one_in_a_hundred_sound_tests_fails() -> None:
    random = np.random.default_rng(1)
    drawn = random.multinomial(12_000, [0.25] * 4, size=4000)
    failed = [sample_ratio_p_value(row.tolist()) < 0.01 for row in drawn]
    assert np.mean(failed) == pytest.approx(0.01, abs=0.005)


def test_weeks_of_uneven_splits_are_found_with_the_weeks_beside_them() -> None:
    sound, broken = (3000, 3010), (3000, 3600)
    tests = [
        SplitTest(week, broken if 204 <= week <= 206 else sound)
        for week in range(201, 211)
        for _ in range(6)
    ]
    assert [*broken_weeks(tests)] == [203, 204, 205, 206, 207]
    assert broken_weeks([SplitTest(1, sound)] * 9) == {}
    assert broken_weeks([]) == {}
