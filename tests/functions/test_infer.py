"""Infer: the stage starts the job; the job keeps what ran and why the rest could not."""

import json
from pathlib import Path

from shared.app import App, StartJob
from shared.events import VideoAnalyzed
from shared.inference_models import Inference
from shared.ports import Merge
from shared.report import read_report
from tests.support.cases import analysis
from tests.support.stages import work_of

SAMPLE = Path(__file__).resolve().parents[2] / "scripts" / "sample" / "sample_ad.mp4"
VIDEO_ID = "c" * 32


def analyzed(app: App) -> VideoAnalyzed:
    """The sample ad as the stages before leave it."""
    event = VideoAnalyzed(
        video_id=VIDEO_ID,
        path=f"videos/{VIDEO_ID}/source",
        report_path=f"analysis/{VIDEO_ID}/1.json",
    )
    app.files.write(event.path, SAMPLE)
    report = analysis().model_copy(update={"video_id": VIDEO_ID})
    app.files.write(event.report_path, report.model_dump_json().encode())
    app.documents.commit([Merge("assets", VIDEO_ID, {"report_path": event.report_path})])
    return event


def test_the_stage_hands_the_event_to_the_job(app: App) -> None:
    event = analyzed(app)
    assert work_of("infer")(event, app) == StartJob("infer", event)


def test_the_job_reads_the_sample_and_says_what_is_not_there(app: App) -> None:
    event = analyzed(app)
    done = work_of("infer", "containers")(event, app)
    inference = Inference.model_validate_json(app.files.read(done.inference_path))
    assert inference.text is not None
    assert "Try it today" in " ".join(line.text for line in inference.text)
    status = {part.name: part for part in inference.analysers}
    assert status["objects"].status == "unavailable"
    assert "gv models fetch" in status["objects"].reason
    report = read_report(app, VIDEO_ID)
    assert report is not None
    assert report["text"] == json.loads(inference.model_dump_json())["text"]
    assert "vector" not in json.dumps(report["embeddings"])
    assert "scores" not in report
