"""A video that takes long is analysed by a job: the same report, whatever happens to the job."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.run import SAMPLE
from scripts.stages import ROOT
from shared import jobs, ledger
from shared.analysis import analyze_and_keep
from shared.app import App, StartJob
from shared.domain.video.identity import content_id
from shared.events import VideoAnalyzed, VideoIngested
from shared.ports import Merge
from tests.support.apps import local_app
from tests.support.reports import lasting
from tests.support.stages import work_of
from tests.support.videos import make_video
from tests.support.waiting import wait_until

CLAIMS = {
    **{"container": "mov", "codec": "h264", "width": 3840, "height": 2160, "rotation": 0},
    **{"claimed_fps": 60.0, "claimed_seconds": 590.0, "has_audio": True, "hdr": False},
    "size_bytes": 400_000_000,
}


@dataclass
class Job:
    """One local execution of the job analyze."""

    app: App
    folder: Path
    video: VideoIngested

    @property
    def record(self) -> Mapping[str, Any]:
        """Its place in the ledger."""
        found = self.app.documents.get(ledger.KIND, ledger.ledger_id("job_analyze", self.video))
        assert found is not None
        return found.data

    @property
    def process(self) -> int | None:
        """The job's own process, while there is one."""
        place = self.folder / "jobs" / self.record["execution"]
        process: int | None = json.loads((place / "status.json").read_text())["pid"]
        return process

    def wait(self) -> None:
        """Until the execution has ended."""
        wait_until(lambda: not self.app.jobs.state(self.record["execution"]).alive, 60)

    def report(self) -> dict[str, Any]:
        """What is lasting of the one report that is there."""
        (found,) = [f for f in self.app.files.list("analysis/") if f.path.endswith(".json")]
        return lasting(json.loads(self.app.files.read(found.path)))


def ingested(app: App, video: Path, **claims: Any) -> VideoIngested:
    """A video as ingest leaves it, its header claiming this."""
    video_id = content_id(video, app.tenant_id)
    app.files.write(f"videos/{video_id}/source", video)
    app.documents.commit([Merge("assets", video_id, {"name": "ad.mp4", "claims": claims})])
    return VideoIngested(video_id=video_id, path=f"videos/{video_id}/source")


def started(folder: Path, video: Path) -> Job:
    """The job on a video, at work."""
    app = local_app(folder)
    event = ingested(app, video)
    jobs.start_job(app, StartJob("analyze", event), {})
    return Job(app, folder, event)


def inline_report(folder: Path, video: Path) -> dict[str, Any]:
    """What the stage reports without a job."""
    app = local_app(folder)
    done = analyze_and_keep(ingested(app, video), app)
    return lasting(json.loads(app.files.read(done.report_path)))


def test_the_stage_decides_by_what_ingest_read(tmp_path: Path) -> None:
    """Ten minutes of 4K go to the job; an ordinary ad, or one of which nothing is known, do not."""
    app, analyze = local_app(tmp_path), work_of("analyze")
    video = make_video(tmp_path / "ad.mp4")
    long = ingested(app, video, **CLAIMS)
    assert analyze(long, app) == StartJob("analyze", long)
    for claims in ({}, {**CLAIMS, "claimed_seconds": 2.0, "size_bytes": 10_000}):
        assert isinstance(analyze(ingested(app, video, **claims), app), VideoAnalyzed)


def test_the_report_is_the_same_either_way(tmp_path: Path) -> None:
    """The whole laptop, with the threshold at nothing: upload, stage, job, report."""
    reports = []
    for seconds in ("0", "300"):
        folder = tmp_path / seconds
        folder.mkdir()
        environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
        environment |= {"GEMINIVIDEO_LOCAL_PORT": "0", "GEMINIVIDEO_INLINE_SECONDS": seconds}
        command = [sys.executable, "-m", "scripts.cli", "run", "--once", str(SAMPLE)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr
        reports.append(lasting(json.loads(done.stdout)))
        assert (folder / ".local" / "jobs" / "analyze").exists() == (seconds == "0")
    assert reports[0] == reports[1]


def test_a_video_that_the_job_refuses_is_rejected_with_the_reason(tmp_path: Path) -> None:
    """A refusal is no failure: nothing is tried again, people see why."""
    junk = tmp_path / "junk.mp4"
    junk.write_bytes(b"just text" * 100)
    job = started(tmp_path / "local", junk)
    job.wait()
    assert job.record["state"] == "rejected"
    assert job.record["code"] == "not_video"
    assert job.app.jobs.state(job.record["execution"]).attempt == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_is_stopped_in_the_middle_gives_the_same_report(
    number: signal.Signals, tmp_path: Path
) -> None:
    """Nothing half done is seen, and the next attempt starts cleanly."""
    expected = inline_report(tmp_path / "inline", SAMPLE)
    job = started(tmp_path / "local", SAMPLE)
    wait_until(lambda: job.record.get("state") == "running")
    assert stop_at(job, 0.8, number)
    assert list(job.app.files.list("analysis/")) == []
    job.wait()
    assert job.record["state"] == "done"
    assert job.record["attempt"] == 2
    assert job.report() == expected
    left = sorted(path.name for path in job.folder.glob("jobs/analyze/*/*"))
    assert left == ["lock", "log", "status.json"]


@pytest.mark.soak
def test_twenty_kills_at_random_points_give_the_same_report(tmp_path: Path) -> None:
    """SIGKILL or SIGTERM, before, in and after the work."""
    expected = inline_report(tmp_path / "inline", SAMPLE)
    for seed in range(20):
        dice = random.Random(seed)
        job = started(tmp_path / str(seed), SAMPLE)
        wait_until(lambda job=job: job.process is not None)  # type: ignore[misc]
        stop_at(job, dice.uniform(0, 3), dice.choice([signal.SIGKILL, signal.SIGTERM]))
        job.wait()
        assert job.record["state"] == "done", seed
        assert job.report() == expected, seed


def stop_at(job: Job, seconds: float, number: signal.Signals) -> bool:
    """Send a signal to the job's process after a while; False when it has ended before."""
    time.sleep(seconds)
    process = job.process
    if process is None:
        return False
    os.kill(process, number)
    return True
