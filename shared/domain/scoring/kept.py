"""What is kept of a prediction, to be held against what happens."""

from typing import Any

from shared.score_models import ScoreCard

PREDICTED = {"target", "value", "low", "high", "band", "confidence", "model_version"}


def prediction_row(card: ScoreCard, run: int) -> dict[str, Any]:
    """The row of the table `predictions` for a video, with what the model saw."""
    found = card.prediction
    return {
        "prediction_id": f"{card.video_id}-{run}-{found.target}-{found.model_version}",
        "subject_kind": "video",
        "subject_id": card.video_id,
        **found.model_dump(include=PREDICTED),
        "features": card.scores.features,
        "predicted_at": card.scored_at,
    }
