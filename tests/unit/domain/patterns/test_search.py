"""Questions about clips: words and meaning in one ranking, and why."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.clip_models import ClipFilter, ClipQuestion
from shared.domain.patterns.index import ClipIndex
from shared.domain.patterns.search import QuestionEmpty, explain, fuse, search_clips
from tests.support.clips import ToyEmbedder, ad_of, ids

RANKING = st.lists(st.sampled_from("abcdef"), unique=True)


@pytest.fixture
def index(tmp_path: Path) -> ClipIndex:
    """Three ads: one has the words, one the meaning, one neither."""
    index = ClipIndex(tmp_path / "index")
    index.add(
        [
            ad_of("a", "a woman opens the box", "buy it today", name="box_ad.mp4", score=0.4),
            ad_of("b", "girl unwraps parcel", "", name="second.mp4", score=0.9),
            ad_of("c", "the dog runs", name="third.mp4"),
        ]
    )
    return index


def test_words_and_meaning_both_find(index: ClipIndex) -> None:
    found = search_clips(index, ClipQuestion(text="Woman opens box"), ToyEmbedder())
    assert ids(found.hits)[:3] == ["a-0000", "b-0000", "a-0001"]
    first, second, third = found.hits[:3]
    assert first.match.words == ("woman", "opens", "box")
    assert (first.match.word_rank, first.match.meaning_rank) == (1, 2)
    assert explain(first).startswith('"woman" said, "opens" said, "box" said; meaning 0.')
    assert second.match.words == ()
    assert explain(second) == "meaning 1.00"
    assert explain(third) == '"box" name'
    assert (found.searched, found.by_meaning, found.notes) == (5, True, ())


def test_without_a_model_words_alone_count_and_the_answer_says_so(index: ClipIndex) -> None:
    found = search_clips(index, ClipQuestion(text="parcel woman"), None)
    assert ids(found.hits) == ["b-0000", "a-0000"]
    assert not found.by_meaning
    assert found.notes == ("searched by words only: no embedding model here",)


def test_a_filter_alone_lists_the_best(index: ClipIndex) -> None:
    question = ClipQuestion(filter=ClipFilter(min_score=0.4), limit=2)
    assert ids(search_clips(index, question, ToyEmbedder()).hits) == ["b-0000", "b-0001"]


@pytest.mark.parametrize("text", ["", "  ", "!!! ???", "😀"])
def test_a_question_for_nothing_is_refused(index: ClipIndex, text: str) -> None:
    with pytest.raises(QuestionEmpty, match="write some, or set a filter"):
        search_clips(index, ClipQuestion(text=text), ToyEmbedder())


@pytest.mark.parametrize(
    "text", ["' OR 1=1 --", 'box" NEAR woman*', "woman AND (", "%_?[]{}", "box\0", "\ud800 box"]
)
def test_a_question_is_data(index: ClipIndex, text: str) -> None:
    """No operator, wildcard or quote of a query language means anything."""
    try:
        found = search_clips(index, ClipQuestion(text=text), None)
    except (QuestionEmpty, ValidationError):
        return
    assert {word for hit in found.hits for word in hit.match.words} <= {"box", "woman"}
    assert index.size == 5


def test_ranks_are_fused_by_reciprocals() -> None:
    """The formula of the paper, with ties in order of the id."""
    fused = fuse({"words": ["a", "b"], "meaning": ["b", "c"]})
    assert [clip_id for clip_id, _ in fused] == ["b", "a", "c"]
    assert fused[0][1] == pytest.approx(1 / 61 + 1 / 62)
    assert fused[1][1] == pytest.approx(1 / 61)


@given(
    st.lists(st.sampled_from("abcdef"), unique=True),
    st.lists(st.sampled_from("abcdef"), unique=True),
)
def test_fusing_keeps_everybody_and_an_order_both_agree_on(one: list[str], two: list[str]) -> None:
    fused = [name for name, _ in fuse({"one": one, "two": two})]
    assert set(fused) == {*one, *two}
    for first in fused:
        for second in fused:
            ahead = all(
                first in r and second in r and r.index(first) < r.index(second) for r in (one, two)
            )
            assert not ahead or fused.index(first) < fused.index(second)
