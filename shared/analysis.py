"""One analysis from event to event: fetched, measured, kept; the same in a stage and in a job."""

from shared.app import App
from shared.domain.video.analyze import analyze_video
from shared.domain.video.timeline import draw_timeline
from shared.events import VideoAnalyzed, VideoIngested
from shared.models import Analysis
from shared.ports import Merge, Put


def analyze_and_keep(video: VideoIngested, app: App) -> VideoAnalyzed:
    """Store report and pictures create-once, the pattern, and the facts on the asset.

    Raises a refusal (shared/domain/video/refusals.py) when the video cannot be analysed.
    """
    sheets: list[bytes] = []
    with app.files.local_copy(video.path) as local_path:
        analysis = analyze_video(
            local_path,
            video_id=video.video_id,
            limits=app.limits,
            extracted_at=app.now(),
            on_progress=app.progress,
            on_contact_sheet=sheets.append,
        )
    report_path = f"analysis/{video.video_id}/{video.run}.json"
    asset = app.documents.get("assets", video.video_id)
    timeline = draw_timeline(analysis, str(asset.data.get("name", "")) if asset else "")
    stem = report_path.removesuffix(".json")
    for path, content, kind in (
        (f"{stem}.contact.jpg", sheets[0], "image/jpeg"),
        (f"{stem}.timeline.svg", timeline.encode(), "image/svg+xml"),
        (report_path, analysis.model_dump_json().encode(), "application/json"),
    ):
        app.files.write(path, content, content_type=kind, once=True)
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
