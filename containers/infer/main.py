"""The job infer: what the networks read, see and hear in a video, or why they could not."""

import sys

from shared.app import App
from shared.domain.inference.infer import infer_video
from shared.errors import Rejected, RetryLater
from shared.events import VideoAnalyzed, VideoInferred
from shared.handler import job
from shared.inference import keep_inference
from shared.models import Analysis


class InferenceRefused(RetryLater):
    """A refusal ends a chain, and this one goes on: what fails each time is given up instead."""


@job
def infer(video: VideoAnalyzed, app: App) -> VideoInferred:
    """Run every network there is and keep what they found, create-once."""
    try:
        analysis = Analysis.model_validate_json(app.files.read(video.report_path))
        with app.files.local_copy(video.path) as local_path:
            inference = infer_video(
                local_path,
                analysis,
                limits=app.limits,
                tools=app.tools,
                on_progress=app.progress,
            )
    except Rejected as problem:
        raise InferenceRefused(f"{problem.code}: {problem}") from problem
    return keep_inference(video, inference, app)


if __name__ == "__main__":
    sys.exit(infer())
