"""From what Video Intelligence measured to an opinion, by rules: it sees, and has no taste."""

from shared.council_models import Annotations, Opinion, Scores, Suggestion
from shared.domain.council.answers import clean_remark

HOOK_SECONDS, END_SHARE = 3.0, 0.75
CONFIDENCE = 0.4
SURE = 0.5
EXPLICIT_LIMIT = 0.6
LABELS_FOR_FULL_CLARITY = 8


def opinion_of(found: Annotations, seconds: float) -> Opinion:
    """Scores for what annotations can tell; emotion they cannot, so it is None.

    Hook: a cut and a text within three seconds. Clarity: text on screen and things that are
    surely named. Call to action: text in the last quarter. Brand: how long a logo is seen.
    """
    early_cut = None if found.shots is None else any(0 < s < HOOK_SECONDS for s, _ in found.shots)
    texts = None if found.texts is None else [t for t in found.texts if t.confidence >= SURE]
    early_text = None if texts is None else any(t.start_seconds < HOOK_SECONDS for t in texts)
    late_text = None if texts is None else any(t.end_seconds >= END_SHARE * seconds for t in texts)
    scores = {
        "hook": _mean(early_cut, early_text),
        "clarity": _clarity(found, texts is not None and bool(texts)),
        "emotion": None,
        "call_to_action": _mean(late_text),
        "brand": _brand(found, seconds),
    }
    told = [score for score in scores.values() if score is not None]
    explicit = (found.explicit_likelihood or 0.0) >= EXPLICIT_LIMIT
    overall = round(sum(told) / len(told), 1) if told else 50.0
    return Opinion(
        scores=Scores(**scores, overall=min(overall, 20.0) if explicit else overall),
        ctr_band="unknown",
        strengths=tuple(_seen(found)),
        weaknesses=("pictures that platforms may refuse as explicit",) if explicit else (),
        suggestions=()
        if late_text is not False
        else (Suggestion(at_seconds=round(END_SHARE * seconds, 1), text="end with a text"),),
        confidence=CONFIDENCE * len(told) / 4,
    )


def _mean(*signs: bool | None) -> float | None:
    known = [sign for sign in signs if sign is not None]
    # A sign that is there or not says little: between 35 and 75, never the ends of the scale.
    return round(35 + 40 * sum(known) / len(known), 1) if known else None


def _clarity(found: Annotations, has_text: bool) -> float | None:
    if found.labels is None:
        return None
    named = len({label.text for label in found.labels if label.confidence >= SURE})
    share = min(1.0, named / LABELS_FOR_FULL_CLARITY)
    return round(30 + 25 * share + 20 * has_text, 1)


def _brand(found: Annotations, seconds: float) -> float | None:
    if found.logos is None:
        return None
    shown = sum(logo.end_seconds - logo.start_seconds for logo in found.logos)
    return round(30 + 50 * min(1.0, max(0.0, shown) / max(0.1, seconds)), 1)


def _seen(found: Annotations) -> list[str]:
    logos = [clean_remark(logo.text) for logo in found.logos or ()]
    return [f"logo seen: {name}"[:300] for name in dict.fromkeys(logos) if name][:5]
