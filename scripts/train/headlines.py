"""Training and measuring the headline model on A/B tests whose randomisation held."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scripts.train.figures import Figure, brier_score, calibration_error
from scripts.train.fitting import Floats, fit_logistic, fit_slope, folds_of, hash_texts
from scripts.train.sources import Arm, Pair
from shared.domain.scoring.headlines import compare_headlines, describe_shape, first_words
from shared.domain.scoring.ngrams import count_ngrams, hash_counts
from shared.domain.scoring.randomisation import SplitTest, broken_weeks
from shared.domain.scoring.texts import Text, read_text

BUCKETS = 2**16
STRENGTH = 0.3
SHAPE_SCALE = 0.5
FOLDS = 10
SAMPLE_FOLDS = (0, 1)
# A pair teaches in proportion to how sure its test is; below this it is noise.
LEAST_Z, FULL_Z = 1.5, 4.0
CLEAR_Z = 2.58
GOAL, BASELINE = 0.66, 0.662
QUANTILES = 41


# N-grams (sparse, one row a headline) and shapes (dense).
Described = tuple[Any, Floats]


@dataclass(frozen=True)
class Trials:
    """Distinct headlines and the pairs of them that met in a test.

    `pairs` are places in `headlines`; `z` is the standardised difference of their CTR, positive
    when the first won; `story` names tests that share a headline; `clear` marks the best and
    worst of a test with a clear winner.
    """

    headlines: list[str]
    pairs: NDArray[np.int64]
    z: Floats
    lift: Floats
    story: list[str]
    test: list[str]
    clear: NDArray[np.bool_]


@dataclass(frozen=True)
class Fitted:
    """The arrays of a headline model before calibration."""

    weights: Floats
    shape_weights: Floats
    shape_means: Floats


def sound_arms(arms: Sequence[Arm], tests: Iterable[tuple[str, int, tuple[int, ...]]]) -> list[Arm]:
    """The arms of weeks whose tests pass the sample-ratio check."""
    broken = broken_weeks(SplitTest(week, seen) for _, week, seen in tests)
    return [arm for arm in arms if arm.week not in broken]


def make_trials(arms: Sequence[Arm]) -> Trials:
    """Every pair of headlines of the same test, with what its test says about them."""
    by_test: dict[str, list[Arm]] = defaultdict(list)
    for arm in arms:
        by_test[arm.test].append(arm)
    tests = {test: found for test, found in sorted(by_test.items()) if len(found) > 1}
    story_of = _stories(tests)
    place_of = {
        h: i for i, h in enumerate(dict.fromkeys(a.headline for t in tests.values() for a in t))
    }
    found = [(a, b, z_of(a, b)) for t in tests.values() for a, b in combinations(t, 2)]
    best = {
        test: {max(t, key=lambda a: a.ctr).headline, min(t, key=lambda a: a.ctr).headline}
        for test, t in tests.items()
    }
    return Trials(
        headlines=[*place_of],
        pairs=np.array([(place_of[a.headline], place_of[b.headline]) for a, b, _ in found]),
        z=np.array([z for _, _, z in found]),
        lift=np.array([lift_of(a, b) for a, b, _ in found]),
        story=[story_of[a.test] for a, _, _ in found],
        test=[a.test for a, _, _ in found],
        clear=np.array(
            [abs(z) >= CLEAR_Z and {a.headline, b.headline} == best[a.test] for a, b, z in found]
        ),
    )


def z_of(one: Arm, other: Arm) -> float:
    """The difference of two CTRs over its standard error; 0 when nobody clicked."""
    seen, clicks = one.impressions + other.impressions, one.clicks + other.clicks
    if not 0 < clicks < seen or not one.impressions or not other.impressions:
        return 0.0
    share = clicks / seen
    error = math.sqrt(share * (1 - share) * (1 / one.impressions + 1 / other.impressions))
    return (one.ctr - other.ctr) / error


def lift_of(one: Arm, other: Arm) -> float:
    """The log of the ratio of two CTRs, half a click added to each so that none is zero."""
    return math.log((one.clicks + 0.5) / (one.impressions + 1)) - math.log(
        (other.clicks + 0.5) / (other.impressions + 1)
    )


def _stories(tests: dict[str, list[Arm]]) -> dict[str, str]:
    """For each test the first test that it shares a headline with, directly or by others."""
    parent = {test: test for test in tests}

    def root(test: str) -> str:
        while parent[test] != test:
            test = parent[test]
        return test

    first: dict[str, str] = {}
    for test, arms in tests.items():
        for arm in arms:
            key = " ".join(read_text(arm.headline).words)
            parent[root(test)] = root(first.setdefault(key, test))
    return {test: root(test) for test in tests}


def see(text: Text) -> tuple[NDArray[np.int64], Floats]:
    """The n-grams of a headline."""
    return hash_counts(count_ngrams(text), BUCKETS)


def describe(headlines: Sequence[str]) -> Described:
    """N-grams (sparse) and shapes (dense) of headlines."""
    texts = [first_words(read_text(headline)) for headline in headlines]
    return hash_texts(texts, see, BUCKETS), np.stack([describe_shape(text) for text in texts])


def fit_headlines(trials: Trials, described: Described, use: NDArray[np.bool_]) -> Fitted:
    """A model of the pairs marked in `use`: log odds of winning, linear in the difference."""
    import scipy.sparse as sparse

    ngrams, shapes = described
    taught = use & (np.abs(trials.z) >= LEAST_Z)
    means, spread = shapes.mean(axis=0), shapes.std(axis=0) + 1e-9
    scale = SHAPE_SCALE / (spread * math.sqrt(shapes.shape[1]))
    matrix = sparse.hstack([ngrams, sparse.csr_matrix((shapes - means) * scale)]).tocsr()
    first, second = trials.pairs[taught].T
    gap = matrix[first] - matrix[second]
    weights = np.minimum(np.abs(trials.z[taught]), FULL_Z)
    both = sparse.vstack([gap, -gap])
    won = np.concatenate([trials.z[taught] > 0, trials.z[taught] < 0])
    found, _ = fit_logistic(
        both, won, strength=STRENGTH, weights=np.concatenate([weights, weights]), centred=True
    )
    return Fitted(found[:BUCKETS], found[BUCKETS:] * scale, means)


def margins_of(fitted: Fitted, described: Described) -> Floats:
    """The margin of each headline."""
    ngrams, shapes = described
    return np.asarray(
        ngrams @ fitted.weights + (shapes - fitted.shape_means) @ fitted.shape_weights
    )


def cross_validate(
    trials: Trials, described: Described, seed: int = 0
) -> tuple[Floats, NDArray[np.int64]]:
    """The held-out margin of each pair, first less second, and its fold, stories kept whole."""
    folds = folds_of(trials.story, FOLDS, seed)
    gaps = np.zeros(len(trials.z))
    for fold in range(FOLDS):
        margins = margins_of(fit_headlines(trials, described, folds != fold), described)
        held = folds == fold
        gaps[held] = margins[trials.pairs[held, 0]] - margins[trials.pairs[held, 1]]
    return gaps, folds


def calibrate(trials: Trials, gaps: Floats) -> tuple[float, float]:
    """Slopes from held-out margins: to the odds of a clear win, to the log of the CTRs' ratio."""
    signed = np.where(trials.z > 0, gaps, -gaps)
    pair_slope = fit_slope(signed[trials.clear])
    trust = 1 / (1 + 1 / np.maximum(trials.z**2, 1e-6))
    lift_slope = float((trust * gaps * trials.lift).sum() / (trust * gaps**2).sum())
    return pair_slope, lift_slope


