"""Every placement has a picture and a safe zone, and says what they rest on."""

from typing import get_args

import pytest

from shared.creative_models import Placement
from shared.domain.creative.placements import screen_of, screens


def test_every_placement_has_a_screen() -> None:
    assert set(screens()) == set(get_args(Placement))


@pytest.mark.parametrize(
    ("placement", "ratio"),
    [
        ("meta:reels", 9 / 16),
        ("meta:stories", 9 / 16),
        ("tiktok:feed", 9 / 16),
        ("youtube:shorts", 9 / 16),
        ("meta:feed", 4 / 5),
        ("youtube:instream", 16 / 9),
    ],
)
def test_the_picture_has_the_ratio_of_its_placement(placement: Placement, ratio: float) -> None:
    assert screen_of(placement).aspect == pytest.approx(ratio)


def test_reels_keep_the_margins_that_are_published() -> None:
    screen = screen_of("meta:reels")
    assert (screen.top, screen.bottom, screen.left, screen.right) == (0.14, 0.35, 0.06, 0.06)


def test_every_margin_says_what_it_rests_on() -> None:
    assert all(screen.status.source for screen in screens().values())
