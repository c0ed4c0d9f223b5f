"""What is kept of a prediction, to be held against what happens."""

from typing import Any

from shared.score_models import ScoreCard, StoryboardCard

PREDICTED = {"target", "value", "low", "high", "band", "confidence", "model_version"}


def prediction_row(card: ScoreCard, run: int) -> dict[str, Any]:
    """The row of the table `predictions` for a video, with what the model saw."""
    return _row(card, "video", card.video_id, f"{card.video_id}-{run}")


def storyboard_row(card: StoryboardCard) -> dict[str, Any]:
    """The row for a storyboard: one a storyboard and model, however often it is asked for."""
    return _row(card, "storyboard", card.storyboard_id, card.storyboard_id)


def _row(
    card: ScoreCard | StoryboardCard, kind: str, subject_id: str, occasion: str
) -> dict[str, Any]:
    found = card.prediction
    return {
        "prediction_id": f"{occasion}-{found.target}-{found.model_version}",
        "subject_kind": kind,
        "subject_id": subject_id,
        **found.model_dump(include=PREDICTED),
        "features": card.scores.features,
        "predicted_at": card.scored_at,
    }
