"""How long a text may be: what the platforms take and show, and what a viewer can read."""

import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from shared.creative_models import Platform
from shared.errors import Rejected
from shared.models import Record

FILE = Path(__file__).parents[2] / "knowledge" / "text_limits.json"
TextField = Literal["hook", "headline", "cta"]


class TextTooLong(Rejected):
    """A text of the concept's own that a platform does not take or show whole."""


class TextLimit(Record):
    """One line of the table; `platform` is `all` for what we ask of every video."""

    platform: Literal["all", "meta", "google", "tiktok", "linkedin", "x"]
    field: str
    name: str = Field(description="what the platform calls it")
    shown: int | None = Field(default=None, ge=1)
    most: int | None = Field(default=None, ge=1)
    by: Literal["platform", "others", "us"]
    source: str
    read: date

    @property
    def width(self) -> int:
        """The smaller of what is shown and what is taken."""
        return min(limit for limit in (self.shown, self.most) if limit is not None)


class TextLimits(Record):
    """The whole table."""

    version: str
    note: str
    limits: tuple[TextLimit, ...]


@cache
def text_limits() -> TextLimits:
    """The table that is shipped."""
    return TextLimits.model_validate_json(FILE.read_bytes())


@cache
def limit_of(field: str, platforms: tuple[Platform, ...]) -> TextLimit:
    """The narrowest limit of a field over the overlay and some platforms."""
    known = [
        limit
        for limit in text_limits().limits
        if limit.field == field and limit.platform in ("all", *platforms)
    ]
    return min(known, key=lambda limit: limit.width)


def width_of(text: str) -> int:
    """How wide a text is: a wide character or an emoji counts two, as the platforms count."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def fits(text: str, field: TextField, platforms: tuple[Platform, ...]) -> bool:
    """Whether a text is taken and shown whole everywhere, and can be read in its time."""
    return width_of(text) <= limit_of(field, platforms).width


def check_own(text: str, field: TextField, platforms: tuple[Platform, ...]) -> None:
    """Raise TextTooLong for a text that the advertiser wrote and that does not fit."""
    limit, width = limit_of(field, platforms), width_of(text)
    if width <= limit.width:
        return
    place = limit.name if limit.platform == "all" else f"{limit.platform}: {limit.name}"
    others = tuple(one for one in platforms if one != limit.platform)
    way_out = f"shorten it by {width - limit.width}"
    if others and width <= limit_of(field, others).width:
        way_out += f", or leave {limit.platform} out of `platforms`"
    raise TextTooLong(
        f"{field} is {width} characters wide; at most {limit.width} ({place}); {way_out}"
    )


def limits_table(fields: Sequence[str] = ()) -> str:
    """The table as Markdown, for the documentation."""
    rows = ["| platform | text | what it is | shown | taken | says | looked at |"]
    rows.append("| --- | --- | --- | --- | --- | --- | --- |")
    for one in text_limits().limits:
        if not fields or one.field in fields:
            shown, most = one.shown or "", one.most or ""
            says = f"[{one.by}]({one.source})"
            cells = (one.platform, one.field, one.name, shown, most, says, one.read)
            rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)
