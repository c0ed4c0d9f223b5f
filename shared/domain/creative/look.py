"""The colour scheme of a variation, on the picture, on its texts and on the end card."""

import re
from collections.abc import Sequence

from shared.creative_models import Colour, Concept, Variation
from shared.domain.creative.colors import contrast, text_color_on
from shared.domain.creative.placements import Screen
from shared.timeline_models import EndCard, Grade

# Gentle: skin keeps its colour.
TINT, SATURATION, CONTRAST = 0.1, 1.04, 1.03
HIGHLIGHT, HIGHLIGHT_CONTRAST = "#FFD400", 7.0
BUTTON_CONTRAST = 1.6
MAX_TEXT_CHARACTERS = 500
BLACK = "#000000"
ARROW = re.compile(r"\s*->$")


def grade_of(scheme: Sequence[Colour]) -> Grade:
    """A tint of the darkest colour in the shadows, of the lightest in the lights."""
    by_light = sorted(scheme, key=lambda color: (contrast(color, BLACK), color))
    return Grade(
        shadows=by_light[0],
        lights=by_light[-1],
        strength=TINT,
        saturation=SATURATION,
        contrast=CONTRAST,
    )


def highlight_of(scheme: Sequence[Colour]) -> Colour:
    """The colour of the word that is being said: of the scheme where it shows on dark edges."""
    accents = [color for color in scheme[1:] if contrast(color, BLACK) >= HIGHLIGHT_CONTRAST]
    coloured = [color for color in accents if color.upper() != "#FFFFFF"]
    return coloured[0] if coloured else HIGHLIGHT


def ground_of(scheme: Sequence[Colour], number: int) -> Colour:
    """One of the scheme's colours for the ground of a card, the first one first."""
    return scheme[number % len(scheme)]


def end_card(variation: Variation, concept: Concept, screen: Screen, seconds: float) -> EndCard:
    """The call to action on the scheme's ground, inside what the placement leaves free."""
    ground = variation.color_scheme[0]
    apart = [c for c in variation.color_scheme[1:] if contrast(c, ground) >= BUTTON_CONTRAST]
    button = max(apart, key=lambda c: (round(contrast(c, ground), 3), c), default=None)
    button = button or text_color_on(ground)
    return EndCard(
        seconds=seconds,
        cta=shown(variation.cta) or shown(concept.product),
        headline=shown(variation.headline),
        brand=shown(concept.brand.name),
        landing=_host(concept.landing_url),
        background=ground,
        color=text_color_on(ground),
        button=button,
        button_text=text_color_on(button),
        left=screen.left,
        top=screen.top,
        width=round(screen.safe_width, 4),
        height=round(screen.safe_bottom - screen.top, 4),
    )


def shown(text: str) -> str:
    """A text as it can be shown: the letters as they are, a typed arrow at its end drawn as one."""
    text = ARROW.sub(" →", text.strip())
    return text if len(text) <= MAX_TEXT_CHARACTERS else text[: MAX_TEXT_CHARACTERS - 1] + "…"


def alike(one: str, other: str) -> bool:
    """Whether a viewer would read the same words twice: capitals and end marks tell nothing new."""
    return one.strip().rstrip(".!").casefold() == other.strip().rstrip(".!").casefold()


def _host(url: str) -> str:
    """What people read of an address: no scheme, no path."""
    host = url.split("://", 1)[-1].split("/", 1)[0].split("?", 1)[0].split("#", 1)[0]
    return host.rsplit("@", 1)[-1].removeprefix("www.")[:100]
