"""The order of variations: by what is expected, and so that those picked are not alike."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from statistics import fmean

from shared.domain.creative.predicting import Judged
from shared.domain.creative.strategies import Draft
from shared.domain.scoring.cold_start import BASE, POINTS
from shared.models import CreativeRules

# How much of what a viewer notices each part is: our judgement, not measured.
SEEN = {"hook": 0.35, "headline": 0.2, "cta": 0.15, "scheme": 0.1, "pacing": 0.1, "duration": 0.1}
LIFT_SHARE = 0.1
"""How much of the expected rate beside the rules moves the order among equal scores."""
RULE_WORDS = {
    "urgent_words": "an opening that presses",
    "clear_call_to_action": "a clear call to act",
    "lasts_15_seconds": "15 seconds",
    "fast_pacing": "a fast pacing",
    "lasts_60_seconds": "60 seconds",
}
LONGEST_WORD = 12
"""A longer one is a text of a script without spaces, or built of several."""
Likeness = Callable[[str, str], float]
"""How alike two texts are, 0-1: words here; sentence vectors where somebody brings them."""


@dataclass(frozen=True)
class Place:
    """One draft in the order: `priority` counts from 1 among those picked, None: not picked."""

    number: int
    judged: Judged
    priority: int | None
    why: str


def by_expectation(found: Sequence[Judged]) -> list[int]:
    """Places of drafts, best expected first; ties stay in their order."""
    return sorted(range(len(found)), key=lambda at: (-_merit(found[at]), at))


def rank_drafts(
    found: Sequence[Judged], rules: CreativeRules, likeness: Likeness | None = None
) -> list[Place]:
    """Those picked in the order of rendering, then the others as they are expected.

    Picking is by maximal marginal relevance (Carbonell and Goldstein, 1998): each time the draft
    with the most of (1 - w) x merit - w x likeness to the likest one picked before; w is
    `rules.diversity`, merit is scaled to 0-1 among those over `rules.least_score`.
    """
    same = likeness or words_alike
    order = by_expectation(found)
    able = [at for at in order if found[at].score > rules.least_score]
    picked = _pick(found, able, rules, same)
    places = [
        Place(at + 1, found[at], turn + 1, _why_picked(found, picked, turn, able, same))
        for turn, at in enumerate(picked)
    ]
    left = [at for at in order if at not in picked]
    return places + [
        Place(at + 1, found[at], None, _why_left(found, picked, at, rules, same)) for at in left
    ]


def mean_difference(drafts: Sequence[Draft], likeness: Likeness | None = None) -> float:
    """1 - likeness, the mean over all pairs; 0 for fewer than two."""
    same = likeness or words_alike
    pairs = [1 - alike(one, other, same) for one, other in combinations(drafts, 2)]
    return fmean(pairs) if pairs else 0.0


def alike(one: Draft, other: Draft, likeness: Likeness) -> float:
    """How alike two drafts look, 0-1: each part by its share of what a viewer notices."""
    parts = {
        "hook": likeness(one.hook.text, other.hook.text),
        "headline": likeness(one.headline.text, other.headline.text),
        "cta": likeness(one.cta.text, other.cta.text),
        "scheme": float(one.scheme == other.scheme),
        "pacing": float(one.pacing == other.pacing),
        "duration": float(one.duration == other.duration),
    }
    return sum(SEEN[name] * part for name, part in parts.items())


def words_alike(one: str, other: str) -> float:
    """Words in common / words of both; pairs of letters where words are not told apart."""
    if one == other:
        return 1.0
    ours, theirs = _words(one), _words(other)
    if any(len(word) > LONGEST_WORD for word in ours | theirs):
        ours, theirs = _letter_pairs(ours), _letter_pairs(theirs)
    both = ours | theirs
    return len(ours & theirs) / len(both) if both else 0.0


@lru_cache(maxsize=4096)
def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


def _letter_pairs(words: frozenset[str]) -> frozenset[str]:
    return frozenset(one + other for word in words for one, other in pairwise(word))


def _merit(one: Judged) -> float:
    """The score, and a little of how the expected rate differs from what the score alone tells."""
    lift = next((m.effect for m in one.prediction.movers if m.feature == "headline_lift"), 0.0)
    base = one.prediction.value - lift
    return one.score * (1 + LIFT_SHARE * lift / base) if base > 0 else one.score


def _pick(
    found: Sequence[Judged], able: Sequence[int], rules: CreativeRules, likeness: Likeness
) -> list[int]:
    merits = {at: _merit(found[at]) for at in able}
    low, high = min(merits.values(), default=0.0), max(merits.values(), default=0.0)
    scale = (high - low) or 1.0
    nearest = dict.fromkeys(able, 0.0)
    picked: list[int] = []
    weight = rules.diversity
    while nearest and len(picked) < rules.most_selected:
        best = max(
            nearest,
            key=lambda at: (1 - weight) * (merits[at] - low) / scale - weight * nearest[at],
        )
        picked.append(best)
        del nearest[best]
        for at, so_far in nearest.items():
            nearest[at] = max(so_far, alike(found[at].draft, found[best].draft, likeness))
    return picked


def _why_picked(
    found: Sequence[Judged],
    picked: Sequence[int],
    turn: int,
    able: Sequence[int],
    likeness: Likeness,
) -> str:
    at = picked[turn]
    reason = f"{found[at].score:.2f} by {_moved(found[at])}"
    before = picked[:turn]
    plain = able.index(at)
    if plain < turn and before:
        twin, share = _likest(found, before, at, likeness)
        return f"{reason}; moved down from place {plain + 1}: number {twin} is {share:.0%} alike"
    if plain > turn and before:
        twin, share = _likest(found, before, at, likeness)
        return (
            f"{reason}; moved up from place {plain + 1}: "
            f"the likest one before it, number {twin}, is only {share:.0%} alike"
        )
    return reason


def _why_left(
    found: Sequence[Judged],
    picked: Sequence[int],
    at: int,
    rules: CreativeRules,
    likeness: Likeness,
) -> str:
    score = found[at].score
    if score <= rules.least_score:
        return f"not picked: {score:.2f} by {_moved(found[at])} is not over {rules.least_score:g}"
    if not picked:
        return f"not picked: {score:.2f} by {_moved(found[at])}, and no place is set to be filled"
    twin, share = _likest(found, picked, at, likeness)
    return f"not picked: {score:.2f} by {_moved(found[at])}, and number {twin} is {share:.0%} alike"


def _likest(
    found: Sequence[Judged], picked: Sequence[int], at: int, likeness: Likeness
) -> tuple[int, float]:
    """The number of the likest draft among those picked, and how alike it is."""
    shares = [(alike(found[at].draft, found[other].draft, likeness), -other) for other in picked]
    share, other = max(shares)
    return 1 - other, share


def _moved(one: Judged) -> str:
    """What moved the score, strongest first."""
    if one.prediction.rank_score is None:
        names = [mover.feature.replace("_", " ") for mover in one.prediction.movers[:3]]
        return f"a model of your results ({', '.join(names) or 'nothing stands out'})"
    points = [
        f"{RULE_WORDS[mover.feature]} ({POINTS[mover.feature]:+.2f})"
        for mover in one.prediction.movers
        if mover.feature in POINTS
    ]
    return ", ".join(points) or f"nothing but the start of {BASE}"
