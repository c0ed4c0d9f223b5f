"""Words of any language, the same on both sides of a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.patterns.words import MAX_WORDS, word_key, words_asked, words_in


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Woman OPENS box!", ["woman", "opens", "box"]),
        ("Café crème — 50% off", ["cafe", "creme", "50", "off"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("ｆｕｌｌ width", ["full", "width"]),
        ("don't", ["don", "t"]),
        ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),
        ("Ёлка ёлка", ["елка", "елка"]),
        ("", []),
        ("!!! 😀 ...", []),
        ("a_b", ["a", "b"]),
    ],
)
def test_case_accents_width_and_signs_do_not_count(text: str, words: list[str]) -> None:
    assert words_in(text) == words


def test_scripts_without_gaps_are_found_by_pairs_of_signs() -> None:
    stored = set(words_in("女性が箱を開ける video"))
    assert set(words_asked("箱を")) == {"箱を"}
    assert {"箱を", "箱", "開け", "video"} <= stored
    assert words_asked("箱") == ["箱"]
    assert words_asked("箱")[0] in stored


def test_a_question_asks_for_each_word_once() -> None:
    assert words_asked("box Box BOX big") == ["box", "big"]


def test_words_are_bounded() -> None:
    assert len(words_in("a " * (2 * MAX_WORDS))) == MAX_WORDS
    assert [len(word) for word in words_in("x" * 1000 + " é" + "y" * 1000)] == [64, 64]


@given(st.text())
def test_any_text_gives_plain_words_that_a_question_can_ask_for(text: str) -> None:
    stored = words_in(text)
    assert all(word and not word.isspace() for word in stored)
    assert set(words_asked(text)) <= set(stored)
    assert all(word_key(word).isalnum() for word in stored)
