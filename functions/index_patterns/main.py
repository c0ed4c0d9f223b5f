"""Index patterns: make the clips of a judged video findable, and the video comparable."""

from shared.app import App
from shared.clip_models import ClipSet
from shared.clips import keep_clips
from shared.domain.patterns.clips import Ad, ad_record, build_clips
from shared.events import VideoJudged
from shared.handler import stage
from shared.inference_models import Inference
from shared.models import Analysis
from shared.ports import Merge
from shared.score_models import ScoreCard


@stage
def index_patterns(video: VideoJudged, app: App) -> None:
    """The clips are stored create-once; a repeat finds them and brings the documents in line."""
    path = f"clips/{video.video_id}/{video.run}.json"
    card = ScoreCard.model_validate_json(app.files.read(video.scores_path))
    if app.files.info(path) is None:
        analysis = Analysis.model_validate_json(app.files.read(video.report_path))
        found = Inference.model_validate_json(app.files.read(video.inference_path))
        clips = build_clips(
            analysis, facts(video, analysis, app), found, card.scores, card.prediction
        )
        content = clips.model_dump_json().encode()
        app.files.write(path, content, content_type="application/json", once=True)
    ads = ClipSet.model_validate_json(app.files.read(path))
    keep_clips(ads, ad_record(ads, card.scores), path, app)
    short = {"clips": len(ads.clips), "clips_path": path}
    app.documents.commit([Merge("assets", video.video_id, short)])


def facts(video: VideoJudged, analysis: Analysis, app: App) -> Ad:
    """What is known of the ad besides its pictures; its name is data, never a path."""
    asset = app.documents.get("assets", video.video_id)
    data = asset.data if asset else {}
    sheet = f"{video.report_path.removesuffix('.json')}.contact.jpg"
    return Ad(
        tenant_id=app.tenant_id,
        name=str(data.get("name", "")),
        path=video.path,
        platform=str(data.get("platform", "")),
        contact_sheet=sheet if app.files.info(sheet) else None,
        made_at=analysis.pattern.extracted_at,
    )
