"""Every adapter for jobs keeps the same promises, with a real container main behind it."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import pytest

from shared import jobs as started_jobs
from shared import ledger
from shared.adapters.jobs import cloud_run, process, rules
from shared.app import App, StartJob
from shared.config import Settings
from shared.errors import ConfigError, JobMissing, PipelineError, RetryLater
from shared.events import Message, VideoIngested
from shared.ports import ExecutionState, Jobs, Options
from tests.support.apps import local_app, local_settings
from tests.support.run_server import DeployedJob, RunState, running_run_server
from tests.support.toy_jobs import containers, local_jobs, start_at_once, with_jobs
from tests.support.waiting import wait_until

PARENT = "projects/project/locations/europe-west1"
PYTHON_PATH = str(Path(__file__).resolve().parents[2])


@dataclass
class Platform:
    """An adapter with the job `toy`, and an App that sees what the job did."""

    app: App
    server: RunState | None = None

    @property
    def jobs(self) -> Jobs:
        """The adapter."""
        return self.app.jobs

    def ended(self, execution: str) -> ExecutionState:
        """The state of an execution, once it has ended."""
        wait_until(lambda: not self.jobs.state(execution).alive, 30)
        return self.jobs.state(execution)

    def begun(self, execution: str, video: VideoIngested) -> int:
        """How often the job began, once it did or its execution ended."""
        wait_until(lambda: self.toys(video) != {} or not self.jobs.state(execution).alive, 30)
        return int(self.toys(video).get("begun", 0))

    def toys(self, video: VideoIngested) -> dict[str, Any]:
        """What the job wrote down."""
        found = self.app.documents.get("toys", video.video_id)
        return dict(found.data) if found else {}

    def entry(self, video: VideoIngested) -> dict[str, Any]:
        """The job's place in the ledger."""
        found = self.app.documents.get(ledger.KIND, ledger.ledger_id("job_toy", video))
        return dict(found.data) if found else {}


def video_that(how: str) -> VideoIngested:
    """An event whose job goes like this."""
    return VideoIngested(video_id="a" * 32, path=f"videos/a/{how}")


def message_of(video: VideoIngested) -> Message:
    """What the job is started with."""
    return video.to_message({"correlation_id": "c1"})


Open = Callable[..., Platform]


