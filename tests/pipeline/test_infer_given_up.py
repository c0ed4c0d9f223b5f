"""The job infer is killed for good: the chain goes on without it, and a replay infers after all."""

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
    settings = local_settings(tmp_path, local_port=0, retry_min_seconds=0, retry_max_seconds=1)
    with running_stack(settings, tmp_path) as running:
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


def status_of(app: App, upload_id: str) -> AssetStatus:
    """What people see."""
    status = upload_status(app, upload_id, CHAIN)
    assert status is not None
    return status


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

    def ended() -> bool:
        status = status_of(app, upload_id)
        states = {stage.name: stage.state for stage in status.stages}
        return status.finished and states["infer"] == infer

    wait_until(ended)
    return status_of(app, upload_id)


@pytest.mark.timeout(180)
def test_a_job_that_is_killed_for_good_stops_nothing(stack: App, tmp_path: Path) -> None:
    """From the upload over three real kills to the clips, then the replay and its inference."""
    upload = upload_video(stack, SAMPLE)
    kill_every_attempt(stack, tmp_path)
    stack.schedules.run_now("watch-jobs")
    status = until_finished(stack, upload.upload_id, "failed")
    assert status.problem is None
    parts = analysers_of(stack, status.video_id)
    assert parts["scenes"]["status"] == "ran"
    assert parts["text"]["status"] == parts["embeddings"]["status"] == "unavailable"
    assert "infer was given up" in parts["text"]["reason"]
    assert "signal 9" in parts["text"]["reason"] or "SIGKILL" in parts["text"]["reason"]
    (letter,) = stack.documents.query("dead_letters").documents
    assert letter.data["went_on"]
    assert_each_stage_ran_once(stack)

    assert replay_one(stack, letter)
    status = until_finished(stack, upload.upload_id, "done")
    wait_until(run_is_over(stack, status.video_id, 2))
    assert analysers_of(stack, status.video_id)["text"]["status"] == "ran"
    assert [record["state"] for record in jobs_of(stack)] == ["failed", "done"]


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
