"""Teaching boosted trees on what ads did: old ads teach, newer set the interval, newest measure."""

import json
import math
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from shared.domain.scoring.trained import ModelFacts, TrainedModel
from shared.domain.scoring.trees import Floats, predict_trees, read_trees
from shared.errors import Rejected
from shared.models import Record

TEACH_SHARE, CALIBRATE_SHARE = 0.6, 0.2
MIN_ROWS = 50


class TooFewResults(Rejected):
    """There are too few results to teach, to set an interval and to measure it."""


class TreeSettings(Record):
    """XGBoost's parameters; the defaults are the document's for CTR."""

    trees: int = 200
    depth: int = 8
    learning_rate: float = 0.05
    subsample: float = 0.8
    min_child_weight: float = 1.0
    wanted_coverage: float = 0.9
    seed: int = 0


class Results(NamedTuple):
    """What ads did, oldest first: rows (n, features), their targets, how much each counts.

    `usual` is what the account got in the time before each: it is known before the ad runs.
    `group` keeps together what belongs together (the arms of one test): no group is on both
    sides of a cut.
    """

    features: tuple[str, ...]
    rows: Floats
    targets: Floats
    weights: Floats
    usual: Floats
    group: Sequence[str]


def train_trees(
    results: Results,
    version: str,
    target: Literal["ctr", "roas", "conversions"],
    settings: TreeSettings,
) -> TrainedModel:
    """A model with its measured figures; the first 60 % teach, 20 % calibrate, 20 % measure.

    Raises TooFewResults under 50 rows.
    """
    if len(results.targets) < MIN_ROWS:
        raise TooFewResults(f"{len(results.targets)} results, at least {MIN_ROWS} are needed")
    first, second = _cut(results, TEACH_SHARE), _cut(results, TEACH_SHARE + CALIBRATE_SHARE)
    booster = _fit(results, first, settings)
    trees = read_trees(json.loads(bytes(booster.save_raw("json"))))
    multiples = results.targets / results.usual
    floor = max(1e-6, float(np.quantile(multiples[:first], 0.01)))
    said = np.maximum(predict_trees(trees, results.rows), floor)
    logs = np.log(np.maximum(multiples, floor) / said)
    ratio = math.exp(_conformal(np.abs(logs[first:second]), settings.wanted_coverage))
    low, high = np.quantile(multiples[:first], (1 / 3, 2 / 3))
    held = np.abs(logs[second:]) <= math.log(ratio)
    facts = ModelFacts(
        version=version,
        target=target,
        features=results.features,
        trained_rows=first,
        ratio=ratio,
        wanted_coverage=settings.wanted_coverage,
        coverage=float(held.mean()) if len(held) else None,
        low_bar=float(low),
        high_bar=float(high),
        floor=floor,
        usual=float(results.usual[-1]),
        figures=_figures(results, said * results.usual, second),
    )
    return TrainedModel(facts, trees, _to_onnx(booster, len(results.features)))


def _cut(results: Results, share: float) -> int:
    """The first row of a new group at or after a share of the rows."""
    at = int(len(results.targets) * share)
    while 0 < at < len(results.targets) and results.group[at] == results.group[at - 1]:
        at += 1
    return at


def _fit(results: Results, upto: int, settings: TreeSettings) -> Any:
    import xgboost

    parameters = {
        "objective": "reg:squarederror",
        "max_depth": settings.depth,
        "eta": settings.learning_rate,
        "subsample": settings.subsample,
        "min_child_weight": settings.min_child_weight,
        "seed": settings.seed,
        "nthread": 1,
    }
    data = xgboost.DMatrix(
        results.rows[:upto].astype(np.float32),
        results.targets[:upto] / results.usual[:upto],
        weight=results.weights[:upto] / results.weights[:upto].mean(),
    )
    return xgboost.train(parameters, data, settings.trees)


def _conformal(scores: Floats, coverage: float) -> float:
    """The score that a new case stays within with at least this chance (Vovk et al. 2005)."""
    rank = math.ceil((len(scores) + 1) * coverage)
    return float(np.sort(scores)[min(rank, len(scores)) - 1])


def _figures(results: Results, said: Floats, newest: int) -> dict[str, float]:
    """On the newest part: R2 and mean error, of the model and of always saying the usual."""
    true, weights = results.targets[newest:], results.weights[newest:]
    spread = float(np.average((true - np.average(true, weights=weights)) ** 2, weights=weights))
    figures = {"rows": float(len(true))}
    for name, told in (("", said[newest:]), ("_of_usual", results.usual[newest:])):
        squared = float(np.average((true - told) ** 2, weights=weights))
        figures[f"r2{name}"] = 1 - squared / spread if spread else 0.0
        figures[f"mean_error{name}"] = float(np.average(np.abs(true - told), weights=weights))
    return figures


def _to_onnx(booster: Any, features: int) -> bytes:
    from onnxmltools import convert_xgboost
    from onnxmltools.convert.common.data_types import FloatTensorType

    network = convert_xgboost(booster, initial_types=[("x", FloatTensorType([None, features]))])
    return bytes(network.SerializeToString())