def cross_probabilities(trials: Trials, gaps: Floats, folds: NDArray[np.int64]) -> Floats:
    """The probability that the winner of each clear pair wins; its slope never saw its fold."""
    signed, chosen = np.where(trials.z > 0, gaps, -gaps), np.zeros(len(gaps))
    for fold in range(FOLDS):
        slope = fit_slope(signed[trials.clear & (folds != fold)])
        chosen[folds == fold] = 1 / (1 + np.exp(-slope * signed[folds == fold]))
    return chosen[trials.clear]


def judge_pairs(pairs: Sequence[Pair]) -> Floats:
    """The shipped model's probability of each winner, one half where it cannot tell."""
    found = [compare_headlines(pair.winner, pair.loser) for pair in pairs]
    return np.array([0.5 if chance is None else chance for chance in found])


def pair_figures(chances: Floats, on: str) -> list[Figure]:
    """Pairs told right, and the calibration of the probabilities beside that of a coin."""
    both, happened = as_statements(chances)
    return [
        Figure(
            "headline pairs told right",
            float((chances > 0.5).mean()),
            GOAL,
            BASELINE,
            measured_on=on,
        ),
        Figure("headline pairs, Brier", brier_score(both, happened), 0.25, 0.25, True, on),
        Figure("headline pairs, ECE", calibration_error(both, happened), None, None, True, on),
    ]


def as_statements(chances: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Each pair as two statements, "the winner wins" and "the loser wins"."""
    happened = np.concatenate([np.ones(len(chances), bool), np.zeros(len(chances), bool)])
    return np.concatenate([chances, 1 - chances]), happened
