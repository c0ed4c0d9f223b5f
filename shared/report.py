"""The whole report on one video: what every stage found, as one JSON object."""

import json
from typing import Any

from shared.app import App
from shared.ports import JsonObject


def read_report(app: App, video_id: str) -> dict[str, Any] | None:
    """Analysis, inference, `scores`, `prediction`, `verdict` and `clips` of a video.

    What a stage has not found yet has no key; None before the analysis is there.
    """
    asset = app.documents.get("assets", video_id)
    if asset is None or "report_path" not in asset.data:
        return None

    def read(name: str) -> Any:
        return json.loads(app.files.read(asset.data[name])) if name in asset.data else None

    report: dict[str, Any] = read("report_path")
    if inference := read("inference_path"):
        report = one_report(report, inference)
    if card := read("scores_path"):
        report |= {"scores": card["scores"], "prediction": card["prediction"]}
    if verdict := read("verdict_path"):
        report["verdict"] = verdict
    if clips := read("clips_path"):
        report["clips"] = [one["clip"] for one in clips["clips"]]
    return report


def one_report(analysis: JsonObject, inference: JsonObject) -> dict[str, Any]:
    """An Analysis and an Inference, as they are stored, in one JSON object without vectors.

    The lists of analysers are joined.
    """
    analysers = [*analysis["analysers"], *inference["analysers"]]
    embeddings = _without_vectors(inference["embeddings"])
    return {**analysis, **inference, "embeddings": embeddings, "analysers": analysers}


def _without_vectors(embeddings: JsonObject | None) -> JsonObject | None:
    """A vector says nothing to a reader; its text does."""
    if embeddings is None:
        return None
    shots = [
        {name: shot[name] for name in shot if name != "vector"} for shot in embeddings["shots"]
    ]
    return {name: embeddings[name] for name in embeddings if name != "whole"} | {"shots": shots}
