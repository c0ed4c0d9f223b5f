"""Training and measuring the classifiers of urgency, scarcity and social proof."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.train.figures import Figure, f1_score
from scripts.train.fitting import Flags, Floats, fit_logistic, folds_of, hash_texts
from scripts.train.sources import ShopText
from shared.domain.scoring.language import detect_language
from shared.domain.scoring.pressure import (
    COLUMNS,
    FOUND_PROBABILITY,
    LABELS,
    hash_pressure,
    judge_pressure,
)
from shared.domain.scoring.texts import read_text

STRENGTH = 10.0
FOLDS = 5
SAMPLE_FOLD = 0
GOALS = {"urgency": 0.80, "scarcity": 0.90, "social_proof": 0.88}
# TF-IDF of words with logistic regression, as measured by those who gave the material.
BASELINES = {"urgency": 0.891, "scarcity": 0.979, "social_proof": 0.943}
FALSE_ALARMS = 0.06


def fit_pressure(texts: Sequence[ShopText]) -> tuple[Floats, Floats]:
    """Weights (labels x columns) and biases; each text counts as its weight says."""
    matrix, weights = see(texts), np.array([text.weight for text in texts])
    fitted = [
        fit_logistic(matrix, has_label(texts, label), strength=STRENGTH, weights=weights)
        for label in LABELS
    ]
    return np.stack([weights for weights, _ in fitted]), np.array([bias for _, bias in fitted])


def see(texts: Sequence[ShopText]) -> Any:
    """What the classifiers see of texts, one row a text."""
    return hash_texts([read_text(text.text) for text in texts], hash_pressure, COLUMNS)


def has_label(texts: Sequence[ShopText], label: str) -> Flags:
    """Which texts have a label."""
    return np.array([label in text.labels for text in texts])


def template_of(text: ShopText) -> str:
    """What near copies share: the words without numbers and signs; folds never split it."""
    return re.sub(r"[^a-z]+", " ", re.sub(r"\d+", "0", text.text.lower())).strip()


def split_folds(texts: Sequence[ShopText], seed: int = 0) -> NDArray[np.int64]:
    """A fold a text, near copies together."""
    return folds_of([template_of(text) for text in texts], FOLDS, seed)


def cross_validate(texts: Sequence[ShopText], always: Sequence[ShopText]) -> Floats:
    """Held-out probabilities (texts x labels); `always` is learned from in every fold."""
    folds, probabilities = split_folds(texts), np.zeros((len(texts), len(LABELS)))
    matrix = see(texts)
    for fold in range(FOLDS):
        kept = [text for text, other in zip(texts, folds, strict=True) if other != fold]
        weights, bias = fit_pressure([*kept, *always])
        margins = matrix[folds == fold] @ weights.T + bias
        probabilities[folds == fold] = 1 / (1 + np.exp(-margins))
    # The product does not judge what it takes for another language.
    judged = [detect_language(read_text(t.text)).code in ("en", "und") for t in texts]
    probabilities[~np.array(judged)] = 0.0
    return probabilities


def judge_all(texts: Sequence[ShopText]) -> Floats:
    """Probabilities of the shipped model (texts x labels), through the product's own door."""
    judged = [judge_pressure(text.text) for text in texts]
    return np.array([[p.probability if p else 0.0 for p in row.values()] for row in judged])


def pressure_figures(texts: Sequence[ShopText], probabilities: Floats, on: str) -> list[Figure]:
    """F1 of each label and the share of plain texts that any of them flags."""
    said = probabilities >= FOUND_PROBABILITY
    figures = [
        Figure(
            f"F1 {label}",
            f1_score(said[:, place], has_label(texts, label)),
            GOALS[label],
            BASELINES[label],
            measured_on=on,
        )
        for place, label in enumerate(LABELS)
    ]
    plain = np.array([text.plain for text in texts])
    alarms = float(said[plain].any(axis=1).mean()) if plain.any() else 0.0
    return [*figures, Figure("false alarms on plain texts", alarms, FALSE_ALARMS, None, True, on)]
