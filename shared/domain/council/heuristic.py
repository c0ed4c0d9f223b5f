"""The heuristic judge: rules of thumb over what was measured; always there, never a guess.

The weights are ours, chosen by hand and not learned: its confidence never passes 0.6.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import get_args

from shared.council_models import Band, Criterion, Opinion, Scores, Suggestion
from shared.domain.council.answers import clean_remark
from shared.domain.council.case import Case
from shared.models import Analysis

HEURISTIC = "heuristic"
MOST_CONFIDENCE = 0.6
LEAST_KNOWN_SHARE = 0.25
"""Of a criterion's weight: below this the judge says that it cannot tell."""
AVERAGE = 50.0
STRONG, WEAK = 0.7, 0.35
HOOK_SECONDS, END_SHARE = 3.0, 0.75
IDEAL_SHOT_SECONDS = 2.5
LONGEST_IDEAL_SECONDS, TOO_LONG_SECONDS = 30.0, 90.0
QUIET_LUFS, LOUD_LUFS, LUFS_MARGIN = -20.0, -12.0, 12.0


@dataclass(frozen=True)
class Part:
    """One signal's share in a criterion, and what to say when it is high or low."""

    criterion: Criterion
    signal: str
    weight: float
    high: str
    low: str


PARTS = (
    Part("hook", "hook_score", 0.7, "strong first three seconds", "weak first three seconds"),
    Part("hook", "curiosity", 0.2, "raises curiosity", "raises no curiosity"),
    Part("hook", "text_in_hook", 0.1, "text in the first three seconds", "opens without text"),
    Part("clarity", "text_share", 0.35, "understandable without sound", "little text on screen"),
    Part("clarity", "pace", 0.25, "a pace that can be followed", "a pace that is hard to follow"),
    Part("clarity", "length", 0.2, "a length that fits a feed", "long for a feed"),
    Part("clarity", "loudness", 0.2, "sound at a usual loudness", "sound too quiet or too loud"),
    Part("emotion", "face_engagement", 0.4, "faces that engage", "hardly a face to look at"),
    Part("emotion", "sync_quality", 0.3, "cuts and music in step", "cuts and music out of step"),
    Part("emotion", "transformation", 0.15, "shows a change", "shows no change"),
    Part("emotion", "emotion_intensity", 0.15, "faces show feeling", "faces show little feeling"),
    Part("call_to_action", "call_to_action", 0.4, "asks to act", "does not ask to act"),
    Part("call_to_action", "urgency", 0.35, "gives a reason to act now", "no reason to act now"),
    Part("call_to_action", "text_at_end", 0.25, "text at the end", "ends without text"),
    Part("brand", "brand", 0.7, "the brand is seen or named", "the brand is hardly present"),
    Part("brand", "authority", 0.15, "speaks with authority", "borrows no authority"),
    Part("brand", "social_proof", 0.15, "shows that others trust it", "no sign of others' trust"),
)
OVERALL: Mapping[Criterion, float] = {
    "hook": 0.3,
    "clarity": 0.2,
    "emotion": 0.2,
    "call_to_action": 0.2,
    "brand": 0.1,
}
GIVEN = sorted(
    {part.signal for part in PARTS}
    - {"hook_score", "text_in_hook", "text_share", "pace", "length", "loudness"}
    - {"face_engagement", "sync_quality", "text_at_end"}
)
"""Signals of scoring, each a fraction 0-1, by these names or as the last part of a dotted one."""


def judge_by_rules(case: Case) -> tuple[Opinion, tuple[str, ...]]:
    """The opinion, and the names of the signals that were lacking."""
    known = known_signals(case)
    scores: dict[Criterion, float | None] = {
        criterion: _score(criterion, known) for criterion in OVERALL
    }
    parts = sorted(PARTS, key=lambda part: part.weight * OVERALL[part.criterion], reverse=True)
    values = [(part, known.get(part.signal)) for part in parts]
    high = [part.high for part, value in values if value is not None and value >= STRONG]
    low = [part.low for part, value in values if value is not None and value <= WEAK]
    share = sum(
        part.weight * OVERALL[part.criterion] for part, value in values if value is not None
    )
    opinion = Opinion(
        scores=Scores(**scores, overall=_overall(scores)),
        ctr_band=_band(case),
        strengths=tuple(high[:5]),
        weaknesses=tuple(low[:5]),
        suggestions=tuple(
            Suggestion(at_seconds=0.0, text=text)
            for text in map(clean_remark, case.analysis.hook.optimization_suggestions[:8])
            if text
        ),
        confidence=round(MOST_CONFIDENCE * share, 3),
    )
    return opinion, tuple(part.signal for part, value in values if value is None)


