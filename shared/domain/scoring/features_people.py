"""The features of faces' emotions and of the objects in the pictures."""

from collections import Counter
from functools import partial
from math import log
from statistics import fmean, pstdev

from shared.domain.scoring.feature import Case, Feature
from shared.domain.scoring.lexicon import lists_of
from shared.inference_models import SeenObject

EMOTIONS = ("happiness", "sadness", "anger", "surprise", "fear", "disgust", "contempt", "neutral")
SAMPLES = "emotions in faces"
OBJECTS = "objects"


def emotion_share(name: str, case: Case) -> float | None:
    """The mean share of one emotion over the sampled faces; None without a face."""
    samples = case.signals.emotions
    return fmean(s.scores.get(name, 0.0) for s in samples) if samples else None


def _emotion_change(case: Case) -> float | None:
    samples = case.signals.emotions
    if not samples:
        return None
    names = {name for sample in samples for name in sample.scores}
    return (
        fmean(pstdev(s.scores.get(name, 0.0) for s in samples) for name in names) if names else 0.0
    )


def _strongest(case: Case) -> float | None:
    samples = case.signals.emotions
    if not samples:
        return None
    shares = [share for s in samples for name, share in s.scores.items() if name != "neutral"]
    return max(shares, default=0.0)


def _faces(case: Case) -> float | None:
    return None if case.signals.emotions is None else float(len(case.signals.emotions))


def most_at_once(labels: frozenset[str], case: Case) -> float | None:
    """The most objects of some kinds on one sampled frame."""
    if case.signals.sightings is None:
        return None
    counts = Counter(s.at_seconds for s in case.signals.sightings if _is(s, labels))
    return float(max(counts.values(), default=0))


def object_diversity(case: Case) -> float | None:
    """The entropy of the labels / the log of 10, 0-1: one kind 0, ten equally often 1."""
    if case.signals.sightings is None:
        return None
    counts = Counter(s.label for s in case.signals.sightings)
    total = sum(counts.values())
    entropy = -sum(n / total * log(n / total) for n in counts.values()) if total else 0.0
    return min(1.0, max(0.0, entropy / log(10)))


def _per_frame(case: Case) -> float | None:
    if case.signals.sightings is None:
        return None
    frames = {s.at_seconds for s in case.signals.sightings}
    return len(case.signals.sightings) / len(frames) if frames else 0.0


def largest_area(labels: frozenset[str] | None, case: Case) -> float | None:
    """The largest share of the picture that an object of some kinds (None: any) fills."""
    if case.signals.sightings is None:
        return None
    areas = (s.box.area for s in case.signals.sightings if labels is None or _is(s, labels))
    return max(areas, default=0.0)


def _is(sighting: SeenObject, labels: frozenset[str]) -> bool:
    return sighting.label.lower().replace(" ", "_") in labels


# What the COCO classes have of each kind; a product is what is held, worn or sold.
KINDS = lists_of("objects_seen")
COUNTED = {
    "person": KINDS["person"],
    "product": KINDS["products"],
    "text": KINDS["text"],
    "animal": KINDS["animals"],
    "vehicle": KINDS["vehicles"],
    "food": KINDS["food"],
}
FEATURES = (
    *(
        Feature(
            f"emotion_{name}",
            "emotion",
            f"mean share of {name} over sampled faces",
            SAMPLES,
            "0-1",
            partial(emotion_share, name),
            "unknown too without faces",
        )
        for name in EMOTIONS
    ),
    Feature("emotion_faces", "emotion", "faces judged", SAMPLES, "count", _faces),
    Feature(
        "emotion_change", "emotion", "mean spread of the shares", SAMPLES, "0-0.5", _emotion_change
    ),
    Feature(
        "emotion_strongest", "emotion", "largest share but neutral", SAMPLES, "0-1", _strongest
    ),
    *(
        Feature(
            f"{name}_count",
            "object",
            f"most of kind {name} on one frame",
            OBJECTS,
            "count",
            partial(most_at_once, labels),
        )
        for name, labels in COUNTED.items()
    ),
    Feature(
        "object_diversity", "object", "entropy of labels / log 10", OBJECTS, "0-1", object_diversity
    ),
    Feature(
        "objects_per_frame",
        "object",
        "sightings / frames with any",
        OBJECTS,
        "objects a frame",
        _per_frame,
    ),
    Feature(
        "product_area",
        "object",
        "largest share of the picture",
        OBJECTS,
        "0-1",
        partial(largest_area, KINDS["products"]),
    ),
    Feature(
        "object_area",
        "object",
        "largest share of the picture",
        OBJECTS,
        "0-1",
        partial(largest_area, None),
    ),
)
