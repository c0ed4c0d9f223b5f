"""Infer: lets a job run the networks that are too heavy for a push."""

from shared.events import VideoAnalyzed
from shared.handler import stage
from shared.ports import App, StartJob


@stage
def infer(video: VideoAnalyzed, app: App) -> StartJob:
    """The job emits video-inferred."""
    return StartJob("infer", video)
