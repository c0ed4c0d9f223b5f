"""Which of two headlines is clicked more: a linear model of real A/B tests, and its limits."""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from shared.domain.scoring.hook_types import KINDS, find_hooks
from shared.domain.scoring.language import detect_language
from shared.domain.scoring.ngrams import count_ngrams, hash_counts
from shared.domain.scoring.texts import Text, read_text
from shared.domain.scoring.weights import Array, load_weights

MODEL = "headlines"
# The model has seen headlines of 3 to 30 words; what is longer counts as its first 40 words.
MAX_WORDS = 40
SHOUTED = re.compile(r"\b[A-Z]{3,}\b")
PRONOUNS = frozenset(["he", "she", "his", "her", "him", "they", "their", "them"])
POINTERS = frozenset(["this", "these", "that", "those", "what", "who", "here"])
SHAPES = (
    *("words", "words squared", "characters", "word length", "stops", "questions", "exclamations"),
    *("quotes", "commas", "shouted words", "dots", "stars", "third persons", "pointers"),
)
SHAPE_NAMES = (*SHAPES, *(f"hook {kind.name}" for kind in KINDS))


@dataclass(frozen=True)
class HeadlineScore:
    """A headline beside those of the archive.

    `margin` has no unit: the difference of two is the log odds that one wins. `percentile` 0-1:
    the share of the archive's headlines that score less. `lift`: the expected CTR as a multiple
    of what another headline of the same story gets.
    """

    margin: float
    percentile: float
    lift: float
    version: str


@lru_cache(maxsize=4096)
def score_headline(raw: str) -> HeadlineScore | None:
    """The score of an English headline; None for no words or another language.

    Raises ModelUnavailable.
    """
    text = first_words(read_text(raw))
    if not text.letters or not detect_language(text).english:
        return None
    weights = load_weights(MODEL)
    arrays = weights.arrays
    places, values = hash_counts(count_ngrams(text), len(arrays["weights"]))
    margin = float(arrays["weights"][places] @ values)
    margin += float(arrays["shape_weights"] @ (describe_shape(text) - arrays["shape_means"]))
    steps = arrays["quantiles"]
    percentile = float(np.interp(margin, steps, np.linspace(0.0, 1.0, len(steps))))
    lift = math.exp(float(arrays["lift_slope"][0]) * (margin - float(np.median(steps))))
    return HeadlineScore(margin, round(percentile, 4), round(lift, 4), weights.version)


def compare_headlines(one: str, other: str) -> float | None:
    """The probability that `one` is clicked more than `other` where a test finds a clear winner.

    None when one of them cannot be scored. Raises ModelUnavailable.
    """
    first, second = score_headline(one), score_headline(other)
    if first is None or second is None:
        return None
    slope = float(load_weights(MODEL).arrays["pair_slope"][0])
    return 1 / (1 + math.exp(-slope * (first.margin - second.margin)))


def first_words(text: Text) -> Text:
    """The text up to its 40th word."""
    words = text.clean.split(" ")
    return text if len(words) <= MAX_WORDS else read_text(" ".join(words[:MAX_WORDS]))


def describe_shape(text: Text) -> Array:
    """What is counted beside n-grams, in the order of SHAPE_NAMES, each about 0 to 2."""
    words = [word for word in text.words if word[0].isalnum()]
    count = min(len(words), MAX_WORDS) / 10
    clean = text.clean
    shape = [
        count,
        count**2 / 3,
        min(len(clean), 200) / 80,
        sum(map(len, words)) / max(1, len(words)) / 4,
        *(min(4, clean.count(sign)) / 2 for sign in (".", "?", "!")),
        min(4, clean.count('"') + clean.count("'")) / 2,
        min(4, clean.count(",")) / 2,
        min(4, len(SHOUTED.findall(clean))) / 2,
        float(".." in clean or "…" in text.shown_as),
        float("*" in clean),
        min(4, sum(word in PRONOUNS for word in words)) / 2,
        min(4, sum(word in POINTERS for word in words)) / 2,
    ]
    hooks = {match.name for match in find_hooks(clean)}
    return np.array([*shape, *(float(kind.name in hooks) for kind in KINDS)], np.float64)
