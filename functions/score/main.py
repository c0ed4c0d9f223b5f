"""Score: what speaks for a video and what CTR to expect, kept before anybody has seen it."""

from shared.app import App
from shared.domain.scoring.kept import prediction_row
from shared.events import VideoInferred, VideoScored
from shared.handler import stage
from shared.inference_models import Inference
from shared.models import Analysis
from shared.ports import Merge
from shared.score_models import AdFacts, ScoreCard


@stage
def score(video: VideoInferred, app: App) -> VideoScored:
    """A repeat finds the first scores; they were made with the ads known at that moment."""
    path = f"scores/{video.video_id}/{video.run}.json"
    if app.files.info(path) is None:
        content = score_card(video, app).model_dump_json().encode()
        app.files.write(path, content, content_type="application/json", once=True)
    card = ScoreCard.model_validate_json(app.files.read(path))
    app.tables.append("predictions", [prediction_row(card, video.run)])
    keep_facts(card, path, app)
    return VideoScored(**video.model_dump(), scores_path=path)


def score_card(video: VideoInferred, app: App) -> ScoreCard:
    """Scores and prediction of what is stored of a video."""
    # Only who scores pays for loading numpy and the models; a repeat does not.
    from shared.domain.scoring.cold_start import predict_cold
    from shared.domain.scoring.evidence import signals_of_video
    from shared.domain.scoring.scores import score_creative

    analysis = Analysis.model_validate_json(app.files.read(video.report_path))
    inference = Inference.model_validate_json(app.files.read(video.inference_path))
    now = app.now()
    signals = signals_of_video(analysis, inference, AdFacts(), now)
    return ScoreCard(
        video_id=video.video_id,
        scored_at=now,
        scores=score_creative(signals),
        prediction=predict_cold(signals),
    )


def keep_facts(card: ScoreCard, path: str, app: App) -> None:
    """Overall score and prediction in short on the asset; the whole stays in Files."""
    short = card.prediction.model_dump(include={"value", "low", "high", "band", "confidence"})
    facts = {"score": card.scores.overall.value, "prediction": short, "scores_path": path}
    app.documents.commit([Merge("assets", card.video_id, facts)])
