"""The edit lists of the bench's two ads: which footage follows which, how, and so the truth."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.models import Transition

Join = Literal["cut", "dissolve", "black"]


@dataclass(frozen=True)
class Footage:
    """Frames of the sample ad without a transition; `scene` tells apart what looks different.

    Below `clean_height`, a fraction of the picture, the sample has its own captions.
    """

    scene: str
    start: int
    end: int
    clean_height: float = 1.0


FOOTAGE = (
    Footage("face", 0, 50, 0.76),
    Footage("rabbit", 50, 88),
    Footage("bird", 88, 126, 0.82),
    Footage("creek", 126, 160),
    Footage("meadow", 178, 224),
    Footage("rabbit", 224, 270),
    Footage("title", 290, 329),
)
OPENING, CLOSING = FOOTAGE[0], FOOTAGE[-1]

# The shortest shot holds a fade at each end, and any dissolve.
SHOT_SECONDS = (1.1, 3.2)
JOINS: tuple[Join, ...] = ("cut", "cut", "cut", "dissolve", "cut", "cut", "black", "cut")
DISSOLVE_SECONDS = (0.4, 0.8)
BLACK_SECONDS = 0.4
END_SECONDS = 0.6
SPEEDS = (1.0, 1.0, 1.0, 0.5)
ZOOMS = (1.0, 1.6)
PLACES = (0.2, 0.8)
FLASH_EVERY = 5
CAPTION_EVERY = 2


@dataclass(frozen=True)
class Shot:
    """Some frames of footage as the ad shows them, from frame `start` to `end` (exclusive).

    `speed` counts footage frames a frame; the crop is 1/zoom of the largest possible one and
    moves between two places, fractions of the room that it has.
    """

    footage: Footage
    start: int
    end: int
    speed: float
    mirrored: bool
    zoom: float
    place: tuple[tuple[float, float], tuple[float, float]]
    flash_at: int | None
    caption: int | None


@dataclass(frozen=True)
class Edit:
    """One ad: size in pixels, rate, shots in order, and the transitions between them."""

    name: str
    width: int
    height: int
    fps: int
    frames: int
    shots: tuple[Shot, ...]
    transitions: tuple[Transition, ...]


def plan_edit(name: str, size: tuple[int, int], *, seconds: int, fps: int, seed: int) -> Edit:
    """An ad of exactly `seconds`: mostly cuts, then dissolves and fades through black.

    The same seed gives the same ad on every machine.
    """
    draw, frames = random.Random(seed), seconds * fps  # noqa: S311 - variety, not secrecy
    shots: list[Shot] = []
    transitions: list[Transition] = []
    for footage, join in _sequence(draw):
        start = here = shots[-1].end if shots else 0
        if shots:
            start, added = _join(join, here, fps, draw)
            transitions += added
        end = here + round(fps * draw.uniform(*SHOT_SECONDS))
        last = end + SHOT_SECONDS[0] * fps >= frames
        end = frames if last else end
        shots.append(_shot(CLOSING if last else footage, start, end, len(shots), draw))
        if last:
            break
    transitions.append(_soft("fade_out", frames - round(END_SECONDS * fps), frames))
    return Edit(name, *size, fps, frames, tuple(shots), tuple(transitions))


def _sequence(draw: random.Random) -> Iterator[tuple[Footage, Join]]:
    """Footage whose neighbours look different, and how each piece begins; never ends."""
    now, index = OPENING, 0
    while True:
        yield now, JOINS[index % len(JOINS)]
        others = [f for f in FOOTAGE if f.scene not in (now.scene, CLOSING.scene)]
        now, index = draw.choice(others), index + 1


def _join(join: Join, end: int, fps: int, draw: random.Random) -> tuple[int, Sequence[Transition]]:
    """Where the next shot starts when the last one ends at `end`, and what lies between them."""
    if join == "cut":
        return end, [Transition(kind="cut", start_frame=end, end_frame=end)]
    if join == "dissolve":
        start = end - round(fps * draw.uniform(*DISSOLVE_SECONDS))
        return start, [_soft("dissolve", start, end)]
    half = round(BLACK_SECONDS * fps)
    return end, [_soft("fade_out", end - half, end), _soft("fade_in", end, end + half)]


def _soft(kind: Literal["fade_in", "fade_out", "dissolve"], start: int, end: int) -> Transition:
    return Transition(kind=kind, start_frame=start, end_frame=end - 1)


def _shot(footage: Footage, start: int, end: int, index: int, draw: random.Random) -> Shot:
    # The first shot shows its face and the last its title.
    room = (0.5, 0.5) if footage == CLOSING or not index else PLACES
    places = [(draw.uniform(*room), draw.uniform(*room)) for _ in ("from", "to")]
    flashes = index % FLASH_EVERY == FLASH_EVERY - 1 and end - start > 40
    return Shot(
        footage=footage,
        start=start,
        end=end,
        speed=draw.choice(SPEEDS),
        mirrored=footage != CLOSING and draw.random() < 0.5,
        zoom=1.0 if footage == CLOSING else draw.uniform(*ZOOMS),
        place=(places[0], places[1]),
        flash_at=(start + end) // 2 if flashes else None,
        caption=index // CAPTION_EVERY if index % CAPTION_EVERY == 0 else None,
    )


LANDSCAPE = plan_edit("30 s 1920x1080", (1920, 1080), seconds=30, fps=30, seed=1)
PORTRAIT = plan_edit("60 s 1080x1920", (1080, 1920), seconds=60, fps=30, seed=2)
EDITS = (LANDSCAPE, PORTRAIT)
