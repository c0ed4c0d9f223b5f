"""Analyze: measure all that a CPU can measure about a video, in one decode."""

from shared.domain.video.analyze import analyze_video
from shared.events import VideoAnalyzed, VideoIngested
from shared.handler import stage
from shared.models import Analysis
from shared.ports import App, Merge, Put


@stage
def analyze(video: VideoIngested, app: App) -> VideoAnalyzed:
    """Store the report create-once, the pattern for comparison, and the facts on the asset."""
    with app.files.local_copy(video.path) as local_path:
        analysis = analyze_video(
            local_path,
            video_id=video.video_id,
            limits=app.limits,
            extracted_at=app.now(),
            on_progress=app.progress,
        )
    report_path = f"analysis/{video.video_id}/{video.run}.json"
    app.files.write(
        report_path,
        analysis.model_dump_json().encode(),
        content_type="application/json",
        once=True,
    )
    keep_facts(analysis, report_path, app)
    return VideoAnalyzed(
        tenant_id=app.tenant_id,
        video_id=video.video_id,
        path=video.path,
        report_path=report_path,
        run=video.run,
    )


def keep_facts(analysis: Analysis, report_path: str, app: App) -> None:
    """The pattern and the measured media; the report itself stays in Files."""
    media = {"media": analysis.media.model_dump(mode="json"), "report_path": report_path}
    app.documents.commit(
        [
            Put("patterns", analysis.video_id, analysis.pattern.model_dump(mode="json")),
            Merge("assets", analysis.video_id, media),
        ]
    )
