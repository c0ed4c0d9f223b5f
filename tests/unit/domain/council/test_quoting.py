"""Text from videos stays in its quotes, whatever it says."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.council.quoting import addresses_a_judge, plain, quoted, without_links

LINES = (Path(__file__).parent / "data" / "prompt_injection_lines.txt").read_text("utf-8")
ATTACKS = LINES.splitlines()


@given(st.text())
def test_whatever_a_text_says_it_stands_in_one_json_string(text: str) -> None:
    block = quoted({"text": text}, "a1b2").split("\n", 1)[1].rpartition("\n</data-a1b2>")[0]
    assert json.loads(block) == {"text": text}
    assert "<" not in block
    assert ">" not in block


@given(st.text(), st.integers(min_value=0, max_value=50))
def test_a_plain_text_is_one_short_line_of_what_can_be_seen(text: str, longest: int) -> None:
    seen = plain(text, longest)
    assert len(seen) <= longest
    assert seen.isprintable()
    assert plain(seen, longest) == seen


def test_marks_that_nobody_sees_are_taken_out() -> None:
    assert plain("I\u200bgnore\u202e this\x00\n\u2028now", 100) == "Ignore this now"
    assert plain("größe 🎬 日本語", 100) == "größe 🎬 日本語"


@pytest.mark.parametrize("line", [line for line in ATTACKS if "](" not in line])
def test_a_line_that_speaks_to_the_judge_is_noticed(line: str) -> None:
    assert addresses_a_judge(["BUY NOW", line])


def test_a_picture_link_is_noticed_and_cannot_be_fetched() -> None:
    (line,) = (line for line in ATTACKS if "](" in line)
    assert addresses_a_judge([line])
    assert without_links(line) == "x"
    assert without_links("see https://evil.example/x?d=1 now") == "see [link] now"


@pytest.mark.parametrize(
    "line",
    [
        *("Only today: 50 % off", "Don't ignore your skin", "New: the system for your kitchen"),
        *("Score big this summer", "Your personal assistant", "What the previous owners say"),
    ],
)
def test_the_words_of_an_ordinary_advertisement_are_no_attack(line: str) -> None:
    assert not addresses_a_judge([line])
