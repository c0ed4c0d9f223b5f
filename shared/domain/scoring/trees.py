"""Boosted trees as arrays, and the exact share of each feature in what they say."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]

NO_FEATURE = -1


@dataclass(frozen=True)
class Trees:
    """The leaves of all trees (n) with the splits on the way to each (at most d features).

    `feature` (n, d) is -1 where there is none; a leaf is reached when each of its features is in
    `low` <= x < `high`, or unknown where `unknown` allows it; `cover` (n, d) is the share of the
    training rows that each feature lets pass; `value` (n) is added when the leaf is reached.
    """

    feature: Ints
    low: Floats
    high: Floats
    unknown: NDArray[np.bool_]
    cover: Floats
    value: Floats
    start: float

    @cached_property
    def tables(self) -> "Tables":
        """What passing and explaining a row needs, slots first: sums run along memory.

        In single precision: it halves the time, and xgboost compares in it too.
        """
        cover = np.ascontiguousarray(self.cover.T, np.float32)
        points, weights = np.polynomial.legendre.leggauss((len(cover) + 1) // 2)
        at = ((points + 1) / 2).astype(np.float32)
        return Tables(
            feature=np.ascontiguousarray(self.feature.T),
            low=np.ascontiguousarray(self.low.T, np.float32),
            high=np.ascontiguousarray(self.high.T, np.float32),
            unknown=np.ascontiguousarray(self.unknown.T),
            cover=cover,
            value=self.value.astype(np.float32),
            points=[
                (float(w) / 2, t + cover * (1 - t), cover * (1 - t))
                for t, w in zip(at, weights.tolist(), strict=True)
            ],
            usual=self.start + float(self.value @ self.cover.prod(axis=1)),
        )

    def arrays(self) -> dict[str, Any]:
        """The fields by name, to be written to a file."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class Tables:
    """The gates (d, n); `points`: of the integral, its weight and the factors of a gate that is
    passed and of one that is not; `usual`: what the trees say on average.
    """

    feature: Ints
    low: Singles
    high: Singles
    unknown: NDArray[np.bool_]
    cover: Singles
    value: Singles
    points: list[tuple[float, Singles, Singles]]
    usual: float


def read_trees(model: Mapping[str, Any]) -> Trees:
    """The trees of xgboost's JSON (3.x, squared error, numeric splits).

    Raises ValueError for a model of another kind.
    """
    learner = model["learner"]
    if learner["objective"]["name"] != "reg:squarederror":
        raise ValueError(f"objective {learner['objective']['name']}, expected reg:squarederror")
    start = float(str(learner["learner_model_param"]["base_score"]).strip("[]"))
    leaves = [
        leaf
        for tree in learner["gradient_booster"]["model"]["trees"]
        for leaf in _leaves(tree, 0, {})
    ]
    deepest = max((len(path) for path, _ in leaves), default=0) or 1
    shape = (len(leaves), deepest)
    trees = Trees(
        feature=np.full(shape, NO_FEATURE, np.int64),
        low=np.full(shape, -np.inf),
        high=np.full(shape, np.inf),
        unknown=np.ones(shape, bool),
        cover=np.ones(shape),
        value=np.array([value for _, value in leaves]),
        start=start,
    )
    for row, (path, _) in enumerate(leaves):
        for slot, (feature, gate) in enumerate(path.items()):
            trees.feature[row, slot] = feature
            trees.low[row, slot], trees.high[row, slot] = gate.low, gate.high
            trees.unknown[row, slot], trees.cover[row, slot] = gate.unknown, gate.cover
    return trees


@dataclass(frozen=True)
class _Gate:
    low: float = -np.inf
    high: float = np.inf
    unknown: bool = True
    cover: float = 1.0


def _leaves(
    tree: Mapping[str, Any], node: int, path: dict[int, _Gate]
) -> list[tuple[dict[int, _Gate], float]]:
    """Every leaf below a node: the gates on its way by feature, and its value."""
    left, right = tree["left_children"][node], tree["right_children"][node]
    if left == -1:
        return [(path, float(tree["split_conditions"][node]))]
    feature, at = tree["split_indices"][node], float(np.float32(tree["split_conditions"][node]))
    before, total = path.get(feature, _Gate()), tree["sum_hessian"][node]
    found = []
    for child, is_left in ((left, True), (right, False)):
        gate = _Gate(
            low=before.low if is_left else max(before.low, at),
            high=min(before.high, at) if is_left else before.high,
            unknown=before.unknown and bool(tree["default_left"][node]) == is_left,
            cover=before.cover * tree["sum_hessian"][child] / total,
        )
        found += _leaves(tree, child, {**path, feature: gate})
    return found


def predict_trees(trees: Trees, rows: Floats) -> Floats:
    """The value for each row (n, features); NaN is unknown. The reference for the ONNX file."""
    reached = [_passed(trees.tables, row).all(axis=0) for row in rows]
    return np.array([trees.start + float(trees.value @ found) for found in reached])


def explain_trees(trees: Trees, row: Floats) -> tuple[float, Floats]:
    """The usual value, and what each feature of a row adds to it: exact path-dependent SHAP.

    Lundberg et al. (2018), "Consistent Individualized Feature Attribution for Tree Ensembles".
    The Shapley weights of a leaf are the integral over 0-1 of a product of one linear factor a
    feature; Gauss and Legendre's rule with half as many points as features has no error there.
    """
    tables = trees.tables
    passed = _passed(tables, row)
    shares = np.zeros(passed.shape, np.float32)
    for weight, inside, outside in tables.points:
        factors = np.where(passed, inside, outside)
        product = factors.prod(axis=0) * np.float32(weight)
        np.divide(product, factors, out=factors)
        shares += factors
    shares *= passed - tables.cover
    shares *= tables.value
    # Slots without a feature have cover 1 and are passed: they add nothing to the last bucket.
    summed = np.bincount(tables.feature.ravel() % len(row), shares.ravel(), minlength=len(row))
    return tables.usual, np.asarray(summed, np.float64)


def _passed(tables: Tables, row: Floats) -> NDArray[np.bool_]:
    """Which gates (d, n) a row passes."""
    most = np.finfo(np.float32).max
    single = np.clip(np.asarray(row, np.float64), -most, most).astype(np.float32)
    values = single[tables.feature]
    passed = (values >= tables.low) & (values < tables.high)
    if np.isnan(single).any():
        passed |= np.isnan(values) & tables.unknown
    return np.asarray(passed)


def parse_trees(content: bytes) -> Trees:
    """The trees of the bytes that xgboost's `save_raw("json")` gives."""
    return read_trees(json.loads(content))
