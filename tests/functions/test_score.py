"""Score: scores and prediction of a video are stored once, and the prediction can be asked for."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from shared import trained_models
from shared.app import App
from shared.clip_models import AdRecord
from shared.events import VideoInferred, VideoScored
from shared.inference_models import (
    AudioQuality,
    Embeddings,
    Emotions,
    FaceEmotion,
    Inference,
    InferenceAnalyser,
    SeenObject,
    TextLine,
    Transcript,
    Word,
)
from shared.models import Box
from shared.ports import Merge, Put
from shared.score_models import ScoreCard
from shared.trained_models import install_model
from tests.support.cases import analysis
from tests.support.stages import work_of
from tests.support.trained import headline_model

VIDEO_ID = "b" * 32
BOX = Box(left=0.1, top=0.1, width=0.5, height=0.2)
NOTHING_RAN = (InferenceAnalyser(name="text", status="unavailable", reason="no model"),)
HURRY = TextLine(
    start_seconds=0.0, end_seconds=2.0, text="Hurry, ends tonight! Shop now", confidence=1, box=BOX
)


def inferred(app: App, inference: Inference) -> VideoInferred:
    """A video as the stages before leave it."""
    event = VideoInferred(
        video_id=VIDEO_ID,
        path=f"videos/{VIDEO_ID}/source",
        report_path=f"analysis/{VIDEO_ID}/1.json",
        inference_path=f"inference/{VIDEO_ID}/1.json",
    )
    app.files.write(event.report_path, analysis().model_dump_json().encode())
    app.files.write(event.inference_path, inference.model_dump_json().encode())
    app.documents.commit([Merge("assets", VIDEO_ID, {"name": "ad.mp4"})])
    return event


def score(event: VideoInferred, app: App) -> VideoScored:
    """The stage's own work."""
    result: VideoScored = work_of("score")(event, app)
    return result


def card_of(event: VideoScored, app: App) -> ScoreCard:
    """What was stored."""
    return ScoreCard.model_validate_json(app.files.read(event.scores_path))


def test_words_on_screen_move_scores_and_prediction(app: App) -> None:
    card = card_of(
        score(inferred(app, Inference(video_id=VIDEO_ID, text=(HURRY,), analysers=())), app), app
    )
    assert card.scores.urgency.value is not None
    assert card.scores.urgency.value > 0.5
    assert "urgent_words" in {mover.feature for mover in card.prediction.movers}
    asset = app.documents.get("assets", VIDEO_ID)
    assert asset is not None
    assert asset.data["score"] == card.scores.overall.value


def test_a_video_of_which_no_network_knows_anything_is_scored_and_says_what_it_lacked(
    app: App,
) -> None:
    event = inferred(app, Inference(video_id=VIDEO_ID, analysers=NOTHING_RAN))
    card = card_of(score(event, app), app)
    assert {"text", "words", "sightings", "emotions"} <= {
        lack.signal for lack in card.scores.lacked
    }
    assert card.scores.emotion.value is None
    assert card.prediction.low < card.prediction.value < card.prediction.high


def test_a_repeat_changes_neither_the_card_nor_the_rows(app: App) -> None:
    event = inferred(app, Inference(video_id=VIDEO_ID, text=(HURRY,), analysers=()))
    first = score(event, app)
    stored = app.files.read(first.scores_path)
    assert score(event, app) == first
    assert app.files.read(first.scores_path) == stored
    rows = app.tables.query(
        "predictions_of_subject", {"subject_kind": "video", "subject_id": VIDEO_ID, "row_limit": 5}
    )
    card = card_of(first, app)
    assert [row["value"] for row in rows] == [card.prediction.value]
    assert rows[0]["model_version"] == card.prediction.model_version
    assert rows[0]["features"] == card.scores.features


def test_everything_that_was_found_reaches_the_scores(app: App) -> None:
    inference = Inference(
        video_id=VIDEO_ID,
        text=(HURRY,),
        objects=(SeenObject(shot=0, at_seconds=1, label="person", confidence=0.9, box=BOX),),
        transcript=Transcript(
            language="en",
            source="captions",
            words=(Word(word="hello", start_seconds=0, end_seconds=0.4, confidence=1),),
        ),
        emotions=Emotions(
            faces=(FaceEmotion(at_seconds=1, box=BOX, emotion="joy", scores={"happiness": 1.0}),)
        ),
        audio_quality=AudioQuality(
            clipped_share=0, noise_floor_db=-60, snr_db=30, reverberation_seconds=0.3
        ),
        embeddings=Embeddings(model="m", dimensions=2, text="hello", whole=(0.6, 0.8), shots=()),
        analysers=(),
    )
    card = card_of(score(inferred(app, inference), app), app)
    lacked = {lack.signal for lack in card.scores.lacked}
    assert not lacked & {"text", "words", "sightings", "emotions", "sound", "embedding"}
    assert card.scores.features["person_count"] == 1
    assert card.scores.emotion.value is not None


OURS, AWAY = (0.6, 0.8), (-0.8, 0.6)
EMBEDDED = Inference(
    video_id=VIDEO_ID,
    text=(HURRY,),
    embeddings=Embeddings(model="m", dimensions=2, text="hello", whole=OURS, shots=()),
    analysers=(),
)


