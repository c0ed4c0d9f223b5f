"""Index patterns: clips that are found, stored once, in line after a second run."""

import json
from typing import Any

from shared.app import App
from shared.clip_models import ClipFilter, ClipQuestion, ClipSet
from shared.clips import DocumentClips
from shared.domain.patterns.search import search_clips
from shared.domain.scoring.cold_start import predict_cold
from shared.domain.scoring.scores import score_creative
from shared.events import VideoJudged
from shared.models import Analysis
from shared.ports import Merge
from shared.score_models import ScoreCard
from tests.support.stages import work_of
from tests.unit.domain.patterns.test_clips import STORED
from tests.unit.domain.scoring.creatives import analysis, everything

VIDEO_ID = "0" * 32


def judged(app: App, *, run: int = 1, inference: dict[str, Any] = STORED) -> VideoJudged:
    """A video as the council leaves it."""
    event = VideoJudged(
        video_id=VIDEO_ID,
        path=f"videos/{VIDEO_ID}/source",
        report_path=f"analysis/{VIDEO_ID}/{run}.json",
        inference_path=f"inference/{VIDEO_ID}/{run}.json",
        scores_path=f"scores/{VIDEO_ID}/{run}.json",
        verdict_path=f"verdicts/{VIDEO_ID}/{run}.json",
        run=run,
    )
    report: Analysis = analysis()
    card = ScoreCard(
        video_id=VIDEO_ID,
        scored_at=report.pattern.extracted_at,
        scores=score_creative(everything()),
        prediction=predict_cold(everything()),
    )
    for path, content in (
        (event.report_path, report.model_dump_json()),
        (event.inference_path, json.dumps(inference)),
        (event.scores_path, card.model_dump_json()),
    ):
        app.files.write(path, content.encode())
    app.documents.commit([Merge("assets", VIDEO_ID, {"name": "../<b>ad</b>.mp4"})])
    return event


def index(event: VideoJudged, app: App) -> None:
    work_of("index_patterns")(event, app)


def test_every_shot_is_found(app: App) -> None:
    index(judged(app), app)
    clips = DocumentClips(app.documents)
    found = search_clips(clips, ClipQuestion(text="dry skin"), None)
    assert [hit.clip.shot for hit in found.hits] == [0, 1]
    (bottle,) = search_clips(clips, ClipQuestion(text="bottle"), None).hits
    assert bottle.clip.name == "../<b>ad</b>.mp4"
    assert bottle.clip.predicted_ctr == predict_cold(everything()).value
    assert bottle.clip.path == f"videos/{VIDEO_ID}/source"
    asset = app.documents.get("assets", VIDEO_ID)
    assert asset is not None
    assert (asset.data["clips"], asset.data["clips_path"]) == (3, f"clips/{VIDEO_ID}/1.json")


def test_the_ad_is_comparable_with_others(app: App) -> None:
    index(judged(app), app)
    ((ad, distance),) = app.documents.nearest("ads", [1.0] + [0.0] * 383)
    assert distance < 1e-6
    assert ad.data["hook_type"] == score_creative(everything()).hook.kind
    assert ad.data["impressions"] is None


def test_a_repeat_changes_nothing_that_people_see(app: App) -> None:
    event = judged(app)
    index(event, app)
    first = app.files.read(f"clips/{VIDEO_ID}/1.json")
    app.documents.commit([Merge("ads", VIDEO_ID, {"clicks": 7, "impressions": 100})])
    index(event, app)
    assert app.files.read(f"clips/{VIDEO_ID}/1.json") == first
    ad = app.documents.get("ads", VIDEO_ID)
    assert ad is not None
    assert ad.data["clicks"] == 7
    assert len(app.documents.query("clips").documents) == 3


def test_a_video_that_nobody_could_read_has_clips_all_the_same(app: App) -> None:
    """No network ran: what the analysis measured is still filtered by."""
    blind: dict[str, Any] = {
        "video_id": VIDEO_ID,
        "text": None,
        "transcript": None,
        "analysers": [],
    }
    index(judged(app, inference=blind), app)
    ads = ClipSet.model_validate_json(app.files.read(f"clips/{VIDEO_ID}/1.json"))
    assert {one.clip.text for one in ads.clips} == {None}
    clips = DocumentClips(app.documents)
    question = ClipQuestion(filter=ClipFilter(has_face=True))
    assert [hit.clip.shot for hit in search_clips(clips, question, None).hits] == [0]
    assert clips.vector_problem("any") == "no recent ad here has a vector"
