"""The whole report on one video: what every stage found, as one JSON object."""

import json
from typing import Any

from shared.app import App
from shared.inference_models import Inference
from shared.models import Analysis

# A vector says nothing to a reader; its text does.
VECTORS: Any = {"whole": True, "shots": {"__all__": {"vector"}}}


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
        report = one_report(Analysis.model_validate(report), Inference.model_validate(inference))
    if card := read("scores_path"):
        report |= {"scores": card["scores"], "prediction": card["prediction"]}
    if verdict := read("verdict_path"):
        report["verdict"] = verdict
    if clips := read("clips_path"):
        report["clips"] = [one["clip"] for one in clips["clips"]]
    return report


def one_report(analysis: Analysis, inference: Inference) -> dict[str, Any]:
    """Both records as one JSON object, without vectors; the lists of analysers are joined."""
    whole: dict[str, Any] = analysis.model_dump(mode="json")
    found = inference.model_dump(mode="json", exclude={"embeddings": VECTORS})
    return {**whole, **found, "analysers": [*whole["analysers"], *found["analysers"]]}
