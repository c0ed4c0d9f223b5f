"""Where and when words stand on the picture: inside the safe zone, beside faces, long enough."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.creative_models import Concept, Variation
from shared.domain.creative.colors import text_color_on
from shared.domain.creative.look import alike, shown
from shared.domain.creative.pace import Editing, reading_seconds
from shared.domain.creative.placements import Screen
from shared.domain.creative.subject import Rectangle
from shared.timeline_models import Logo, TextOverlay

# Of the shorter side of the picture: a line of text with its space, and a letter's width.
LINE, LETTER = 0.088, 0.042
MOST_LINES = 6
GAP = 0.012
STEP = 0.01
FACE_COST, TEXT_COST, DISTANCE_COST = 10.0, 3.0, 1.0
PAUSE_SECONDS = 0.4
LOGO_WIDTH = 0.14
FADE_SECONDS = 0.15
CAPTION_LINES = 2
DIGITS = 4

Role = Literal["hook", "headline", "cta", "other"]
Crowd = Callable[[float, float], tuple[Sequence[Rectangle], Sequence[Rectangle]]]
"""Faces and writing that are seen on the output between two moments."""


@dataclass(frozen=True)
class Band:
    """A horizontal strip of the safe zone."""

    top: float
    height: float


@dataclass(frozen=True)
class Stage:
    """What the words have to get along with."""

    screen: Screen
    rules: Editing
    seconds: float
    """How long the part before the end card is."""
    crowd: Crowd
    captions: Band | None = None
    logo: Logo | None = None
    seen_from: float = 0.0
    cuts: Sequence[float] = ()


def caption_band(screen: Screen, crowd: Crowd, seconds: float) -> Band:
    """Where captions stand all the time: low in the safe zone, beside faces where that is free."""
    height = min(_height(CAPTION_LINES, screen), screen.safe_bottom - screen.top)
    faces, writing = crowd(0.0, seconds)
    lowest = screen.safe_bottom - height
    return Band(_best_top(height, lowest, faces, writing, (screen, ())), round(height, DIGITS))


def logo_of(path: str, screen: Screen, start: float, end: float) -> Logo | None:
    """The brand's picture in the upper left of the safe zone; None without one."""
    if not path or end <= start:
        return None
    width = min(LOGO_WIDTH * min(1.0, 1 / screen.aspect), screen.safe_width)
    return Logo(
        path=path,
        left=screen.left,
        top=screen.top,
        width=round(width, DIGITS),
        start_seconds=start,
        end_seconds=end,
    )


def place_texts(variation: Variation, concept: Concept, stage: Stage) -> list[TextOverlay]:
    """Hook first, call to action last, headline and benefit between them; one at a time.

    A text that cannot stand long enough to be read is left out: the end card repeats the two that
    matter.
    """
    rules, scheme = stage.rules, variation.color_scheme
    found: list[TextOverlay] = []

    def put(text: str, role: Role, start: float, end: float, ground: int) -> None:
        if end - start >= rules.least_reading_seconds - 1e-6 and end <= stage.seconds + 1e-6:
            color = scheme[ground % len(scheme)]
            found.append(_overlay(text, role, (start, end), color, stage))

    hook, headline, cta = shown(variation.hook), shown(variation.headline), shown(variation.cta)
    free_from = stage.seen_from
    if hook:
        wanted = reading_seconds(hook, rules)
        until = _to_cut(min(stage.seconds, free_from + wanted), stage)
        put(hook, "hook", free_from, until, 0)
        free_from = until + PAUSE_SECONDS
    free_until = stage.seconds
    if cta and stage.seconds - free_from >= reading_seconds(cta, rules):
        start = stage.seconds - reading_seconds(cta, rules) - PAUSE_SECONDS
        start = max(free_from, start)
        put(cta, "cta", start, stage.seconds, 1)
        free_until = start - PAUSE_SECONDS
    texts: list[tuple[Role, str]] = [("headline", headline), ("other", shown(concept.benefit))]
    texts = [
        (role, text)
        for role, text in texts
        if text and not any(alike(text, other) for other in (hook, cta))
    ]
    if len(texts) == 2 and alike(texts[0][1], texts[1][1]):
        texts.pop()
    needed = [reading_seconds(text, rules) + 0.5 for _, text in texts]
    while texts and sum(needed) + PAUSE_SECONDS * (len(texts) + 1) > free_until - free_from:
        texts.pop()
        needed.pop()
    air = (free_until - free_from - sum(needed)) / (len(texts) + 1) if texts else 0.0
    at = free_from
    for (role, text), seconds in zip(texts, needed, strict=True):
        at += air
        put(text, role, at, at + seconds, 0)
        at += seconds
    return sorted(found, key=lambda one: one.start_seconds)


