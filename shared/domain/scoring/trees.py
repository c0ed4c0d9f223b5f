"""Boosted trees as arrays, and the exact share of each feature in what they say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Singles = NDArray[np.float32]

NO_FEATURE = -1
CELLS_AT_ONCE, LEAST_LEAVES = 30_000, 64


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
    def groups(self) -> "tuple[Group, ...]":
        """The leaves behind the same number of gates together, as passing and explaining need them.

        In single precision: it halves the time, and xgboost compares in it too.
        """
        counts = (self.feature != NO_FEATURE).sum(axis=1)
        return tuple(self._group(np.flatnonzero(counts == n), n) for n in np.unique(counts) if n)

    def _group(self, leaves: Ints, gates: int) -> "Group":
        def slots(array: NDArray[Any]) -> NDArray[Any]:
            return np.ascontiguousarray(array[leaves, :gates].T)

        cover, value = slots(self.cover), self.value[leaves]
        points, weights = np.polynomial.legendre.leggauss((gates + 1) // 2)
        return Group(
            feature=slots(self.feature),
            low=slots(self.low).astype(np.float32),
            high=slots(self.high).astype(np.float32),
            unknown=slots(self.unknown),
            value=value,
            points=tuple(
                Point(
                    at=np.float32(t),
                    value=(value * weight / 2).astype(np.float32),
                    missed=(cover * (1 - t)).astype(np.float32),
                    gain=((1 - cover) / (t + cover * (1 - t))).astype(np.float32),
                    loss=np.float32(1 / (1 - t)),
                )
                for t, weight in zip((points + 1) / 2, weights, strict=True)
            ),
        )

    @cached_property
    def usual(self) -> float:
        """What the trees say on average."""
        return self.start + float(self.value @ self.cover.prod(axis=1))

    @cached_property
    def always(self) -> float:
        """What they say before any gate: the start, and the trees that are one leaf."""
        return self.start + float(self.value[(self.feature == NO_FEATURE).all(axis=1)].sum())

    def arrays(self) -> dict[str, Any]:
        """The fields by name, to be written to a file."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}


@dataclass(frozen=True)
class Point:
    """A point `at` of the integral, for n leaves behind k gates.

    `value` (n): the leaf's, times the point's weight; `missed` (k, n): the factor of a gate that
    is not passed, `at` is added when it is; `gain` (k, n) and `loss`: what a gate's share in the
    product of all factors is, when it is passed and when not.
    """

    at: np.float32
    value: Singles
    missed: Singles
    gain: Singles
    loss: np.float32


@dataclass(frozen=True)
class Group:
    """The gates (k, n) of n leaves behind k gates each."""

    feature: Ints
    low: Singles
    high: Singles
    unknown: NDArray[np.bool_]
    value: Floats
    points: tuple[Point, ...]

    def parts(self, rows: int) -> Iterator[slice]:
        """Leaves to be worked on at once, few enough to stay in the processor's cache."""
        gates, leaves = self.feature.shape
        step = max(LEAST_LEAVES, CELLS_AT_ONCE // (gates * max(1, rows)))
        return (slice(first, first + step) for first in range(0, leaves, step))


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
    singles = _singles(rows)
    told = np.full(len(rows), trees.always)
    for group in trees.groups:
        for part in group.parts(len(rows)):
            told += _passed(group, part, singles).all(axis=1) @ group.value[part]
    return told


def explain_trees(trees: Trees, rows: Floats) -> tuple[float, Floats]:
    """The usual value, and what each feature of each row (n, features) adds to it.

    Exact path-dependent SHAP: Lundberg et al. (2018), "Consistent Individualized Feature
    Attribution for Tree Ensembles". The Shapley weights of a leaf are the integral over t in 0-1
    of a product of one factor a gate, cover x (1 - t), plus t when it is passed. Gauss and
    Legendre's rule with half as many points as gates has no error there.
    """
    singles = _singles(rows)
    found = np.zeros(rows.size)
    first = (np.arange(len(rows)) * rows.shape[1])[:, None, None]
    for group in trees.groups:
        for part in group.parts(len(rows)):
            shares = _shares(group, part, _passed(group, part, singles).astype(np.float32))
            place = (group.feature[:, part] + first).ravel()
            found += np.bincount(place, shares.ravel(), minlength=rows.size)
    return trees.usual, found.reshape(rows.shape)


def _shares(group: Group, part: slice, passed: Singles) -> Singles:
    """What each gate (rows, k, leaves) adds; `passed` is 0 or 1."""
    shares = np.zeros_like(passed)
    losses = np.zeros((len(passed), 1, passed.shape[2]), np.float32)
    factors = np.empty_like(passed)
    for point in group.points:
        np.multiply(passed, point.at, out=factors)
        factors += point.missed[:, part]
        product = factors[:, :1] * point.value[part]
        for gate in range(1, passed.shape[1]):
            product *= factors[:, gate : gate + 1]
        np.multiply(product, point.gain[:, part], out=factors)
        shares += factors
        product *= point.loss
        losses += product
    shares += losses
    shares *= passed
    shares -= losses
    return shares


def _singles(rows: Floats) -> Singles:
    most = np.finfo(np.float32).max
    return np.clip(np.asarray(rows, np.float64), -most, most).astype(np.float32)


def _passed(group: Group, part: slice, rows: Singles) -> NDArray[np.bool_]:
    """Which gates of some leaves each row passes: (rows, k, leaves)."""
    values = rows.take(group.feature[:, part], axis=1)
    passed = values >= group.low[:, part]
    passed &= values < group.high[:, part]
    if np.isnan(rows).any():
        passed |= np.isnan(values) & group.unknown[:, part]
    return np.asarray(passed)


def parse_trees(content: bytes) -> Trees:
    """The trees of the bytes that xgboost's `save_raw("json")` gives."""
    return read_trees(json.loads(content))
