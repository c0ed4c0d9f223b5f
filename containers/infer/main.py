"""The job infer: what the networks read, see and hear in a video, or why they could not."""

import sys

from shared.app import App
from shared.domain.inference.infer import infer_video
from shared.events import VideoAnalyzed, VideoInferred
from shared.handler import job
from shared.models import Analysis
from shared.ports import Merge


@job
def infer(video: VideoAnalyzed, app: App) -> VideoInferred:
    """Run every network there is and keep what they found, create-once."""
    analysis = Analysis.model_validate_json(app.files.read(video.report_path))
    with app.files.local_copy(video.path) as local_path:
        inference = infer_video(
            local_path,
            analysis,
            limits=app.limits,
            tools=app.tools,
            on_progress=app.progress,
        )
    path = f"inference/{video.video_id}/{video.run}.json"
    content = inference.model_dump_json().encode()
    app.files.write(path, content, content_type="application/json", once=True)
    app.documents.commit([Merge("assets", video.video_id, {"inference_path": path})])
    return VideoInferred(**video.model_dump(), inference_path=path)


if __name__ == "__main__":
    sys.exit(infer())
