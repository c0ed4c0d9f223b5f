"""Ingest: refuse what cannot be used with a reason, and store the rest under its content's id."""

from shared.app import App
from shared.domain.video.identity import content_id
from shared.domain.video.inspect import VideoFacts, inspect_video
from shared.domain.video.refusals import TooLarge
from shared.errors import FileMissing
from shared.events import UploadFinalized, VideoIngested
from shared.handler import stage
from shared.ports import Merge


@stage
def ingest(upload: UploadFinalized, app: App) -> VideoIngested:
    """Sniff, check the limits, decode the first frames; the same bytes are the same video."""
    check_upload(upload, app)
    with app.files.local_copy(upload.path, generation=upload.generation) as local_path:
        facts = inspect_video(local_path, app.limits)
        video_id = content_id(local_path, app.tenant_id)
    path = f"videos/{video_id}/source"
    app.files.copy(upload.path, path, generation=upload.generation)
    run = max(upload.run, next_run(video_id, app))
    keep_asset(upload, video_id, facts, app)
    return VideoIngested(tenant_id=app.tenant_id, video_id=video_id, path=path, run=run)


def check_upload(upload: UploadFinalized, app: App) -> None:
    """Raise FileMissing for what is no longer there, TooLarge before anything is fetched."""
    seen = {"name": upload.name, "path": upload.path}
    app.documents.commit([Merge("uploads", upload.upload_id, seen)])
    stored = app.files.info(upload.path)
    if stored is None or stored.generation != upload.generation:
        raise FileMissing(f"{upload.name!r} was replaced or deleted before it was read")
    if stored.size_bytes > app.limits.max_bytes:
        raise TooLarge(f"{stored.size_bytes} bytes; at most {app.limits.max_bytes} are taken")


def next_run(video_id: str, app: App) -> int:
    """The run that a new upload belongs to: the next one when a later stage gave the video up."""
    asset = app.documents.get("assets", video_id)
    stages = asset.data.get("stages", {}).values() if asset else ()
    given_up = ("rejected", "failed")
    return max([1, *(int(s.get("run", 1)) + (s["state"] in given_up) for s in stages)])


def keep_asset(upload: UploadFinalized, video_id: str, facts: VideoFacts, app: App) -> None:
    """One asset a video, however often it is uploaded; `claims` is what its header says."""
    sent = {"name": upload.name, "path": upload.path, "size_bytes": upload.size_bytes}
    asset = {"video_id": video_id, "name": upload.name, "claims": facts.model_dump(mode="json")}
    app.documents.commit(
        [
            Merge("assets", video_id, {**asset, f"uploads.{upload.upload_id}": sent}),
            Merge("uploads", upload.upload_id, {**sent, "video_id": video_id}),
        ]
    )
