"""Infer fails for good: the chain goes on without it, once, and a replay infers after all."""

import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.cli.replay import replay_one
from scripts.cli.run import CHAIN, SAMPLE
from scripts.local.stack import running_stack
from scripts.local.uploads import upload_video
from scripts.stages import read_jobs
from shared import bootstrap, ledger
from shared.app import App
from shared.report import read_report
from shared.status import AssetStatus, upload_status
from tests.support.apps import local_settings
from tests.support.waiting import wait_until


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[App]:
    """The whole local stack in this process; its jobs are processes of their own."""
    waits = {"retry_min_seconds": 0, "retry_max_seconds": 1, "max_delivery_attempts": 5}
    with running_stack(local_settings(tmp_path, local_port=0, **waits), tmp_path) as running:
        yield running.app
    bootstrap.use(None)


def jobs_of(app: App) -> list[Mapping[str, Any]]:
    """The ledger's records of the job infer, by run."""
    found = [d.data for d in app.documents.query(ledger.KIND).documents]
    return sorted((d for d in found if d["stage"] == "job_infer"), key=lambda d: int(d["run"]))


def kill_every_attempt(app: App, folder: Path) -> None:
    """SIGKILL as soon as an attempt has claimed its event, until the platform gives up."""
    wait_until(lambda: bool(jobs_of(app)) and bool(jobs_of(app)[0]["execution"]))
    for attempt in range(1, read_jobs()["infer"].retries + 2):
        execution = jobs_of(app)[0]["execution"]
        status = folder / "jobs" / execution / "status.json"

        def at_work(attempt: int = attempt, status: Path = status) -> bool:
            record, told = jobs_of(app)[0], json.loads(status.read_text())
            ours = record["attempt"] == told["attempt"] == attempt
            return ours and told["pid"] is not None

        wait_until(at_work)
        os.kill(json.loads(status.read_text())["pid"], signal.SIGKILL)
    wait_until(lambda: not app.jobs.state(execution).alive)


def states_of(status: AssetStatus) -> dict[str, str]:
    """What people see of each stage."""
    return {stage.name: stage.state for stage in status.stages}


def analysers_of(app: App, video_id: str) -> dict[str, Any]:
    """What the report says of each part."""
    report = read_report(app, video_id)
    assert report is not None
    assert report["scores"]["overall"]["value"] > 0
    assert report["verdict"]["heuristic_only"]
    assert report["clips"]
    return {part["name"]: part for part in report["analysers"]}


def until_finished(app: App, upload_id: str, infer: str) -> AssetStatus:
    """Wait for the end of the chain, with infer in that state."""

    found: list[AssetStatus] = []

    def ended() -> bool:
        status = upload_status(app, upload_id, CHAIN)
        found[:] = [status] if status else []
        return status is not None and status.finished and states_of(status)["infer"] == infer

    wait_until(ended)
    return found[0]


@pytest.mark.timeout(180)
def test_a_job_that_is_killed_for_good_stops_nothing(stack: App, tmp_path: Path) -> None:
    """From the upload over three real kills to the clips, then the replay and its inference."""
    upload = upload_video(stack, SAMPLE)
    kill_every_attempt(stack, tmp_path)
    stack.schedules.run_now("watch-jobs")
    assert_it_went_on(stack, upload.upload_id, "attempt 3 was killed (SIGKILL)")
    assert_a_replay_infers(stack, upload.upload_id)


@pytest.mark.timeout(180)
def test_a_job_that_can_never_be_started_stops_nothing(stack: App, tmp_path: Path) -> None:
    """A file lies where its folder should be: five deliveries, a dead letter, and the clips."""
    (tmp_path / "jobs").mkdir(exist_ok=True)
    (tmp_path / "jobs" / "infer").write_text("in the way")
    upload = upload_video(stack, SAMPLE)
    assert_it_went_on(stack, upload.upload_id, "given up after 5 deliveries")
    (tmp_path / "jobs" / "infer").unlink()
    assert_a_replay_infers(stack, upload.upload_id)


def assert_it_went_on(app: App, upload_id: str, reason: str) -> None:
    """The chain came to its end, once, and everybody can see without what and why."""
    status = until_finished(app, upload_id, "failed")
    assert status.problem is None
    parts = analysers_of(app, status.video_id)
    assert parts["scenes"]["status"] == "ran"
    assert parts["text"]["status"] == parts["embeddings"]["status"] == "unavailable"
    assert "infer was given up" in parts["text"]["reason"]
    assert reason in parts["text"]["reason"]
    (letter,) = app.documents.query("dead_letters").documents
    assert letter.data["went_on"]
    assert_each_stage_ran_once(app)


def assert_a_replay_infers(app: App, upload_id: str) -> None:
    """The dead letter is put back, and everything after it is done anew in the next run."""
    (letter,) = app.documents.query("dead_letters").documents
    assert replay_one(app, letter)
    status = until_finished(app, upload_id, "done")
    wait_until(run_is_over(app, status.video_id, 2))
    assert analysers_of(app, status.video_id)["text"]["status"] == "ran"
    assert [record["state"] for record in jobs_of(app)] == ["failed", "done"]


def assert_each_stage_ran_once(app: App) -> None:
    """Nothing was done twice because of the deaths."""
    records = [document.data for document in app.documents.query(ledger.KIND).documents]
    for stage in ("score", "council", "index_patterns", "record_dead_letter"):
        (record,) = (one for one in records if one["stage"] == stage)
        assert (record["state"], record["attempt"]) == ("done", 1)


def run_is_over(app: App, video_id: str, run: int) -> Callable[[], bool]:
    """Whether the last stage is done with a run."""

    def over() -> bool:
        asset = app.documents.get("assets", video_id)
        last = asset.data["stages"]["index_patterns"] if asset else {}
        return last.get("run") == run and last.get("state") == "done"

    return over
