"""The job `toy` on the local adapter, light enough for processes that start it together."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from shared import jobs as started_jobs
from shared.adapters.jobs.process import ProcessJobs
from shared.app import App, StartJob
from shared.errors import RetryLater
from shared.events import VideoIngested
from shared.ports import Jobs
from tests.support.apps import local_app, local_settings

TOY = Path(__file__).with_name("toy_job.py")


def with_jobs(app: App, jobs: Jobs) -> App:
    """The same App with another adapter."""
    return replace(app, adapters=replace(app.adapters, jobs=lambda: jobs))


def containers(folder: Path, **declared: Any) -> Path:
    """A folder of containers that holds the job `toy`."""
    place = folder / "containers"
    (place / "toy").mkdir(parents=True, exist_ok=True)
    shutil.copy(TOY, place / "toy" / "main.py")
    spec = {"memory_mib": 2048, "timeout_seconds": 30, "retries": 1, **declared}
    (place / "jobs.yaml").write_text(json.dumps({"toy": spec}))
    return place


def local_jobs(folder: Path, **declared: Any) -> ProcessJobs:
    """The local adapter over this folder's stores."""
    environment = local_settings(folder / "local").environment
    return ProcessJobs(folder / "jobs", containers(folder, **declared), environment)


def start_at_once(folder: str, together: Any, video: VideoIngested) -> None:
    """What one of several processes does that start the same job at the same moment."""
    place = Path(folder)
    environment = local_settings(place / "local").environment
    jobs = ProcessJobs(place / "jobs", place / "containers", environment)
    app = with_jobs(local_app(place / "local"), jobs)
    together.wait(60)
    try:
        started_jobs.start_job(app, StartJob("toy", video), {})
    except RetryLater:
        return
