"""Where an ad runs: its picture, and what of it the platform's own controls leave free."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from shared.creative_models import Placement
from shared.models import Record

FILE = Path(__file__).parents[2] / "knowledge" / "safe_zones.json"
Margin = Annotated[float, Field(ge=0, lt=0.5)]


class Evidence(Record):
    """What the margins rest on."""

    kind: Literal["published", "judgement"]
    seen: date
    source: str


class Screen(Record):
    """The picture of a placement in pixels, and its margins as fractions of it."""

    width: int = Field(gt=0, multiple_of=2)
    height: int = Field(gt=0, multiple_of=2)
    left: Margin
    top: Margin
    right: Margin
    bottom: Margin
    status: Evidence

    @property
    def aspect(self) -> float:
        """Width over height."""
        return self.width / self.height

    @property
    def safe_width(self) -> float:
        """The free width, a fraction."""
        return 1 - self.left - self.right

    @property
    def safe_bottom(self) -> float:
        """Where the free part ends, a fraction of the height from the top."""
        return 1 - self.bottom


class Screens(Record):
    """Every placement's screen."""

    version: int = Field(ge=1)
    about: str
    placements: dict[Placement, Screen]


@cache
def screens() -> dict[Placement, Screen]:
    """The screen of each placement, from shared/knowledge/safe_zones.json."""
    return Screens.model_validate_json(FILE.read_bytes()).placements


def screen_of(placement: Placement) -> Screen:
    """The picture and safe zone of one placement."""
    return screens()[placement]
