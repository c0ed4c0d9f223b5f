"""The scoring of a video from its stores: what is known of the ad and the past, and the model."""

from datetime import datetime

from shared.app import App
from shared.clip_models import AdRecord
from shared.clips import ADS, ads_with_results, record_of
from shared.domain.scoring.cold_start import predict_cold
from shared.domain.scoring.evidence import signals_of_video
from shared.domain.scoring.scores import score_creative
from shared.domain.scoring.trained import predict_creatives
from shared.domain.scoring.usual import shrunk_ctr, usual_ctr
from shared.domain.scoring.weights import ModelUnavailable
from shared.events import VideoInferred
from shared.facts import facts_of
from shared.inference_models import Embeddings, Inference
from shared.models import Analysis
from shared.score_models import PastAd, Prediction, ScoreCard, Scores, Signals
from shared.trained_models import current_model

MOST_RESULTS = 1_000
"""The ads with the most impressions that an account's usual CTR is worked out from."""


def score_video(video: VideoInferred, app: App) -> ScoreCard:
    """Scores and prediction of what is stored of a video, beside the tenant's past ads."""
    analysis = Analysis.model_validate_json(app.files.read(video.report_path))
    inference = Inference.model_validate_json(app.files.read(video.inference_path))
    now = app.now()
    ad, problem = facts_of(video.video_id, app)
    usual = usual_of(video.video_id, app)
    if ad.expected_ctr is None and usual is not None:
        ad = ad.model_copy(update={"expected_ctr": usual})
    signals = signals_of_video(analysis, inference, ad, now).model_copy(
        update={"past_ads": past_ads(video.video_id, inference.embeddings, usual, app)}
    )
    scores = score_creative(signals)
    return ScoreCard(
        video_id=video.video_id,
        scored_at=now,
        scores=scores,
        prediction=without(predict(signals, scores, app), problem),
    )


def predict(signals: Signals, scores: Scores, app: App) -> Prediction:
    """The CTR by the tenant's own model, else by the cold start, which says what was wrong."""
    current = current_model("ctr", app)
    problem = current.problem
    if current.model is not None:
        try:
            usual = signals.ad.expected_ctr
            return predict_creatives(current.model, [scores.features], usual=usual)[0]
        except ModelUnavailable as unusable:
            problem = str(unusable)
    return without(predict_cold(signals), f"trained model: {problem}" if problem else "")


def without(prediction: Prediction, problem: str) -> Prediction:
    """The prediction, saying what it had to do without."""
    lacked = (*prediction.lacked, problem) if problem else prediction.lacked
    return prediction.model_copy(update={"lacked": lacked})


def usual_of(video_id: str, app: App) -> float | None:
    """The account's usual CTR without this ad's own results; None: too little is known."""
    results = (
        (ad.clicks, ad.impressions)
        for ad in ads_with_results(app, MOST_RESULTS)
        if ad.video_id != video_id and ad.clicks is not None and ad.impressions
    )
    return usual_ctr(results, app.scoring_rules.least_impressions)


def past_ads(
    video_id: str, embeddings: Embeddings | None, usual: float | None, app: App
) -> tuple[PastAd, ...] | None:
    """The nearest other ads whose vectors the same model made; None without any, or one of ours.

    The first ad of a tenant is not new: there is nothing that it could be like.
    """
    if embeddings is None or not any(embeddings.whole):
        return None
    most = app.scoring_rules.most_past_ads
    # The ad itself is the nearest of all when it was indexed before.
    near = app.documents.nearest(ADS, embeddings.whole, limit=most + 1) if most else ()
    found = [
        _past_ad(record_of(document), 1 - distance, usual)
        for document, distance in near
        if document.id != video_id and document.data.get("model") == embeddings.model
    ]
    now = app.now()
    return tuple(ad for ad in found if ad.started_at <= now)[:most] or None


def _past_ad(ad: AdRecord, similarity: float, usual: float | None) -> PastAd:
    ctr = None
    if ad.clicks is not None and ad.impressions and usual is not None:
        ctr = shrunk_ctr(ad.clicks, ad.impressions, usual)
    started: datetime = ad.started_at or ad.made_at
    return PastAd(similarity=similarity, started_at=started, ctr=ctr)
