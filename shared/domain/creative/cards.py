"""Colour cards: an ad of words alone, paced by reading time."""

from collections.abc import Sequence

from shared.creative_models import Colour, Concept, Variation
from shared.domain.creative.colors import WHITE, text_color_on
from shared.domain.creative.layout import Role, card_text
from shared.domain.creative.look import alike, ground_of, shown
from shared.domain.creative.pace import Editing, Pace, reading_seconds, share_out
from shared.domain.creative.placements import Screen
from shared.timeline_models import TextOverlay, TimelineClip

SHADE = 0.14


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
        # The hook opens and the call to action closes: what stands before the last gives way.
        out = len(texts) - 2 if len(texts) > 2 else 1
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
        grounds = _grounds(length, round(2 * pace.shot_seconds * rate))
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


def _grounds(frames: int, each: int) -> list[int]:
    """How long each ground of a card stays: equal parts of about `each` frames."""
    count = max(1, round(frames / max(1, each)))
    return [part for part in share_out(frames, [frames] * count) if part > 0]


def _shade(color: str) -> str:
    """The same colour a little further from its text's, which reads on it even better."""
    towards = 0 if text_color_on(color) == WHITE else 255
    parts = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(part + SHADE * (towards - part)):02X}" for part in parts)
