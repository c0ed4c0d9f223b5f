"""Urgency, scarcity and social proof in a text: three classifiers trained on shop texts."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from shared.domain.scoring.concepts import count_concepts
from shared.domain.scoring.language import detect_language
from shared.domain.scoring.ngrams import count_ngrams, hash_counts
from shared.domain.scoring.texts import Text, read_text, sentences_of
from shared.domain.scoring.weights import load_weights

MODEL = "pressure"
Pressure = Literal["urgency", "scarcity", "social_proof"]
LABELS: tuple[Pressure, ...] = get_args(Pressure)
FOUND_PROBABILITY = 0.5

# What presses in any language: a running clock, and stars in a row or out of five.
TIMER = re.compile(r"(?<!\d)\d{1,2}\s?:\s?\d\d(?:\s?:\s?\d\d)?(?!\d)")
STARS = re.compile(r"[★⭐]{3,}|\b[45][.,]\d\s?[★⭐/]")
SIGNS: dict[Pressure, re.Pattern[str]] = {"urgency": TIMER, "social_proof": STARS}
SIGN_PROBABILITY = 0.6

NGRAM_BUCKETS, CONCEPT_BUCKETS = 2**15, 2**12
COLUMNS = NGRAM_BUCKETS + CONCEPT_BUCKETS
# Concepts are few and sure: at half their length they add to the n-grams without ruling them.
CONCEPT_SCALE = 0.5


@dataclass(frozen=True)
class Judgement:
    """How surely a text presses in one way, 0-1, and its words that say so the most."""

    label: Pressure
    probability: float
    evidence: str

    @property
    def found(self) -> bool:
        """Whether the text is said to press that way."""
        return self.probability >= FOUND_PROBABILITY


@lru_cache(maxsize=4096)
def judge_pressure(raw: str) -> dict[Pressure, Judgement | None]:
    """Each kind of pressure in a text; a long text is judged by its strongest sentence.

    In a language other than English only clocks and stars are known: what has neither is None,
    not zero. An empty text presses in no way. Raises ModelUnavailable.
    """
    text = read_text(raw)
    if not text.words:
        return {label: Judgement(label, 0.0, "") for label in LABELS}
    if detect_language(text).code not in ("en", "und"):
        return {label: _by_sign(label, text) for label in LABELS}
    return {label: _strongest(label, place, text) for place, label in enumerate(LABELS)}


def hash_pressure(text: Text) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What the classifiers see of a text: places of 36,864 columns, and the value at each."""
    grams, values = hash_counts(count_ngrams(text), NGRAM_BUCKETS)
    concepts, weights = hash_counts(count_concepts(text), CONCEPT_BUCKETS)
    places = np.concatenate([grams, concepts + NGRAM_BUCKETS])
    return places, np.concatenate([values, weights * CONCEPT_SCALE])


def _strongest(label: Pressure, place: int, text: Text) -> Judgement:
    judged = [(float(_probabilities(part)[place]), part) for part in sentences_of(text)]
    probability, part = max(judged, key=lambda item: item[0])
    return Judgement(label, round(probability, 4), part.clean if probability >= 0.5 else "")


def _probabilities(text: Text) -> NDArray[np.float64]:
    """One probability a label, of a short text."""
    arrays = load_weights(MODEL).arrays
    places, values = hash_pressure(text)
    margins = arrays["weights"][:, places] @ values + arrays["bias"]
    return np.asarray(1 / (1 + np.exp(-margins)), np.float64)


def _by_sign(label: Pressure, text: Text) -> Judgement | None:
    match = SIGNS[label].search(text.clean) if label in SIGNS else None
    return Judgement(label, SIGN_PROBABILITY, match.group()) if match else None
