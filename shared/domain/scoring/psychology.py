"""Curiosity, urgency, social proof, transformation and authority in the words, and the hook."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from shared.domain.scoring.headlines import score_headline
from shared.domain.scoring.hook_patterns import AUTHORITY, RESULT_TIME
from shared.domain.scoring.hook_types import find_hooks
from shared.domain.scoring.language import detect_language
from shared.domain.scoring.parts import Part, weigh
from shared.domain.scoring.pressure import Pressure, judge_pressure
from shared.domain.scoring.texts import read_text
from shared.domain.scoring.weights import ModelUnavailable
from shared.domain.scoring.words import Wording
from shared.score_models import HookKind, HookReading, Score

# The document names the five scores, not their parts: these weights are our judgement.
WEIGHTS = {
    "curiosity": {"curiosity_gap": 0.4, "headline": 0.25, "question": 0.2, "how_why": 0.15},
    "urgency": {"urgency": 0.7, "scarcity": 0.3},
    "social_proof": {"social_proof": 0.6, "testimonial": 0.2, "statistic": 0.2},
    "transformation": {"before_after": 0.6, "result_in_time": 0.2, "negative": 0.2},
    "authority": {"expert": 0.7, "statistic": 0.3},
}
PSYCHOLOGY = tuple(WEIGHTS)
PRESSURES: tuple[Pressure, ...] = ("urgency", "scarcity", "social_proof")

HOOKS = (
    "before_after",
    "curiosity_gap",
    "how_why",
    "negative",
    "question",
    "statistic",
    "testimonial",
)


class Found(NamedTuple):
    """The strongest sign of a kind over all texts, None when it cannot be known."""

    value: float | None
    words: str = ""


def score_psychology(wording: Wording) -> dict[str, Score]:
    """The five scores, 0-1 each: the strongest text counts for each part, None without words."""
    found = _signs(wording)
    return {
        name: weigh({part: Part(w, *found[part]) for part, w in parts.items()})
        for name, parts in WEIGHTS.items()
    }


def read_hook(wording: Wording) -> HookReading:
    """The kinds of hook in the opening words, the strongest first."""
    if not wording.known:
        return HookReading(kind="unknown", strength=None, confidence=None)
    best: dict[str, HookKind] = {}
    words: dict[str, str] = {}
    for text in wording.opening:
        for match in find_hooks(text):
            if match.name not in best or match.strength > best[match.name].strength:
                best[match.name] = HookKind(
                    kind=match.name, strength=match.strength, confidence=match.confidence
                )
                words[match.name] = text
    if not best:
        return HookReading(kind="none", strength=0.0, confidence=None)
    first, *others = sorted(best.values(), key=lambda h: (-h.strength * h.confidence, h.kind))
    return HookReading(
        kind=first.kind,
        strength=first.strength,
        confidence=first.confidence,
        others=tuple(others),
        words=words[first.kind],
    )


def _signs(wording: Wording) -> dict[str, Found]:
    """The strongest sign of each part."""
    if not wording.known:
        return {part: Found(None) for parts in WEIGHTS.values() for part in parts}
    texts = wording.all
    judged = {label: _pressed(label, texts) for label in PRESSURES}
    hooks = {kind: _hooked(kind, texts) for kind in HOOKS}
    english = [text for text in texts if detect_language(read_text(text)).english]
    return {
        **judged,
        **hooks,
        "headline": _best(_headline_place(text) for text in wording.opening),
        "expert": _matched(AUTHORITY, english, bool(texts)),
        "result_in_time": _matched(RESULT_TIME, english, bool(texts)),
    }


def _pressed(label: Pressure, texts: Iterable[str]) -> Found:
    try:
        judged = [judge_pressure(text)[label] for text in texts]
    except ModelUnavailable:
        return Found(None)
    known = [j for j in judged if j is not None]
    if judged and not known:
        return Found(None)
    best = max(known, key=lambda j: j.probability, default=None)
    return Found(best.probability, best.evidence) if best else Found(0.0)


def _hooked(kind: str, texts: tuple[str, ...]) -> Found:
    """A question is known in any language, the other kinds in English only."""
    strengths = [(m.strength, text) for text in texts for m in find_hooks(text) if m.name == kind]
    if strengths:
        return Found(*max(strengths))
    judged = kind == "question" or any(detect_language(read_text(t)).english for t in texts)
    return Found(0.0 if judged or not texts else None)


def _headline_place(text: str) -> Found:
    try:
        score = score_headline(text)
    except ModelUnavailable:
        return Found(None)
    return Found(score.percentile, text) if score else Found(None)


def _best(found: Iterable[Found]) -> Found:
    known = [f for f in found if f.value is not None]
    return max(known, key=lambda f: f.value or 0.0, default=Found(None))


def _matched(pattern: re.Pattern[str], english: list[str], any_text: bool) -> Found:
    """1 for a text with the sign, 0 without; None when there are only other languages."""
    hit = next((text for text in english if pattern.search(read_text(text).clean)), None)
    if hit is not None:
        return Found(1.0, hit)
    return Found(0.0 if english or not any_text else None)
