"""Score: scores and prediction of a video are stored once, and the prediction can be asked for."""

from shared.app import App
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
from shared.ports import Merge
from shared.score_models import ScoreCard
from tests.support.cases import analysis
from tests.support.stages import work_of

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
