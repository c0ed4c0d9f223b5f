"""From several opinions to one: weights times confidence, outliers set aside and shown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from shared.council_models import (
    CRITERIA,
    Agreement,
    Band,
    Criterion,
    Opinion,
    SceneAccount,
    Suggestion,
)

NORMAL_SCALE = 1.4826
"""Median absolute deviation x this = standard deviation of a normal distribution."""
LEAST_SCALE = 5.0
"""Points; judges that happen to agree to the digit must not make a near miss an outlier."""
FEWEST_FOR_OUTLIERS = 3
DISAGREEMENT_POINTS = 25.0
FULL_DISAGREEMENT_POINTS = 50.0
MOST_REMARKS = 8


@dataclass(frozen=True)
class Voice:
    """One judge that was heard."""

    judge: str
    opinion: Opinion
    weight: float

    @property
    def pull(self) -> float:
        """How much it counts: its weight times its own confidence."""
        return self.weight * self.opinion.confidence


def agree(voices: Sequence[Voice], outlier_deviations: float) -> dict[Criterion, Agreement]:
    """One score a criterion, the weighted mean of all but the outliers.

    With three judges or more, a score further from their median than `outlier_deviations`
    scaled median absolute deviations does not count (decisions: council weights).
    """
    return {criterion: _agree_on(criterion, voices, outlier_deviations) for criterion in CRITERIA}


def confidence_of(voices: Sequence[Voice], overall: Agreement) -> float:
    """The judges' mean confidence, less as they disagree: 0 at 50 points of deviation."""
    counted = [voice for voice in voices if voice.judge not in overall.outliers]
    total = sum(voice.weight for voice in counted)
    if total == 0:
        return 0.0
    mean = sum(voice.weight * voice.opinion.confidence for voice in counted) / total
    spread = NORMAL_SCALE * (overall.deviation or 0.0)
    return round(mean * max(0.0, 1 - spread / FULL_DISAGREEMENT_POINTS), 3)


def disagree(agreements: Mapping[Criterion, Agreement]) -> bool:
    """Whether the judges' overall scores lie 25 points apart, or one of them did not count."""
    overall = agreements["overall"]
    if overall.lowest is None or overall.highest is None:
        return False
    return bool(overall.outliers) or overall.highest - overall.lowest >= DISAGREEMENT_POINTS


def band_of(voices: Sequence[Voice]) -> Band:
    """The band with the most pull behind it; unknown when nobody can tell or two are equal."""
    pulls: dict[Band, float] = {}
    for voice in voices:
        if voice.opinion.ctr_band != "unknown":
            pulls[voice.opinion.ctr_band] = pulls.get(voice.opinion.ctr_band, 0.0) + voice.pull
    if not pulls:
        return "unknown"
    best = max(pulls.values())
    winners = [band for band, pull in pulls.items() if pull == best]
    return winners[0] if len(winners) == 1 else "unknown"


def merge_remarks(remarks: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """The judges' remarks in turn, the weightiest judge first, each once, at most eight."""
    merged: dict[str, str] = {}
    for turn in range(max(map(len, remarks), default=0)):
        for texts in remarks:
            if turn < len(texts):
                merged.setdefault(texts[turn].casefold(), texts[turn])
    return tuple(merged.values())[:MOST_REMARKS]


def merge_suggestions(voices: Sequence[Voice]) -> tuple[Suggestion, ...]:
    """The judges' suggestions in turn, each once, at most eight."""
    by_text = {s.text: s for voice in voices for s in voice.opinion.suggestions}
    texts = [[s.text for s in voice.opinion.suggestions] for voice in voices]
    return tuple(by_text[text] for text in merge_remarks(texts))


def best_scenes(voices: Iterable[Voice]) -> tuple[SceneAccount, ...]:
    """The account of the weightiest judge that gave one."""
    return next((voice.opinion.scenes for voice in voices if voice.opinion.scenes), ())


def _agree_on(
    criterion: Criterion, voices: Sequence[Voice], outlier_deviations: float
) -> Agreement:
    given: list[tuple[Voice, float]] = [
        (voice, float(score))
        for voice in voices
        if (score := getattr(voice.opinion.scores, criterion)) is not None
    ]
    if not given:
        return Agreement(score=None, lowest=None, highest=None, deviation=None, judges=0)
    values = [score for _, score in given]
    middle = median(values)
    deviation = median(abs(value - middle) for value in values)
    reach = outlier_deviations * max(LEAST_SCALE, NORMAL_SCALE * deviation)
    far = len(values) >= FEWEST_FOR_OUTLIERS
    outliers = [voice.judge for voice, score in given if far and abs(score - middle) > reach]
    counted = [(voice, score) for voice, score in given if voice.judge not in outliers]
    return Agreement(
        score=round(_weighted(counted), 1),
        lowest=min(values),
        highest=max(values),
        deviation=round(deviation, 3),
        judges=len(counted),
        outliers=tuple(outliers),
    )


def _weighted(counted: Sequence[tuple[Voice, float]]) -> float:
    pulls = [voice.pull for voice, _ in counted]
    if sum(pulls) == 0:
        pulls = [1.0] * len(counted)
    mean = sum(p * score for p, (_, score) in zip(pulls, counted, strict=True)) / sum(pulls)
    scores = [score for _, score in counted]
    # Rounding must not carry a mean outside what the judges said.
    return min(max(scores), max(min(scores), mean))
