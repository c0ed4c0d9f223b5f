"""Colour cards: an ad of words alone, paced by reading time."""

import math
from collections.abc import Sequence

from shared.creative_models import Colour, Concept, Variation
from shared.domain.creative.colors import READABLE_CONTRAST, WHITE, contrast, text_color_on
from shared.domain.creative.layout import Role, card_text
from shared.domain.creative.look import alike, ground_of, shown
from shared.domain.creative.pace import Editing, Pace, reading_seconds, share_out
from shared.domain.creative.placements import Screen
from shared.timeline_models import TextOverlay, TimelineClip

SHADE, SEEN_CONTRAST = 0.14, 1.1


def card_texts(variation: Variation, concept: Concept) -> list[tuple[str, Role]]:
    """(text, role) of the cards in their order; no text comes twice."""
    wished: list[tuple[str, Role]] = [
        (variation.hook, "hook"),
        (concept.pain_point, "other"),
        (variation.headline, "headline"),
        (concept.benefit, "other"),
        (concept.offer, "other"),
        (variation.cta, "cta"),
    ]
    found: dict[str, Role] = {}
    for text, role in wished:
        if shown(text) and not any(alike(text, other) for other in found):
            found[shown(text)] = role
    return [*found.items()] or [(shown(concept.product), "other")]


def make_cards(
    texts: Sequence[tuple[str, Role]],
    scheme: Sequence[Colour],
    screen: Screen,
    *,
    frames: int,
    rate: int,
    from_frame: int,
    rules: Editing,
    pace: Pace,
) -> tuple[list[TimelineClip], list[TextOverlay]]:
    """Cards of `frames` in all, each at least as long as it takes to read; the last ones give way.

    A card that stays long changes its ground at the pace of the cutting.
    """
    texts = list(texts)
    needed = [round(reading_seconds(text, rules) * rate) for text, _ in texts]
    while len(texts) > 1 and sum(needed) > frames:
        out = _giving_way(needed, frames)
        del texts[out], needed[out]
    spare = frames - sum(needed)
    more = share_out(max(0, spare), [frames] * len(texts))
    clips: list[TimelineClip] = []
    overlays = []
    at = 0
    for i, ((text, role), need) in enumerate(zip(texts, needed, strict=True)):
        length = min(need + more[i], frames - at)
        if length <= 0:
            break
        span = ((from_frame + at) / rate, (from_frame + at + length) / rate)
        still = min(2 * pace.shot_seconds, rules.longest_still_seconds)
        grounds = _grounds(length, math.floor(still * rate))
        overlays.append(card_text(text, role, span, ground_of(scheme, i), screen))
        for part, part_frames in enumerate(grounds):
            clips.append(
                TimelineClip(
                    color=ground_of(scheme, i) if part % 2 == 0 else _shade(ground_of(scheme, i)),
                    end_seconds=round(part_frames / rate, 6),
                    sound=False,
                    why=f"card: {role}",
                )
            )
        at += length
    return clips, overlays


def _giving_way(needed: Sequence[int], frames: int) -> int:
    """Which text is left out: the hook opens and the call to action closes.

    One that alone would take half of the time, else what stands before the last.
    """
    inner = range(1, len(needed) - 1)
    long = max(inner, key=lambda i: needed[i], default=1)
    return long if len(needed) > 2 and needed[long] > frames / 2 else max(1, len(needed) - 2)


def _grounds(frames: int, each: int) -> list[int]:
    """How long each ground of a card stays: equal parts of at most `each` frames."""
    count = max(1, math.ceil(frames / max(1, each)))
    return [part for part in share_out(frames, [frames] * count) if part > 0]


def _shade(color: str) -> str:
    """The same colour a little lighter or darker: what can be seen, and its text read on it."""
    text = text_color_on(color)
    parts = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
    shades = [
        "#" + "".join(f"{round(part + SHADE * (towards - part)):02X}" for part in parts)
        for towards in ((0, 255) if text == WHITE else (255, 0))
    ]
    clear = [one for one in shades if contrast(one, color) >= SEEN_CONTRAST]
    readable = [one for one in clear if contrast(one, text) >= READABLE_CONTRAST]
    return (readable or shades)[0]
