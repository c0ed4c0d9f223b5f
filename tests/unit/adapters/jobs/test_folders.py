"""Local executions that ended are forgotten in time; whoever works, or has just ended, is not."""

import fcntl
import json
import os
import time
from pathlib import Path

from shared.adapters.jobs.process import KEPT_DAYS, KEPT_SECONDS, MOST_KEPT
from shared.events import Message, VideoIngested
from tests.support.toy_jobs import local_jobs

DAY_SECONDS = 86_400.0
MESSAGE: Message = VideoIngested(video_id="a" * 32, path="videos/a/good").to_message({})


def ended(folder: Path, name: str, age_seconds: float) -> Path:
    """The folder of an execution that ended that long ago."""
    place = folder / "jobs" / "toy" / name
    place.mkdir(parents=True)
    (place / "lock").touch()
    (place / "log").write_text("what it said")
    status = place / "status.json"
    status.write_text(json.dumps({"state": "succeeded"}))
    os.utime(status, (time.time() - age_seconds,) * 2)
    return place


def test_what_ended_long_ago_is_deleted_with_the_next_start(tmp_path: Path) -> None:
    jobs = local_jobs(tmp_path)
    old = ended(tmp_path, "old", (KEPT_DAYS + 1) * DAY_SECONDS)
    fresh = ended(tmp_path, "fresh", (KEPT_DAYS - 1) * DAY_SECONDS)
    working = ended(tmp_path, "working", (KEPT_DAYS + 1) * DAY_SECONDS)
    beginning = tmp_path / "jobs" / "toy" / "beginning"
    beginning.mkdir()
    with (working / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        execution = jobs.start("toy", MESSAGE)
    assert not old.exists()
    assert all(place.exists() for place in (fresh, working, beginning))
    assert jobs.state(execution).state != "unknown"
    assert jobs.state("toy/old").state == "unknown"


def test_of_many_the_latest_are_kept_and_whatever_has_just_ended(tmp_path: Path) -> None:
    jobs = local_jobs(tmp_path)
    crowd = [ended(tmp_path, f"e{n}", KEPT_SECONDS + 60 + n) for n in range(MOST_KEPT)]
    recent = [ended(tmp_path, f"r{n}", 1.0) for n in range(5)]
    jobs.start("toy", MESSAGE)
    assert all(place.exists() for place in recent)
    assert [place.exists() for place in crowd] == [True] * (MOST_KEPT - 5) + [False] * 5
