"""Analyze: measure all that a CPU can measure about a video, here or in a job when that is long."""

from shared.analysis import analyze_and_keep
from shared.app import App, StartJob
from shared.domain.video.effort import analysis_seconds
from shared.domain.video.inspect import VideoFacts
from shared.events import VideoAnalyzed, VideoIngested
from shared.handler import stage


@stage
def analyze(video: VideoIngested, app: App) -> VideoAnalyzed | StartJob:
    """Measure at once what is expected to fit into a push, and let a job measure the rest."""
    if expected_seconds(video, app) > app.inline_seconds:
        return StartJob("analyze", video)
    return analyze_and_keep(video, app)


def expected_seconds(video: VideoIngested, app: App) -> float:
    """How long the analysis may take, by what ingest read in the header; 0 when it kept none."""
    asset = app.documents.get("assets", video.video_id)
    claims = asset.data.get("claims") if asset else None
    return analysis_seconds(VideoFacts.model_validate(claims)) if claims else 0.0
