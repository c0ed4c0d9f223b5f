"""Where and when words stand on the picture: inside the safe zone, beside faces, long enough."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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
# How much larger than other text: what has to be read at once, and words that stand alone.
CARD_SCALE = 1.45
LEAST_WIDTH, NARROW_COST = 0.45, 0.5
LEAST_LOGO_SECONDS = 1.5
DIGITS = 4

Role = Literal["hook", "headline", "cta", "other"]
SCALE: Mapping[Role, float] = {"hook": 1.15, "headline": 1.0, "cta": 1.0, "other": 1.0}
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


def caption_band(screen: Screen, crowd: Crowd, spoken: Sequence[tuple[float, float]]) -> Band:
    """Where captions stand: low in the safe zone, beside faces where that is free.

    Only what is seen while somebody speaks is in their way; they do not jump from place to place.
    """
    height = min(_height(CAPTION_LINES, screen), screen.safe_bottom - screen.top)
    seen = [crowd(start, end) for start, end in spoken]
    faces = [one for found, _ in seen for one in found]
    writing = [one for _, found in seen for one in found]
    lowest = screen.safe_bottom - height
    strip = (screen.left, screen.safe_width, height)
    _, top = _best_place(strip, lowest, (faces, writing), (screen, ()))
    return Band(top, round(height, DIGITS))


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


def after_hook(logo: Logo | None, overlays: Sequence[TextOverlay], screen: Screen) -> Logo | None:
    """The logo from when the hook is gone, where it would stand on it."""
    if logo is None:
        return None
    bottom = logo.top + logo.width * screen.aspect
    ends = [
        one.end_seconds
        for one in overlays
        if one.role == "hook"
        and one.top < bottom
        and one.top + one.height > logo.top
        and one.left < logo.left + logo.width
    ]
    return logo.model_copy(update={"start_seconds": max([logo.start_seconds, *ends])})


def place_texts(variation: Variation, concept: Concept, stage: Stage) -> list[TextOverlay]:
    """Hook first, call to action last, headline and benefit between them; one at a time.

    The hook has the logo's place, which comes after it (`after_hook`). A text that cannot stand
    long enough to be read is left out: the end card repeats the two that
    matter.
    """
    rules, scheme = stage.rules, variation.color_scheme
    found: list[TextOverlay] = []

    def put(text: str, role: Role, start: float, end: float, ground: int) -> None:
        alone = role == "hook" and stage.seconds - end >= LEAST_LOGO_SECONDS
        own = replace(stage, logo=None) if alone else stage
        if end - start >= rules.least_reading_seconds - 1e-6 and end <= stage.seconds + 1e-6:
            color = scheme[ground % len(scheme)]
            found.append(_overlay(text, role, (start, end), color, own))

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
    wished: list[tuple[Role, str]] = [("headline", headline), ("other", shown(concept.benefit))]
    texts = _told_once(wished, (hook, cta))
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


def _told_once(wished: Sequence[tuple[Role, str]], said: Sequence[str]) -> list[tuple[Role, str]]:
    """The texts that say something new, in their order."""
    found: list[tuple[Role, str]] = []
    for role, text in wished:
        others = (*said, *(other for _, other in found))
        if text and not any(alike(text, other) for other in others):
            found.append((role, text))
    return found


def card_text(
    text: str, role: Role, span: tuple[float, float], ground: str, screen: Screen
) -> TextOverlay:
    """Words on a plain colour, in the middle of the safe zone."""
    lines = _lines(text, screen.safe_width, screen, scale=CARD_SCALE)
    height = min(_height(lines, screen) * CARD_SCALE * 1.1, screen.safe_bottom - screen.top)
    top = (screen.top + screen.safe_bottom - height) / 2
    place = (screen.left, top, screen.safe_width, height)
    return _box(text, role, span, (None, text_color_on(ground)), place, screen)


def _overlay(
    text: str, role: Role, span: tuple[float, float], ground: str, stage: Stage
) -> TextOverlay:
    screen = stage.screen
    taken = []
    if stage.captions:
        taken.append((stage.captions.top, stage.captions.top + stage.captions.height))
    logo = stage.logo
    if logo and not (logo.start_seconds < span[1] and logo.end_seconds > span[0]):
        logo = None
    beside = [] if logo is None else [(logo.top, logo.top + logo.width * screen.aspect)]
    whole = (screen.left, screen.safe_width)
    ways = [(whole, [*taken, *beside])]
    if logo:
        inner = max(logo.left + logo.width, screen.right) + GAP
        ways += [((inner, 1 - 2 * inner), taken)] if 1 - 2 * inner >= LEAST_WIDTH else []
    seen = stage.crowd(*span)
    places = []
    for (left, width), rows in ways:
        wanted = _height(_lines(text, width, screen), screen) * SCALE[role]
        height = min(wanted, _widest_gap(rows, screen))
        wish = screen.top if role != "cta" else screen.safe_bottom - height
        cost, top = _best_place((left, width, height), wish, seen, (screen, rows))
        narrow = NARROW_COST * (1 - width / screen.safe_width)
        places.append((cost + narrow, (left, top, width, height)))
    _, place = min(places, key=lambda one: one[0])
    return _box(text, role, span, (ground, text_color_on(ground)), place, screen)


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
    place: tuple[float, float, float, float],
    screen: Screen,
) -> TextOverlay:
    """A text at (left, top, width, height)."""
    top = math.ceil(place[1] * 10**DIGITS - 1e-6) / 10**DIGITS
    height = math.floor(min(place[3], screen.safe_bottom - top) * 10**DIGITS + 1e-6) / 10**DIGITS
    return TextOverlay(
        text=text,
        role=role,
        start_seconds=round(span[0], 3),
        end_seconds=round(span[1], 3),
        left=round(place[0], DIGITS),
        top=top,
        width=round(place[2], DIGITS),
        height=height,
        color=colors[1],
        background=colors[0],
        # The first frame is what people see before it plays: the hook is there at once.
        fade_seconds=0.0 if span[0] == 0 else FADE_SECONDS,
    )


def _best_place(
    strip: tuple[float, float, float],
    wish: float,
    seen: tuple[Sequence[Rectangle], Sequence[Rectangle]],
    where: tuple[Screen, Sequence[tuple[float, float]]],
) -> tuple[float, float]:
    """(cost, top) of a strip (left, width, height) where it hides the least of faces and writing.

    Of equals the one nearest to its wish.
    """
    left, width, height = strip
    screen, taken = where
    lowest = screen.safe_bottom - height
    steps = max(0, int((lowest - screen.top) / STEP))
    tops = [screen.top + i * STEP for i in range(steps + 1)] + [max(screen.top, lowest)]
    tops += [b + GAP for _, b in taken if screen.top <= b + GAP <= lowest]
    free = [
        top for top in tops if all(top + height <= a + 1e-9 or top >= b - 1e-9 for a, b in taken)
    ]

    def cost(top: float) -> tuple[float, float]:
        area = (left, top, left + width, top + height)
        hidden = FACE_COST * _covered(area, seen[0]) + TEXT_COST * _covered(area, seen[1])
        return round(hidden + DISTANCE_COST * abs(top - wish), 4), top

    return min(cost(top) for top in free or tops)


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


def _lines(text: str, width: float, screen: Screen, *, scale: float = 1.0) -> int:
    """About how many lines a text takes in a box so wide, a fraction of the picture."""
    letters = width * screen.width / (scale * LETTER * min(screen.width, screen.height))
    return min(MOST_LINES, max(1, math.ceil(len(text) * 1.15 / letters)))


def _height(lines: int, screen: Screen) -> float:
    return (lines + 0.4) * LINE * min(screen.width, screen.height) / screen.height
