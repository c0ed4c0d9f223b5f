"""A model of the user's own results: loaded from one file, served by ONNX Runtime, explained."""

import io
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
from pydantic import Field, ValidationError

from shared.domain.scoring.features import NAMES, TABLE, as_row
from shared.domain.scoring.trees import Floats, Trees, explain_trees
from shared.domain.scoring.weights import ModelUnavailable
from shared.models import Record
from shared.score_models import Mover, Prediction

FACTS, NETWORK, TREES = "facts.json", "model.onnx", "trees.npz"
MOST_MOVERS = 8
MIN_EFFECT_SHARE = 0.01
SOURCE_OF = {feature.name: feature.source for feature in TABLE}


class ModelFacts(Record):
    """What a trained model is: its target, the features it was taught, how sure it is.

    Trees tell the target as a multiple of what is usual at the time: habits of a season or of a
    platform are no merit of a creative. `usual` is the newest value that was known.
    The interval of a value v is v / ratio to v x ratio (split conformal on log ratios): it held
    `coverage` of the cases of the newest, unseen part of the data. Below `low_bar` is the band
    low, from `high_bar` on high: the thirds of what was seen.
    """

    version: str
    target: Literal["ctr", "roas", "conversions"]
    features: tuple[str, ...]
    trained_rows: int = Field(ge=1)
    ratio: float = Field(ge=1)
    wanted_coverage: float = Field(gt=0, lt=1)
    coverage: float | None = Field(ge=0, le=1)
    low_bar: float
    high_bar: float
    floor: float = Field(gt=0, description="no multiple below it is told")
    usual: float = Field(gt=0)
    figures: dict[str, float] = Field(default={})


@dataclass(frozen=True)
class TrainedModel:
    """A model ready to predict; the network is loaded with the first prediction."""

    facts: ModelFacts
    trees: Trees
    network: bytes

    @cached_property
    def used(self) -> tuple[str, ...]:
        """The features that at least one tree looks at."""
        places = np.unique(self.trees.feature)
        return tuple(self.facts.features[place] for place in places.tolist() if place >= 0)

    @cached_property
    def session(self) -> Any:
        """ONNX Runtime's session, one thread. Raises ModelUnavailable."""
        try:
            import onnxruntime

            from shared.domain.inference.networks import UNUSABLE
        except ImportError as problem:
            raise ModelUnavailable(f"onnxruntime cannot be loaded ({problem})") from problem
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        providers = ["CPUExecutionProvider"]
        try:
            return onnxruntime.InferenceSession(self.network, options, providers=providers)
        except UNUSABLE as problem:
            raise ModelUnavailable(f"onnxruntime cannot use {self.facts.version}") from problem


def predict_creatives(
    model: TrainedModel,
    creatives: Sequence[Mapping[str, float | None]],
    *,
    usual: float | None = None,
    explained: int | None = None,
) -> list[Prediction]:
    """One prediction for each creative's features, with interval, band, confidence and movers.

    `usual` is what the account gets at the time, for CTR a fraction; None: as when it was trained.
    Movers are told of the `explained` best creatives only (None: of all).
    Raises ModelUnavailable when the network cannot run.
    """
    if not creatives:
        return []
    rows = np.array([_row(model, features) for features in creatives], np.float32)
    session = model.session
    values = session.run(None, {session.get_inputs()[0].name: rows})[0].reshape(-1)
    best = np.argsort(-values, kind="stable")[:explained]
    effects = explain_trees(model.trees, rows[best].astype(np.float64))[1]
    of_best = dict(zip(best.tolist(), effects, strict=True))
    return [
        _prediction(model, features, of_best.get(i), float(values[i]), usual)
        for i, features in enumerate(creatives)
    ]


def _row(model: TrainedModel, features: Mapping[str, float | None]) -> list[float]:
    """The features that the model was taught, NaN for unknown ones."""
    if model.facts.features == NAMES:
        return as_row(features)
    found = [features.get(name) for name in model.facts.features]
    return [float("nan") if value is None else value for value in found]


def _prediction(
    model: TrainedModel,
    features: Mapping[str, float | None],
    effects: Floats | None,
    multiple: float,
    usual: float | None,
) -> Prediction:
    facts = model.facts
    scale = facts.usual if usual is None else usual
    told = scale * max(facts.floor, multiple)
    unknown = [name for name in model.used if features.get(name) is None]
    most = 1.0 if facts.target == "ctr" else float("inf")
    return Prediction(
        target=facts.target,
        value=min(most, told),
        low=min(most, told / facts.ratio),
        high=min(most, told * facts.ratio),
        coverage=facts.coverage,
        band=_band(facts, multiple),
        confidence=_confidence(facts, 1 - len(unknown) / max(1, len(model.used))),
        movers=() if effects is None else _movers(facts, features, effects * scale),
        model_version=facts.version,
        lacked=tuple(dict.fromkeys(SOURCE_OF.get(name, name) for name in unknown)),
    )


def _band(facts: ModelFacts, value: float) -> Literal["low", "medium", "high"]:
    if value < facts.low_bar:
        return "low"
    return "high" if value >= facts.high_bar else "medium"


def _confidence(facts: ModelFacts, known: float) -> float:
    """How narrow the interval is (1 / ratio) x how much of what the model uses was known."""
    return round(1 / facts.ratio * known, 4)


def _movers(
    facts: ModelFacts, features: Mapping[str, float | None], effects: Floats
) -> tuple[Mover, ...]:
    """The up to 8 features with the largest effects, at least 1 % of all effects each."""
    total = float(np.abs(effects).sum()) or 1.0
    order = np.argsort(-np.abs(effects), kind="stable")[:MOST_MOVERS]
    return tuple(
        Mover(
            feature=facts.features[place],
            value=features.get(facts.features[place]),
            effect=float(effects[place]),
        )
        for place in order.tolist()
        if abs(effects[place]) / total >= MIN_EFFECT_SHARE
    )


def pack_model(model: TrainedModel) -> bytes:
    """The model as one file: facts, network and trees; the same model, the same bytes."""
    arrays = io.BytesIO()
    np.savez_compressed(arrays, **model.trees.arrays())
    parts = {
        FACTS: model.facts.model_dump_json().encode(),
        NETWORK: model.network,
        TREES: arrays.getvalue(),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return packed.getvalue()


def load_model(content: bytes) -> TrainedModel:
    """A model from the bytes of `pack_model`.

    Raises ModelUnavailable for another file, or a model of features that there are no more.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            facts = ModelFacts.model_validate_json(archive.read(FACTS))
            network = archive.read(NETWORK)
            with np.load(io.BytesIO(archive.read(TREES)), allow_pickle=False) as arrays:
                found = {name: arrays[name] for name in arrays.files}
        trees = Trees(**{**found, "start": float(found["start"])})
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, zlib.error, ValidationError) as e:
        raise ModelUnavailable(f"the file is no trained model ({type(e).__name__}: {e})") from e
    gone = sorted(set(facts.features) - set(NAMES))
    if gone:
        raise ModelUnavailable(f"model {facts.version} uses features that are gone: {gone}")
    return TrainedModel(facts, trees, network)
