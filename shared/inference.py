"""The inference of a video from event to event: kept, or said to be missing when it is given up."""

from shared import ledger
from shared.app import App
from shared.events import VideoAnalyzed, VideoInferred
from shared.inference_models import Inference
from shared.ports import Merge

STAGE = "infer"
JOB = ledger.JOB_PREFIX + STAGE


def keep_inference(video: VideoAnalyzed, inference: Inference, app: App) -> VideoInferred:
    """Store what was found, create-once, and say where it lies."""
    path = f"inference/{video.video_id}/{video.run}.json"
    content = inference.model_dump_json().encode()
    app.files.write(path, content, content_type="application/json", once=True)
    app.documents.commit([Merge("assets", video.video_id, {"inference_path": path})])
    return VideoInferred(**video.model_dump(), inference_path=path)


def give_up_inference(
    stage: str, video: VideoAnalyzed, reason: str, app: App
) -> VideoInferred | None:
    """What the chain goes on with when `stage`, the starting one or the job, is given up.

    None when the job has done it or is at it. What a job found before it died is not lost. Raises
    Leased while somebody still works on it.
    """
    started = app.documents.get(ledger.KIND, ledger.ledger_id(JOB, video))
    if stage != JOB and ledger.is_taken(started):
        return None
    if stage != JOB:
        reason = ledger.fail(app, stage, video, reason, went_on=True) or reason
    why = ledger.fail(app, JOB, video, reason, went_on=True)
    if not why:
        return None
    lost = Inference.none_ran(video.video_id, f"infer was given up: {why}")
    return keep_inference(video, lost, app)
