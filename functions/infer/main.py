"""Infer: lets a job run the networks that are too heavy for a push."""

from shared.app import App, StartJob
from shared.events import VideoAnalyzed
from shared.handler import stage


@stage
def infer(video: VideoAnalyzed, app: App) -> StartJob:
    """The job emits video-inferred."""
    return StartJob("infer", video)
