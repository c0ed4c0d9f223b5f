"""A job for tests: it counts its attempts, and the video's path says how it goes."""

import os
import signal
import sys
import tempfile
import time

from shared.app import App
from shared.errors import Rejected
from shared.events import VideoAnalyzed, VideoIngested
from shared.handler import job
from shared.ports import Merge


@job
def toy(video: VideoIngested, app: App) -> VideoAnalyzed:
    """Begin, do what the path says, end."""
    how = video.path.rpartition("/")[2]
    places = {"temporary": tempfile.mkdtemp(), "lease_seconds": app.lease_seconds}
    app.documents.commit([Merge("toys", video.video_id, places, {"begun": 1})])
    toys = app.documents.get("toys", video.video_id)
    first = toys is not None and toys.data["begun"] == 1
    if how == "refused":
        raise Rejected("not with me")
    if how == "breaks" or (how == "breaks-once" and first):
        raise RuntimeError("broken")
    if how == "killed" or (how == "killed-once" and first):
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "greedy":
        bytearray(2_000_000_000)
    if how == "slow" or (how == "slow-once" and first):
        time.sleep(60)
    time.sleep(0.2)
    app.documents.commit([Merge("toys", video.video_id, {}, {"done": 1})])
    return VideoAnalyzed(
        tenant_id=app.tenant_id,
        video_id=video.video_id,
        path=video.path,
        report_path=f"analysis/{video.video_id}/1.json",
        run=video.run,
    )


if __name__ == "__main__":
    sys.exit(toy())