@pytest.fixture(params=["process", "cloud_run"])
def platform(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Opens an adapter on each technology, its job declared as the test wants it."""
    app = local_app(tmp_path / "local")
    if request.param == "process":
        yield lambda **declared: Platform(with_jobs(app, local_jobs(tmp_path, **declared)))
        return
    state = RunState()
    with running_run_server(state) as address:

        def start(*, timeout_seconds: float = 30, retries: int = 1) -> Platform:
            main = containers(tmp_path) / "toy" / "main.py"
            variables = {**ours(local_settings(tmp_path / "local")), "PYTHONPATH": PYTHON_PATH}
            deployed = DeployedJob(main, variables, timeout_seconds, retries)
            state.jobs[f"{PARENT}/jobs/toy"] = deployed
            url = f"run://project/europe-west1?endpoint={address}"
            return Platform(with_jobs(app, cloud_run.connect(url, Options())), state)

        yield start


def ours(settings: Settings) -> dict[str, str]:
    """Only what starts with our prefix."""
    return {key: text for key, text in settings.environment.items() if "GEMINIVIDEO" in key}


def test_a_job_does_its_work_and_publishes(platform: Open, tmp_path: Path) -> None:
    open_ = platform()
    video = video_that("good")
    execution = open_.jobs.start("toy", message_of(video))
    assert open_.jobs.state(execution).alive
    ended = open_.ended(execution)
    assert (ended.state, ended.attempt, ended.reason) == ("succeeded", 1, "")
    assert ended.started_at is not None
    assert ended.ended_at is not None
    assert ended.started_at <= ended.ended_at
    assert open_.toys(video)["done"] == 1
    entry = open_.entry(video)
    assert (entry["state"], entry["execution"]) == ("done", execution)
    assert json.loads(entry["results"][0]["data"])["report_path"].startswith("analysis/")
    assert entry["correlation_id"] == "c1"
    asset = open_.app.documents.get("assets", video.video_id)
    assert asset is not None
    assert asset.data["stages"]["toy"]["state"] == "done"


def test_temporary_files_are_the_attempts_own_and_gone(platform: Open) -> None:
    open_ = platform()
    video = video_that("good")
    open_.ended(open_.jobs.start("toy", message_of(video)))
    temporary = Path(open_.toys(video)["temporary"])
    assert "job_toy-" in str(temporary)
    assert not temporary.exists()


def test_a_second_execution_of_the_same_event_ends_well_and_does_nothing(platform: Open) -> None:
    open_ = platform()
    video = video_that("good")
    executions = [open_.jobs.start("toy", message_of(video)) for _ in range(3)]
    assert {open_.ended(execution).state for execution in executions} == {"succeeded"}
    assert open_.toys(video)["begun"] == open_.toys(video)["done"] == 1
    assert open_.ended(open_.jobs.start("toy", message_of(video))).state == "succeeded"
    assert open_.toys(video)["begun"] == 1


def test_what_breaks_is_tried_again(platform: Open) -> None:
    open_ = platform()
    video = video_that("breaks-once")
    ended = open_.ended(open_.jobs.start("toy", message_of(video)))
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert open_.toys(video) | {"begun": 2, "done": 1} == open_.toys(video)


def test_an_attempt_that_is_killed_is_taken_over_by_the_next(platform: Open) -> None:
    """Its lease runs for half an hour, but it is the same execution."""
    open_ = platform()
    video = video_that("killed-once")
    ended = open_.ended(open_.jobs.start("toy", message_of(video)))
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    assert open_.entry(video)["attempt"] == 2


def test_retries_come_to_an_end(platform: Open) -> None:
    open_ = platform()
    video = video_that("breaks")
    ended = open_.ended(open_.jobs.start("toy", message_of(video)))
    assert (ended.state, ended.attempt) == ("failed", 2)
    assert ended.reason
    assert open_.toys(video)["begun"] == 2
    entry = open_.entry(video)
    assert entry["state"] == "retrying"
    assert "broken" in entry["reason"]


def test_a_refusal_is_no_failure_of_the_job(platform: Open) -> None:
    open_ = platform()
    video = video_that("refused")
    ended = open_.ended(open_.jobs.start("toy", message_of(video)))
    assert (ended.state, ended.attempt) == ("succeeded", 1)
    assert open_.entry(video)["state"] == "rejected"
    assert open_.entry(video)["reason"] == "not with me"


def test_what_takes_too_long_is_ended(platform: Open) -> None:
    open_ = platform(timeout_seconds=3, retries=0)
    video = video_that("slow")
    ended = open_.ended(open_.jobs.start("toy", message_of(video)))
    assert ended.state == "failed"
    assert "timeout" in ended.reason or "longer than" in ended.reason


def test_a_cancelled_job_gives_its_claim_back(platform: Open) -> None:
    open_ = platform()
    video = video_that("slow")
    execution = open_.jobs.start("toy", message_of(video))
    assert open_.begun(execution, video) == 1
    for _ in range(2):
        open_.jobs.cancel(execution)
    ended = open_.ended(execution)
    assert (ended.state, ended.attempt) == ("cancelled", 1)
    assert open_.entry(video)["state"] == "retrying"
    assert "SIGTERM" in open_.entry(video)["reason"]
    open_.jobs.cancel(execution)
    assert open_.jobs.state(execution).state == "cancelled"


def test_what_is_not_there_is_unknown(platform: Open) -> None:
    open_ = platform()
    assert open_.jobs.state("toy/00000").state == "unknown"
    open_.jobs.cancel("toy/00000")
    for name in ("paint", "../toy", "", "Toy"):
        with pytest.raises(JobMissing):
            open_.jobs.start(name, message_of(video_that("good")))
    for execution in ("toy", "toy/../x", "toy/a/b", "/etc/passwd"):
        with pytest.raises(ConfigError, match="no execution"):
            open_.jobs.state(execution)


def test_an_event_that_is_too_large_is_refused(platform: Open) -> None:
    message = Message("video-ingested", b"x" * rules.MOST_BYTES, {})
    with pytest.raises(rules.JobInvalid, match="at most 32000"):
        platform().jobs.start("toy", message)


def test_what_no_event_is_is_quarantined_and_not_tried_again(platform: Open) -> None:
    open_ = platform()
    ended = open_.ended(open_.jobs.start("toy", Message("video-ingested", b'{"x": 1}', {})))
    assert (ended.state, ended.attempt) == ("succeeded", 1)
    (kept,) = open_.app.documents.query("quarantine").documents
    assert kept.data["stage"] == "job_toy"


def test_started_from_a_stage_the_ledger_knows_the_execution(platform: Open) -> None:
    open_ = platform()
    video = video_that("good")
    wish = StartJob("toy", video)
    assert started_jobs.start_job(open_.app, wish, {})
    assert not started_jobs.start_job(open_.app, wish, {})
    execution = open_.entry(video)["execution"]
    assert open_.ended(execution).state == "succeeded"
    assert not started_jobs.start_job(open_.app, wish, {})
    assert open_.toys(video)["begun"] == 1


def test_a_dead_job_is_a_dead_letter_once_and_can_be_repeated(platform: Open) -> None:
    open_ = platform(retries=0)
    video = video_that("killed-once")
    wish = StartJob("toy", video)
    started_jobs.start_job(open_.app, wish, {})
    first = open_.entry(video)["execution"]
    open_.ended(first)
    (letter,) = started_jobs.dead_letters(open_.app)
    (again,) = started_jobs.dead_letters(open_.app)
    assert letter == again
    assert letter.source_subscription == "job-toy"
    assert first in open_.entry(video)["reason"]
    ledger.fail(open_.app, "job_toy", video, "given up")
    assert started_jobs.dead_letters(open_.app) == []
    assert started_jobs.start_job(open_.app, wish, {})
    assert open_.ended(open_.entry(video)["execution"]).state == "succeeded"
    assert open_.toys(video)["done"] == 1


def test_a_job_that_is_alive_is_left_alone(platform: Open) -> None:
    open_ = platform()
    video = video_that("slow")
    started_jobs.start_job(open_.app, StartJob("toy", video), {})
    execution = open_.entry(video)["execution"]
    open_.begun(execution, video)
    assert started_jobs.dead_letters(open_.app) == []
    late = replace(open_.app, now=lambda: open_.app.now().replace(year=2100))
    (letter,) = started_jobs.dead_letters(late)
    assert letter.message.data == message_of(video).data
    assert open_.ended(execution).state == "cancelled"


def test_started_by_many_processes_at_once_the_work_is_done_once(tmp_path: Path) -> None:
    containers(tmp_path)
    video = video_that("good")
    spawn = multiprocessing.get_context("spawn")
    with spawn.Manager() as manager, spawn.Pool(4) as pool:
        asked = (str(tmp_path), manager.Barrier(4), video)
        for answer in [pool.apply_async(start_at_once, asked) for _ in range(4)]:
            answer.get(60)
    open_ = Platform(with_jobs(local_app(tmp_path / "local"), local_jobs(tmp_path)))
    for place in (tmp_path / "jobs" / "toy").iterdir():
        assert open_.ended(f"toy/{place.name}").state == "succeeded"
    assert open_.toys(video)["begun"] == open_.toys(video)["done"] == 1
    assert open_.entry(video)["state"] == "done"


def test_a_supervisor_that_is_killed_takes_its_job_along(tmp_path: Path) -> None:
    """The whole execution died without a word; the next start of the stack goes on with it."""
    open_ = Platform(with_jobs(local_app(tmp_path / "local"), local_jobs(tmp_path)))
    video = video_that("slow-once")
    started_jobs.start_job(open_.app, StartJob("toy", video), {})
    execution = open_.entry(video)["execution"]
    open_.begun(execution, video)
    job = json.loads((tmp_path / "jobs" / execution / "status.json").read_text())["pid"]
    supervisor = int(Path(f"/proc/{job}/status").read_text().split("PPid:\t")[1].split()[0])
    os.kill(supervisor, signal.SIGKILL)
    ended = open_.ended(execution)
    assert (ended.state, ended.reason) == ("failed", "died without a word")
    wait_until(lambda: not Path(f"/proc/{job}").exists(), 10)
    assert started_jobs.restart_dead(open_.app) == 1
    second = open_.entry(video)["execution"]
    assert second != execution
    assert open_.ended(second).state == "succeeded"
    assert open_.toys(video)["done"] == 1
    assert started_jobs.restart_dead(open_.app) == 0


def test_a_local_job_has_a_limit_on_its_memory(tmp_path: Path) -> None:
    jobs = local_jobs(tmp_path, memory_mib=1024, retries=0)
    open_ = Platform(with_jobs(local_app(tmp_path / "local"), jobs))
    ended = open_.ended(open_.jobs.start("toy", message_of(video_that("greedy"))))
    assert ended.state == "failed"
    assert "MemoryError" in open_.entry(video_that("greedy"))["reason"]


def test_a_local_job_knows_the_time_it_has(tmp_path: Path) -> None:
    jobs = local_jobs(tmp_path, timeout_seconds=40)
    open_ = Platform(with_jobs(local_app(tmp_path / "local"), jobs))
    video = video_that("good")
    open_.ended(open_.jobs.start("toy", message_of(video)))
    assert open_.toys(video)["lease_seconds"] == 40 + 60


@pytest.fixture
def google(tmp_path: Path) -> Iterator[tuple[RunState, Jobs]]:
    """The cloud adapter over a server without a job."""
    state = RunState()
    with running_run_server(state) as address:
        yield state, cloud_run.connect(f"run://project/europe-west1?endpoint={address}", Options())


@pytest.mark.parametrize(
    ("code", "error", "way_out"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, ConfigError, r"needs run\."),
        (grpc.StatusCode.INVALID_ARGUMENT, ConfigError, "check the URL"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, RetryLater, "no room"),
        (grpc.StatusCode.UNAVAILABLE, RetryLater, "does not answer"),
    ],
)
def test_what_google_answers_becomes_our_error(
    google: tuple[RunState, Jobs],
    monkeypatch: pytest.MonkeyPatch,
    code: grpc.StatusCode,
    error: type[PipelineError],
    way_out: str,
) -> None:
    monkeypatch.setattr(cloud_run, "RETRY_SECONDS", 0.3)
    state, jobs = google
    state.failures = dict.fromkeys(("RunJob", "GetExecution", "CancelExecution"), code)
    actions: list[Callable[[], object]] = [
        lambda: jobs.start("toy", message_of(video_that("good"))),
        lambda: jobs.state("toy/toy-00000"),
        lambda: jobs.cancel("toy/toy-00000"),
    ]
    for action in actions:
        with pytest.raises(error, match=way_out):
            action()
    assert state.calls.count("RunJob") == 1


def test_the_event_is_the_only_thing_that_is_overridden(
    google: tuple[RunState, Jobs], tmp_path: Path
) -> None:
    state, jobs = google
    main = containers(tmp_path) / "toy" / "main.py"
    state.jobs[f"{PARENT}/jobs/toy"] = DeployedJob(main, {"PYTHONPATH": PYTHON_PATH}, 30, 0)
    jobs.start("toy", message_of(video_that("refused")))
    (request,) = state.requests
    (container,) = request.overrides.container_overrides
    assert [variable.name for variable in container.env] == ["GEMINIVIDEO_JOB_MESSAGE"]
    assert not container.args
    assert not request.overrides.task_count


@pytest.mark.parametrize(
    "url",
    ["run://project", "run:///europe-west1", "run://p/r/jobs", "run://p/r?endpoint=example.com:1"],
)
def test_a_url_that_names_no_region_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected run://PROJECT/REGION"):
        cloud_run.connect(url, Options())


def test_without_a_folder_executions_lie_in_local(tmp_path: Path) -> None:
    assert process.connect("process://", Options())._folder == Path(".local/jobs").absolute()
    assert process.connect(f"process://{tmp_path}", Options())._folder == tmp_path


def test_without_credentials_the_way_to_get_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        cloud_run.connect("run://project/europe-west1", Options())
