"""How fast an ad is cut and read: the numbers of an editor, as data."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from pydantic import Field

from shared.creative_models import Pacing
from shared.models import Record

FILE = Path(__file__).with_name("editing.json")


class Pace(Record):
    """One pacing: how long a shot stays, and how it gives way to the next."""

    shot_seconds: float = Field(gt=0, description="what a shot is meant to last")
    shortest_seconds: float = Field(gt=0, description="below this a shot is only a flash")
    punch_in: float = Field(ge=1, le=1.5, description="how much nearer every second part comes")
    dissolve_seconds: float = Field(ge=0, le=1, description="0: cuts only")


class Editing(Record):
    """Every number that cutting follows."""

    paces: dict[Pacing, Pace]
    end_card_seconds: dict[int, float] = Field(description="by length of the version")
    longest_end_card_seconds: float = Field(gt=0)
    slowest: float = Field(gt=0, le=1, description="least speed of a shot without speech")
    hook_seconds: float = Field(gt=0)
    pause_seconds: float = Field(gt=0, description="silence between words that ends a sentence")
    face_weight: float = Field(ge=1, description="1-data-flow section 1: frames with a face")
    characters_a_second: float = Field(gt=0)
    wide_characters_a_second: float = Field(gt=0, description="Chinese, Japanese, Korean")
    least_reading_seconds: float = Field(gt=0)
    longest_still_seconds: float = Field(gt=0, description="a picture that does not change")


@cache
def editing() -> Editing:
    """The numbers that are shipped."""
    return Editing.model_validate_json(FILE.read_bytes())


def reading_seconds(text: str, rules: Editing) -> float:
    """How long a text has to stand to be read once."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    narrow = len(text) - wide
    seconds = narrow / rules.characters_a_second + wide / rules.wide_characters_a_second
    return max(rules.least_reading_seconds, 0.5 + seconds)


def share_out(total: int, rooms: Sequence[int]) -> list[int]:
    """Frames for parts that have so much room: as equal as they can be, `total` if there is room.

    What one part has no room for goes to the others; the first ones take the odd frames.
    """
    given = [0] * len(rooms)
    left = min(total, sum(rooms))
    while left > 0:
        open_ones = [i for i, room in enumerate(rooms) if given[i] < room]
        each, odd = divmod(left, len(open_ones))
        for rank, i in enumerate(open_ones):
            more = min(each + (1 if rank < odd else 0), rooms[i] - given[i])
            given[i] += more
            left -= more
    return given
