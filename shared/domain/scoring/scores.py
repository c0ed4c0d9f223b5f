"""All scores of one creative: psychology, hook, technical, emotion, objects, novelty, fit."""

from collections.abc import Callable

from shared.domain.scoring.feature import Case
from shared.domain.scoring.features import measure_features
from shared.domain.scoring.parts import Part, weigh
from shared.domain.scoring.weights import ModelUnavailable, load_weights
from shared.score_models import Lack, Score, Scores, Signals

# The documents name the scores, not how they are made: the weights are our judgement, and a model
# of the user's own results takes their place as soon as there are enough of them.
TECHNICAL = {
    "resolution_score": 0.3,
    "audio_quality": 0.25,
    "motion_score": 0.15,
    "has_captions": 0.15,
    "fps": 0.15,
}
EMOTION = {"emotion_strongest": 0.4, "emotion_happiness": 0.3, "emotion_change": 0.3}
OBJECTS = {
    "product_count": 0.35,
    "person_count": 0.3,
    "object_diversity": 0.2,
    "product_area": 0.15,
}
FIT = {
    "age_alignment": 0.25,
    "interest_match": 0.25,
    "platform_fit": 0.2,
    "persona_fit": 0.15,
    "language_match": 0.15,
}
OVERALL = {
    "psychology": 0.3,
    "hook": 0.25,
    "technical": 0.15,
    "emotion": 0.1,
    "objects": 0.1,
    "novelty": 0.1,
}
GOOD_FPS, FULL_CHANGE, FULL_AREA = 30.0, 0.25, 0.25
SCALES: dict[str, Callable[[float], float]] = {
    "fps": lambda fps: fps / GOOD_FPS,
    "emotion_change": lambda change: change / FULL_CHANGE,
    "product_count": lambda count: float(count >= 1),
    "person_count": lambda count: float(count >= 1),
    "product_area": lambda area: area / FULL_AREA,
}
LACKS = {
    "analysis": "no feature of movement, cuts, faces or sound",
    "text": "words on screen are not scored",
    "words": "spoken words are not scored",
    "sightings": "no object feature",
    "emotions": "no emotion feature",
    "sound": "no audio quality, or from loudness alone",
    "pictures": "no kind of picture",
    "embedding": "no novelty, no persona fit",
    "past_ads": "no novelty",
}


def score_creative(signals: Signals) -> Scores:
    """Every score and feature of a creative, with what was lacking and what that meant."""
    case = Case(signals)
    features = measure_features(case)
    psychology = weigh({n: Part(1.0, s.value) for n, s in case.psychology.items()})
    hook = case.hook
    words = None if hook.strength is None else hook.strength * (hook.confidence or 0.0)
    hook_score = weigh(
        {"words": Part(0.5, words), "pictures": Part(0.5, features["hook_of_pictures"])}
    )
    groups = {
        "technical": _of_features(TECHNICAL, features),
        "emotion": _of_features(EMOTION, features),
        "objects": _of_features(OBJECTS, features),
        "novelty": weigh({"novelty": Part(1.0, features["novelty"])}),
    }
    of_all = {"psychology": psychology, "hook": hook_score, **groups}
    return Scores(
        features=features,
        **case.psychology,
        psychology=psychology,
        hook=hook,
        hook_score=hook_score,
        **groups,
        demographic_fit=_of_features(FIT, features),
        overall=weigh({name: Part(OVERALL[name], s.value) for name, s in of_all.items()}),
        language=case.wording.language.code,
        lacked=_lacks(case),
    )


def _of_features(weights: dict[str, float], features: dict[str, float | None]) -> Score:
    parts = {}
    for name, weight in weights.items():
        value = features[name]
        scale = SCALES.get(name)
        parts[name] = Part(weight, scale(value) if scale and value is not None else value)
    return weigh(parts)


def _lacks(case: Case) -> tuple[Lack, ...]:
    """Signals that were not there, models that cannot run, a language that is not judged."""
    missing = [
        Lack(signal=signal, consequence=consequence)
        for signal, consequence in LACKS.items()
        if getattr(case.signals, signal) is None
    ]
    for model in ("pressure", "headlines"):
        try:
            load_weights(model)
        except ModelUnavailable as problem:
            missing.append(Lack(signal=f"model {model}", consequence=str(problem)))
    language = case.wording.language
    if case.wording.known and language.code not in ("en", "und"):
        consequence = f"words in {language.code} are scored from what is language-free"
        missing.append(Lack(signal="english words", consequence=consequence))
    return tuple(missing)