def card_text(
    text: str, role: Role, span: tuple[float, float], ground: str, screen: Screen
) -> TextOverlay:
    """Words on a plain colour, in the middle of the safe zone."""
    height = min(_height(_lines(text, screen), screen) * 1.6, screen.safe_bottom - screen.top)
    top = (screen.top + screen.safe_bottom - height) / 2
    return _box(text, role, span, (None, text_color_on(ground)), (top, height), screen)


def _overlay(
    text: str, role: Role, span: tuple[float, float], ground: str, stage: Stage
) -> TextOverlay:
    screen = stage.screen
    taken = []
    if stage.captions:
        taken.append((stage.captions.top, stage.captions.top + stage.captions.height))
    logo = stage.logo
    if logo and logo.start_seconds < span[1] and logo.end_seconds > span[0]:
        taken.append((logo.top, logo.top + logo.width * screen.aspect))
    height = min(_height(_lines(text, screen), screen), _widest_gap(taken, screen))
    faces, writing = stage.crowd(*span)
    wish = screen.top if role != "cta" else screen.safe_bottom - height
    top = _best_top(height, wish, faces, writing, (screen, taken))
    return _box(text, role, span, (ground, text_color_on(ground)), (top, height), screen)


def _widest_gap(taken: Sequence[tuple[float, float]], screen: Screen) -> float:
    edges = [screen.top]
    for a, b in sorted(taken):
        edges += [a - GAP, b + GAP]
    edges.append(screen.safe_bottom)
    return max([0.04, *(b - a for a, b in zip(edges[::2], edges[1::2], strict=True))])


def _box(
    text: str,
    role: Role,
    span: tuple[float, float],
    colors: tuple[str | None, str],
    band: tuple[float, float],
    screen: Screen,
) -> TextOverlay:
    top = math.ceil(band[0] * 10**DIGITS - 1e-6) / 10**DIGITS
    height = math.floor(min(band[1], screen.safe_bottom - top) * 10**DIGITS + 1e-6) / 10**DIGITS
    return TextOverlay(
        text=text,
        role=role,
        start_seconds=round(span[0], 3),
        end_seconds=round(span[1], 3),
        left=screen.left,
        top=top,
        width=round(screen.safe_width, DIGITS),
        height=height,
        color=colors[1],
        background=colors[0],
        # The first frame is what people see before it plays: the hook is there at once.
        fade_seconds=0.0 if span[0] == 0 else FADE_SECONDS,
    )


def _best_top(
    height: float,
    wish: float,
    faces: Sequence[Rectangle],
    writing: Sequence[Rectangle],
    where: tuple[Screen, Sequence[tuple[float, float]]],
) -> float:
    """Where a strip hides the least of faces and writing, as near to its wish as that allows."""
    screen, taken = where
    lowest = screen.safe_bottom - height
    steps = max(0, int((lowest - screen.top) / STEP))
    tops = [screen.top + i * STEP for i in range(steps + 1)] + [max(screen.top, lowest)]
    tops += [b + GAP for _, b in taken if screen.top <= b + GAP <= lowest]
    free = [
        top for top in tops if all(top + height <= a + 1e-9 or top >= b - 1e-9 for a, b in taken)
    ]

    def cost(top: float) -> tuple[float, float]:
        strip = (screen.left, top, 1 - screen.right, top + height)
        hidden = FACE_COST * _covered(strip, faces) + TEXT_COST * _covered(strip, writing)
        return round(hidden + DISTANCE_COST * abs(top - wish), 4), top

    return min(free or tops, key=cost)


def _covered(strip: Rectangle, boxes: Sequence[Rectangle]) -> float:
    """The mean share of the boxes that a strip hides; those outside the picture do not count."""
    shares = []
    for box in boxes:
        left, top = max(0.0, box[0]), max(0.0, box[1])
        right, bottom = min(1.0, box[2]), min(1.0, box[3])
        if right > left and bottom > top:
            across = max(0.0, min(right, strip[2]) - max(left, strip[0])) / (right - left)
            down = max(0.0, min(bottom, strip[3]) - max(top, strip[1])) / (bottom - top)
            shares.append(across * down)
    return sum(shares) / len(shares) if shares else 0.0


def _to_cut(seconds: float, stage: Stage) -> float:
    """The next cut, if it comes soon: words that go with the picture look meant."""
    soon = [cut for cut in stage.cuts if seconds <= cut <= seconds + 2 * PAUSE_SECONDS]
    return min([*soon[:1], stage.seconds]) if soon else seconds


def _lines(text: str, screen: Screen) -> int:
    letters = screen.safe_width * screen.width / (LETTER * min(screen.width, screen.height))
    return min(MOST_LINES, max(1, math.ceil(len(text) * 1.15 / letters)))


def _height(lines: int, screen: Screen) -> float:
    return (lines + 0.4) * LINE * min(screen.width, screen.height) / screen.height
