"""Council: several judges look at a video, their verdict is stored once."""

import json

from shared.app import App
from shared.council_models import Media, Verdict
from shared.domain.council.case import read_case
from shared.domain.council.judge import Bench, judge_video
from shared.domain.council.media import media_of
from shared.events import VideoJudged, VideoScored
from shared.handler import stage
from shared.metering import Caps, Meter
from shared.models import Analysis
from shared.ports import Merge


@stage
def council(video: VideoScored, app: App) -> VideoJudged:
    """A repeat finds the first verdict and asks nobody: judges would not say the same twice."""
    path = f"verdicts/{video.video_id}/{video.run}.json"
    if app.files.info(path) is None:
        verdict = judge(video, app).model_dump_json().encode()
        app.files.write(path, verdict, content_type="application/json", once=True)
    keep_facts(Verdict.model_validate_json(app.files.read(path)), path, app)
    return VideoJudged(**video.model_dump(), verdict_path=path)


def judge(video: VideoScored, app: App) -> Verdict:
    """The verdict on what is stored of a video; its name is looked up, never taken for a path."""
    rules, asset = app.council_rules, app.documents.get("assets", video.video_id)
    analysis = Analysis.model_validate_json(app.files.read(video.report_path))
    name = str(asset.data.get("name", "")) if asset else ""
    inference = json.loads(app.files.read(video.inference_path))
    scores = json.loads(app.files.read(video.scores_path))
    case = read_case(analysis, name, inference, scores, pictures(video, analysis, app))
    caps = Caps(rules.video_cap_micro_usd, rules.day_cap_micro_usd)
    bench = Bench(app.judges, app.annotators, Meter(app, video.video_id, caps))
    return judge_video(case, bench, rules, app.now().date())


def pictures(video: VideoScored, analysis: Analysis, app: App) -> tuple[Media, ...]:
    """What judges may look at: the contact sheet, and the video when it is small enough."""
    if not app.judges and not app.annotators:
        return ()
    sheet = f"{video.report_path.removesuffix('.json')}.contact.jpg"
    stored, clip = app.files.info(video.path), b""
    if stored is not None and stored.size_bytes <= app.council_rules.max_video_bytes:
        clip = app.files.read(video.path)
    return media_of(analysis, app.files.read(sheet) if app.files.info(sheet) else b"", clip)


def keep_facts(verdict: Verdict, path: str, app: App) -> None:
    """The verdict in short on the asset; the whole stays in Files."""
    short = verdict.model_dump(include={"overall", "confidence", "ctr_band", "note"}, mode="json")
    app.documents.commit(
        [Merge("assets", verdict.video_id, {"verdict": short, "verdict_path": path})]
    )
