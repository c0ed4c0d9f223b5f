"""The job analyze: the stage's measuring, for a video that needs longer than a push may last."""

import sys

from shared.analysis import analyze_and_keep
from shared.app import App
from shared.events import VideoAnalyzed, VideoIngested
from shared.handler import job


@job
def analyze(video: VideoIngested, app: App) -> VideoAnalyzed:
    """Measure a long video in one decode and keep its report."""
    return analyze_and_keep(video, app)


if __name__ == "__main__":
    sys.exit(analyze())
