"""Fitting linear models on hashed n-grams, in folds that keep what belongs together."""

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.domain.scoring.texts import Text
from shared.errors import ConfigError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


Hasher = Callable[[Text], tuple[NDArray[np.int64], Floats]]


def hash_texts(texts: Sequence[Text], hasher: Hasher, columns: int) -> Any:
    """What a model sees of texts as a sparse matrix, one row a text."""
    hashed = [hasher(text) for text in texts]
    starts = np.cumsum([0, *(len(places) for places, _ in hashed)])
    places = np.concatenate([places for places, _ in hashed])
    values = np.concatenate([values for _, values in hashed])
    return _sparse().csr_matrix((values, places, starts), shape=(len(texts), columns))


def fit_logistic(
    matrix: Any,
    wanted: Flags,
    *,
    strength: float,
    weights: Floats | None = None,
    centred: bool = False,
) -> tuple[Floats, float]:
    """Weights and bias of a logistic regression; `centred` has no bias, classes count equally else.

    `strength` is the inverse of the L2 penalty.
    """
    model = _linear().LogisticRegression(
        C=strength,
        max_iter=2000,
        fit_intercept=not centred,
        class_weight=None if centred else "balanced",
    )
    model.fit(matrix, wanted, sample_weight=weights)
    return np.asarray(model.coef_[0], np.float64), 0.0 if centred else float(model.intercept_[0])


def fit_slope(margins: Floats, weights: Floats | None = None) -> float:
    """The slope that makes 1 / (1 + exp(-slope x margin)) the probability of the first winning.

    `margins` are winner less loser; Newton's method on the log likelihood.
    """
    share = np.ones(len(margins)) if weights is None else weights
    slope = 0.0
    for _ in range(50):
        lost = 1 / (1 + np.exp(np.clip(slope * margins, -30, 30)))
        gradient = float((share * lost * margins).sum())
        curvature = float((share * lost * (1 - lost) * margins**2).sum())
        step = gradient / max(curvature, 1e-9)
        slope += step
        if abs(step) < 1e-9:
            break
    return slope


def folds_of(groups: Sequence[Hashable], folds: int, seed: int) -> NDArray[np.int64]:
    """A fold 0..folds-1 for each entry; a group is never split."""
    names = [*dict.fromkeys(groups)]
    drawn = np.random.default_rng(seed).permutation(len(names)) % folds
    fold_of = dict(zip(names, drawn.tolist(), strict=True))
    return np.array([fold_of[group] for group in groups], np.int64)


def _sparse() -> Any:
    try:
        import scipy.sparse
    except ImportError as problem:
        raise ConfigError(NEEDS_ML) from problem
    return scipy.sparse


def _linear() -> Any:
    try:
        import sklearn.linear_model
    except ImportError as problem:
        raise ConfigError(NEEDS_ML) from problem
    return sklearn.linear_model


NEEDS_ML = "training needs scikit-learn, which requirements/dev.txt brings: run scripts/test once"
