"""Limits of text: one table with sources, kept by every text, told by every error."""

from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from shared.creative_models import Platform
from shared.domain.creative.limits import (
    TextField,
    TextTooLong,
    check_own,
    fits,
    limit_of,
    limits_table,
    text_limits,
    width_of,
)

ROOT = Path(__file__).parents[4]


def test_every_line_of_the_table_says_who_says_so_and_when_we_looked() -> None:
    for limit in text_limits().limits:
        assert limit.source.startswith("https://")
        assert limit.read >= date(2026, 11, 21)
        assert limit.width > 0


def test_every_platform_limits_what_opens_an_ad() -> None:
    for platform in get_args(Platform):
        assert any(one.platform == platform for one in text_limits().limits)
        for field in get_args(TextField):
            assert limit_of(field, (platform,)).width <= 90


def test_the_narrowest_of_all_platforms_binds() -> None:
    everywhere = get_args(Platform)
    assert limit_of("headline", everywhere).width == 40
    assert limit_of("headline", ("x", "linkedin")).width == 68
    assert limit_of("hook", ("x",)).width == 51
    assert not fits("x" * 41, "headline", everywhere)
    assert fits("x" * 41, "headline", ("x",))


def test_wide_characters_count_two() -> None:
    assert width_of("abc") == 3
    assert width_of("保湿") == 4
    assert width_of("💧") == 2


def test_an_own_text_that_is_too_long_names_field_length_limit_and_way_out() -> None:
    with pytest.raises(TextTooLong, match=r"headline is 50 characters wide; at most 40 \(google: "):
        check_own("h" * 50, "headline", ("google", "x"))
    with pytest.raises(TextTooLong, match="by 10, or leave google out of `platforms`"):
        check_own("h" * 50, "headline", ("google", "x"))
    with pytest.raises(TextTooLong, match=r"hook is 60 .*at most 51 \(overlay.*shorten it by 9$"):
        check_own("h" * 60, "hook", ("google",))


def test_the_page_shows_the_table_of_the_data() -> None:
    assert limits_table() in (ROOT / "docs" / "variations.md").read_text()
