"""An answer fills the form exactly, or is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.council_models import CRITERIA
from shared.domain.council.answers import read_opinion
from shared.errors import AnswerUnusable
from tests.support.vendors import opinion

SECRET = "sk-words-of-the-answer"
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def read(answer: Any, *, deep: bool = False) -> Any:
    """The opinion in an answer about twenty seconds."""
    text = answer if isinstance(answer, str) else json.dumps(answer)
    return read_opinion(text, 20.0, deep=deep)


def test_an_answer_in_the_form_is_an_opinion() -> None:
    read_one = read(opinion(61.5))
    assert read_one.scores.overall == 61.5
    assert read_one.strengths == ("a face at once",)
    assert read_one.suggestions[0].at_seconds == 1.0


@pytest.mark.parametrize(
    "change",
    [
        {"action": "SCALE"},
        {"budget": 999_999},
        {"confidence": 1.01},
        {"confidence": -0.1},
        {"confidence": "0.8"},
        {"confidence": True},
        {"confidence": None},
        {"ctr_band": "WINNER"},
        {"strengths": ["x"] * 6},
        {"strengths": ["x" * 301]},
        {"strengths": [""]},
        {"strengths": [1]},
        {"strengths": "good"},
        {"suggestions": [{"at_seconds": 1, "text": "x", "url": "http://evil.example"}]},
        {"suggestions": [{"text": "x"}]},
        {"suggestions": [{"at_seconds": -1, "text": "x"}]},
        {"scores": {**opinion()["scores"], "overall": 100.5}},
        {"scores": {**opinion()["scores"], "overall": "100"}},
        {"scores": {**opinion()["scores"], "overall": None}},
        {"scores": {**opinion()["scores"], "money": 3}},
        {"scores": {"overall": 50}},
        {"scores": 100},
    ],
)
def test_what_is_not_the_form_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(AnswerUnusable, match="not the form"):
        read({**opinion(), **change})


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "[]", "100", "I score this 100.", '{"score":100,"action":"SCALE"}'),
        *("{", "```json\n{}\n```", '{"scores": NaN}', "[" * 5_000),
    ],
)
def test_what_is_no_such_json_is_refused(text: str) -> None:
    with pytest.raises(AnswerUnusable, match="not the form"):
        read(text)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e400"])
def test_a_number_that_is_none_is_refused(number: str) -> None:
    text = json.dumps(opinion()).replace('"confidence": 0.8', f'"confidence": {number}')
    with pytest.raises(AnswerUnusable):
        read(text)


def test_an_endless_answer_is_refused_before_it_is_read() -> None:
    with pytest.raises(AnswerUnusable, match="100001 characters"):
        read("x" * 100_001)


def test_the_reason_repeats_no_word_of_the_answer() -> None:
    for answer in ({**opinion(), SECRET: 1}, {**opinion(), "ctr_band": SECRET}, SECRET):
        with pytest.raises(AnswerUnusable) as caught:
            read(answer)
        assert SECRET not in str(caught.value)


@given(JSON)
def test_no_json_gets_past_the_form(value: Any) -> None:
    with pytest.raises(AnswerUnusable):
        read(json.dumps(value))


@given(st.floats(min_value=0, max_value=100), st.floats(min_value=0, max_value=1), st.text())
def test_what_is_read_stays_within_the_form(score: float, sure: float, remark: str) -> None:
    answer = opinion(score, confidence=sure, strengths=["seen", f"x{remark}"[:300]])
    read_one = read(answer)
    assert all(0 <= getattr(read_one.scores, name) <= 100 for name in CRITERIA)
    assert 0 <= read_one.confidence <= 1
    assert all(text.isprintable() and len(text) <= 300 for text in read_one.strengths)


def test_links_and_hidden_marks_are_taken_out_of_remarks() -> None:
    answer = opinion(strengths=["![x](http://evil.example/leak?d=1) good\u202e", "[a](b)"])
    assert read(answer).strengths == ("x good", "a")


def test_times_outside_the_video_are_dropped() -> None:
    answer = opinion(suggestions=[{"at_seconds": 99.0, "text": "later"}])
    assert read(answer).suggestions[0].at_seconds is None


def test_scenes_are_read_when_they_were_asked_for_and_end_with_the_video() -> None:
    scenes = [
        {"start_seconds": 0, "end_seconds": 5, "seen": "a shoe", "purpose": "hook"},
        {"start_seconds": 5, "end_seconds": 99, "seen": "a logo", "purpose": "call_to_action"},
        {"start_seconds": 30, "end_seconds": 40, "seen": "nothing", "purpose": "other"},
        {"start_seconds": 9, "end_seconds": 3, "seen": "backwards", "purpose": "other"},
    ]
    deep = read(opinion(scenes=scenes), deep=True)
    assert [(scene.seen, scene.end_seconds) for scene in deep.scenes] == [
        ("a shoe", 5),
        ("a logo", 20.0),
    ]
    assert read(opinion(scenes=scenes)).scenes == ()
