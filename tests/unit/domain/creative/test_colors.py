"""Colours: the documented schemes, a brand's first, and text that can be read."""

import pytest
from hypothesis import given

from shared.creative_models import Brand
from shared.domain.creative.colors import (
    READABLE_CONTRAST,
    contrast,
    schemes_for,
    shipped_schemes,
    text_color_on,
)
from tests.unit.domain.creative.concepts import COLOUR


def test_the_documented_schemes_are_there() -> None:
    known = {scheme.id: scheme.colors for scheme in shipped_schemes()}
    assert known["vibrant"] == ("#FF6B6B", "#4ECDC4", "#45B7D1")
    assert known["professional"] == ("#2C3E50", "#E74C3C", "#ECF0F1")
    assert known["modern"] == ("#9B59B6", "#3498DB", "#1ABC9C")
    assert len(known) == 6


def test_a_brands_colours_come_first_and_no_scheme_twice() -> None:
    own = schemes_for(Brand(colors=("#112233",)))
    assert own[0].colors == ("#112233", "#FFFFFF")
    twice = schemes_for(Brand(colors=("#ff6b6b", "#4ecdc4", "#45b7d1")))
    assert [scheme.id for scheme in twice].count("vibrant") == 0
    assert len(twice) == 6


@given(COLOUR)
def test_text_reads_on_any_colour(ground: str) -> None:
    assert contrast(text_color_on(ground), ground) >= READABLE_CONTRAST


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#FFFFFF", 21), ("#777777", "#FFFFFF", 4.48)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.01)