def past(
    app: App, video_id: str, *, vector: tuple[float, ...] = OURS, model: str = "m", **results: Any
) -> None:
    """An ad of before as the index of patterns keeps it, with what was reported of it."""
    made_at = results.pop("made_at", app.now() - timedelta(days=15))
    ad = AdRecord(video_id=video_id, made_at=made_at, clips=1, **results)
    facts = {**ad.model_dump(mode="json"), "model": model, "path": "clips/x/1.json"}
    app.documents.commit([Put("ads", video_id, facts, vector=vector)])


def scored(app: App, inference: Inference = EMBEDDED) -> ScoreCard:
    """The card of a video."""
    return card_of(score(inferred(app, inference), app), app)


def test_an_ad_like_a_recent_one_is_less_new_than_one_unlike_all(app: App) -> None:
    past(app, "away", vector=AWAY)
    assert scored(app).scores.features["novelty"] == pytest.approx(1.0)
    past(app, "alike")
    fresh = inferred(app, EMBEDDED).model_copy(update={"run": 2})
    features = card_of(score(fresh, app), app).scores.features
    assert features["past_ads"] == 2
    assert features["novelty"] == pytest.approx(1 - 0.5**0.5)
    assert features["likest_age"] == pytest.approx(15)


def test_neither_the_ad_itself_nor_vectors_of_another_model_nor_other_tenants_count(
    app: App,
) -> None:
    past(app, VIDEO_ID)
    past(app, "foreign", model="other")
    past(app.for_tenant("acme"), "theirs")
    past(app, "future", made_at=app.now() + timedelta(days=1))
    assert scored(app).scores.features["past_ads"] is None
    assert scored(app).scores.features["novelty"] is None


def test_without_a_vector_nothing_is_compared(app: App) -> None:
    past(app, "alike")
    card = scored(app, Inference(video_id=VIDEO_ID, analysers=NOTHING_RAN))
    assert card.scores.features["novelty"] is None


def test_the_accounts_usual_ctr_is_that_of_all_its_results_drawn_to_one_percent(app: App) -> None:
    past(app, "one", impressions=6_000, clicks=240)
    past(app, "two", impressions=2_000, clicks=60)
    past(app, "unknown", impressions=9_000)
    past(app, VIDEO_ID, impressions=50_000, clicks=50_000)
    prediction = scored(app).prediction
    usual = (300 + 20) / 10_000
    assert "expected_ctr" not in prediction.lacked
    assert sum(m.effect for m in prediction.movers) == pytest.approx(prediction.value - usual)
    assert scored(app).scores.features["likeness_to_winners"] == pytest.approx(1.0)


def test_few_impressions_say_nothing_of_the_usual_ctr(app: App) -> None:
    past(app, "one", impressions=999, clicks=500)
    assert "expected_ctr" in scored(app).prediction.lacked


def test_what_the_owner_said_counts_and_nonsense_is_named(app: App) -> None:
    event = inferred(app, EMBEDDED)
    told = {"platform": "tiktok", "expected_ctr": 0.05, "headline": "Why nobody talks about this"}
    app.documents.commit([Merge("assets", VIDEO_ID, {"facts": told})])
    card = card_of(score(event, app), app)
    assert card.scores.features["platform_fit"] is not None
    assert card.scores.features["headline_place"] is not None
    assert card.prediction.value > 0.03
    app.documents.commit([Merge("assets", VIDEO_ID, {"facts": {"platform": 7}})])
    card = card_of(score(event.model_copy(update={"run": 2}), app), app)
    assert "ad facts: 1 of them cannot be read" in card.prediction.lacked


def test_a_model_of_the_tenants_own_results_predicts_and_explains(app: App) -> None:
    trained_models._loaded.clear()
    install_model(headline_model(), app, instead_of="")
    past(app, "one", impressions=98_000, clicks=2_980)
    prediction = scored(app).prediction
    assert prediction.model_version == "headlines-1"
    assert prediction.coverage == headline_model().facts.coverage
    assert prediction.value == pytest.approx(0.03, rel=0.9)
    assert prediction.movers
    others = app.for_tenant("acme")
    event = inferred(others, EMBEDDED).model_copy(update={"tenant_id": "acme"})
    assert card_of(score(event, others), others).prediction.model_version == "cold-start-1"


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda app, path: app.files.delete(path), "headlines-1.zip"),
        (lambda app, path: app.files.write(path, b"damaged"), "sha256 differs"),
        (
            lambda app, path: app.documents.commit([Merge("models", "ctr", {"sha256": 1})]),
            "1 of its fields cannot be read",
        ),
    ],
)
def test_a_model_that_cannot_be_used_is_named_and_the_cold_start_predicts(
    app: App, harm: Callable[[App, str], Any], words: str
) -> None:
    record = install_model(headline_model(), app, instead_of="")
    harm(app, record.path)
    trained_models._loaded.clear()
    prediction = scored(app).prediction
    assert prediction.model_version == "cold-start-1"
    assert words in prediction.lacked[-1]
    assert prediction.lacked[-1].startswith("trained model: ")
