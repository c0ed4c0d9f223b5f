"""What a call costs: a dated table of list prices; a model that is not in it is unknown."""

import json
import re
from collections.abc import Sequence
from datetime import date
from decimal import ROUND_CEILING, Decimal
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from shared.council_models import Usage
from shared.errors import ConfigError
from shared.models import Record

Usd = Annotated[Decimal, Field(ge=0, le=10_000, allow_inf_nan=False)]
DATED = r"-\d{4}-?\d{2}-?\d{2}"
"""How vendors name one day's version of a model; it costs what the model costs."""


class Price(Record):
    """US dollars a million tokens, or a started minute of video."""

    judge: str
    input: Usd = Decimal(0)
    output: Usd = Decimal(0)
    video_minute: Usd = Decimal(0)
    most_input_tokens: int | None = None
    since: date = date.min
    until: date = date.max
    read: date
    source: str


class PriceTable(Record):
    """All known prices; `version` is the day of the last look at them."""

    version: str
    currency: str = Field(pattern="^USD$")
    note: str
    prices: tuple[Price, ...]

    def cost(self, judge: str, usage: Usage, on: date) -> int | None:
        """Millionths of a dollar, rounded up; None when no price is known for that use and day."""
        price = next((p for p in self._of(judge) if p.since <= on <= p.until), None)
        if price is None or usage.input_tokens > (price.most_input_tokens or usage.input_tokens):
            return None
        # Dollars a million tokens are millionths of a dollar a token.
        micro_usd = (
            price.input * usage.input_tokens
            + price.output * usage.output_tokens
            + price.video_minute * usage.video_seconds / 60 * 1_000_000
        )
        return int(micro_usd.to_integral_value(ROUND_CEILING))

    def _of(self, judge: str) -> Sequence[Price]:
        names = (judge, re.sub(DATED + "$", "", judge))
        exact = [price for price in self.prices if price.judge == names[0]]
        return exact or [price for price in self.prices if price.judge == names[1]]


@cache
def read_prices(path: str = "") -> PriceTable:
    """The price table of a file, or the one shipped here; raises ConfigError."""
    try:
        shipped = files("shared.domain.council") / "prices.json"
        text = Path(path).read_text("utf-8") if path else shipped.read_text("utf-8")
        return PriceTable.model_validate(json.loads(text))
    except (OSError, ValueError, ValidationError) as problem:
        raise ConfigError(f"GEMINIVIDEO_COUNCIL_PRICES={path!r}: {problem}") from problem