def known_signals(case: Case) -> dict[str, float]:
    """Every signal between 0 and 1 that is known, measured or given."""
    found = {
        name: value for name, measure in MEASURED.items() if (value := measure(case)) is not None
    }
    for name, given in case.signals.items():
        last = name.rpartition(".")[2].removesuffix("_score")
        number = isinstance(given, int | float) and math.isfinite(given)
        if last in GIVEN and last not in found and number:
            found[last] = min(1.0, max(0.0, float(given or 0.0)))
    return found


def _score(criterion: Criterion, known: Mapping[str, float]) -> float | None:
    """The weighted mean of a criterion's parts, where an unknown part counts as average."""
    parts = [part for part in PARTS if part.criterion == criterion and part.signal in known]
    weight = sum(part.weight for part in parts)
    if weight < LEAST_KNOWN_SHARE:
        return None
    told = sum(part.weight * known[part.signal] for part in parts)
    return round(100 * told + AVERAGE * (1 - weight), 1)


def _overall(scores: Mapping[Criterion, float | None]) -> float:
    told = [(OVERALL[name], score) for name, score in scores.items() if score is not None]
    # The hook is measured for every video, so there is always something to go by.
    return round(sum(w * score for w, score in told) / sum(w for w, _ in told), 1)


def _band(case: Case) -> Band:
    for name, value in case.signals.items():
        told = name == "prediction.band" or name.rpartition(".")[2] in (
            "predicted_band",
            "ctr_band",
        )
        if told and value in get_args(Band):
            band: Band = value  # type: ignore[assignment]
            return band
    return "unknown"


def _text_share(case: Case) -> float | None:
    if case.lines is None:
        return None
    spans = sorted((line.start_seconds, line.end_seconds) for line in case.lines)
    covered, end = 0.0, 0.0
    for start, stop in spans:
        covered += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return min(1.0, covered / max(0.1, case.seconds))


def _text_in_hook(case: Case) -> float | None:
    if case.lines is None:
        return None
    return float(any(line.start_seconds < HOOK_SECONDS for line in case.lines))


def _text_at_end(case: Case) -> float | None:
    if case.lines is None:
        return None
    return float(any(line.end_seconds >= END_SHARE * case.seconds for line in case.lines))


def _pace(analysis: Analysis) -> float:
    """1 at one shot in 2.5 s, 0 at eight times faster or slower."""
    seconds = max(0.1, analysis.media.duration_seconds / max(1, len(analysis.shots)))
    return max(0.0, 1 - abs(math.log2(seconds / IDEAL_SHOT_SECONDS)) / 3)


def _length(seconds: float) -> float:
    over = (seconds - LONGEST_IDEAL_SECONDS) / (TOO_LONG_SECONDS - LONGEST_IDEAL_SECONDS)
    return min(1.0, max(0.0, 1 - over))


def _loudness(analysis: Analysis) -> float | None:
    lufs = analysis.audio.loudness_lufs
    if lufs is None:
        return None
    return max(0.0, 1 - max(QUIET_LUFS - lufs, lufs - LOUD_LUFS, 0.0) / LUFS_MARGIN)


MEASURED: Mapping[str, Callable[[Case], float | None]] = {
    "hook_score": lambda case: case.analysis.hook.hook_score,
    "text_in_hook": _text_in_hook,
    "text_share": _text_share,
    "text_at_end": _text_at_end,
    "pace": lambda case: _pace(case.analysis),
    "length": lambda case: _length(case.seconds),
    "loudness": lambda case: _loudness(case.analysis),
    "face_engagement": lambda case: case.analysis.faces.engagement,
    "sync_quality": lambda case: case.analysis.audio.sync.sync_quality,
}
