"""Prices: dated data, rounded up, and unknown where nothing is known."""

from datetime import date
from pathlib import Path

import pytest

from shared.council_models import Usage
from shared.domain.council.prices import read_prices
from shared.errors import ConfigError

DAY = date(2026, 11, 21)
USED = Usage(input_tokens=10_000, output_tokens=1_000)


def test_tokens_cost_what_the_table_says() -> None:
    cost = read_prices().cost("claude://claude-sonnet-4-6", USED, DAY)
    assert cost == 10_000 * 3 + 1_000 * 15


def test_a_cost_is_rounded_up_to_a_millionth_of_a_dollar() -> None:
    assert read_prices().cost("openai://gpt-5.4-nano", Usage(input_tokens=1), DAY) == 1


def test_a_price_holds_on_its_days_only() -> None:
    prices = read_prices()
    name = "gemini://gemini-3.8-flash"
    before = prices.cost(name, USED, date(2026, 12, 31))
    after = prices.cost(name, USED, date(2027, 1, 1))
    assert before is not None
    assert after == 2 * before


def test_a_dated_version_of_a_model_costs_what_the_model_costs() -> None:
    prices = read_prices()
    assert prices.cost("claude://claude-haiku-4-5-20251001", USED, DAY) == prices.cost(
        "claude://claude-haiku-4-5", USED, DAY
    )


def test_video_is_paid_by_the_minute() -> None:
    usage = Usage(video_seconds=120)
    assert read_prices().cost("video-intelligence://google", usage, DAY) == 1_100_000


@pytest.mark.parametrize("judge", ["gemini://gemini-99", "claude://", "gpt-5.4", ""])
def test_a_model_that_is_not_in_the_table_has_no_price(judge: str) -> None:
    assert read_prices().cost(judge, USED, DAY) is None


def test_a_question_longer_than_a_price_covers_has_no_price() -> None:
    long = Usage(input_tokens=200_001)
    assert read_prices().cost("openai://gpt-5.4", long, DAY) is None


def test_every_price_says_when_and_where_it_was_read() -> None:
    for price in read_prices().prices:
        assert price.source
        assert price.read <= date.fromisoformat(read_prices().version)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1}'])
def test_a_table_that_is_none_is_refused_with_its_path(text: str, tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text(text)
    with pytest.raises(ConfigError, match="COUNCIL_PRICES"):
        read_prices(str(file))
    with pytest.raises(ConfigError, match="COUNCIL_PRICES"):
        read_prices(str(tmp_path / "none.json"))
