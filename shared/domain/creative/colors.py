"""Colour schemes as data, and text that can be read on them."""

from functools import cache
from pathlib import Path

from pydantic import Field

from shared.creative_models import Brand, Colour
from shared.models import Record

FILE = Path(__file__).parents[2] / "knowledge" / "color_schemes.json"
READABLE_CONTRAST = 4.5
"""WCAG 2.2, success criterion 1.4.3, level AA."""
WHITE, BLACK = "#FFFFFF", "#000000"


class Scheme(Record):
    """Two or three colours: the ground first."""

    id: str
    colors: tuple[Colour, ...] = Field(min_length=2, max_length=3)


class Schemes(Record):
    """The file."""

    version: int
    note: str
    schemes: tuple[Scheme, ...]


@cache
def shipped_schemes() -> tuple[Scheme, ...]:
    """The schemes that come with the project."""
    return Schemes.model_validate_json(FILE.read_bytes()).schemes


def schemes_for(brand: Brand) -> tuple[Scheme, ...]:
    """All schemes for a brand, no colours twice; those of the brand come first when it has some."""
    own = brand.colors
    if len(own) == 1:
        own = (own[0], text_color_on(own[0]))
    first = (Scheme(id="brand", colors=own),) if own else ()
    found: dict[tuple[str, ...], Scheme] = {}
    for scheme in (*first, *shipped_schemes()):
        found.setdefault(tuple(color.upper() for color in scheme.colors), scheme)
    return tuple(found.values())


def text_color_on(ground: str) -> str:
    """White where it reads on a colour with a contrast of 4.5, else black, which then does."""
    return WHITE if contrast(WHITE, ground) >= READABLE_CONTRAST else BLACK


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#RRGGBB` colours, 1-21, as WCAG 2.2 defines it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)
