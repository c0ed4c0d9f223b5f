"""Every adapter for schedules keeps the same promises; the local one says what is due."""

import multiprocessing
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from google.cloud import scheduler_v1
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.schedules import cloud_scheduler, sqlite
from shared.adapters.schedules.rules import DueRun
from shared.errors import ConfigError, PipelineError, RetryLater, ScheduleMissing
from shared.ports import Options, Schedule, Schedules
from tests.support.scheduler_server import SchedulerState, running_scheduler_server

NOON = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURLY = Schedule("insights", "0 * * * *", "insights-due")
DAILY = Schedule("training", "0 2 * * *", "training-due")
OFTEN = Schedule("publications", "*/5 * * * *", "publications-due")
THREE = [HOURLY, DAILY, OFTEN]
PARENT = "projects/project/locations/europe-west1"


@dataclass
class Clock:
    """A clock that tests set."""

    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at


@dataclass
class Store:
    """An adapter, and how a test sees what it would publish."""

    schedules: Schedules
    runs: Callable[[], list[str]]
    google: SchedulerState = field(default_factory=SchedulerState)


@pytest.fixture
def clock() -> Clock:
    """The clock of this test's adapters."""
    return Clock()


@pytest.fixture
def local(tmp_path: Path, clock: Clock) -> sqlite.SqliteSchedules:
    """The local adapter, without a schedule."""
    return open_local(tmp_path, clock)


@pytest.fixture
def google() -> Iterator[Store]:
    """The cloud adapter over three jobs that were deployed."""
    state = SchedulerState()
    with running_scheduler_server(state) as address:
        url = f"scheduler://project/europe-west1?endpoint={address}"
        channel = grpc.insecure_channel(address)
        transport = scheduler_v1.CloudSchedulerClient.get_transport_class("grpc")
        deployer = scheduler_v1.CloudSchedulerClient(transport=transport(channel=channel))
        for schedule in THREE:
            deployer.create_job(parent=PARENT, job=scheduler_v1.Job(job_of(schedule)))
        adapter = cloud_scheduler.connect(url, Options())
        yield Store(adapter, lambda: [name.rsplit("/", 1)[-1] for name in state.runs], state)


@pytest.fixture(params=["local", "google"])
def store(request: pytest.FixtureRequest, clock: Clock) -> Store:
    """Every adapter in turn, each with the same three schedules."""
    if request.param == "google":
        cloud: Store = request.getfixturevalue("google")
        return cloud
    local: sqlite.SqliteSchedules = request.getfixturevalue("local")
    local.declare(THREE)
    return Store(local, lambda: [run.schedule.name for run in local.due(clock())])


def open_local(folder: Path, clock: Clock) -> sqlite.SqliteSchedules:
    """The local adapter, as a process that starts opens it."""
    return sqlite.connect(f"sqlite://{folder}/new/schedules.db", Options(now=clock))


def job_of(schedule: Schedule) -> dict[str, object]:
    """What Terraform deploys for a schedule."""
    topic = f"projects/project/topics/{schedule.topic}"
    return {
        "name": f"{PARENT}/jobs/{schedule.name}",
        "schedule": schedule.cron,
        "pubsub_target": {"topic_name": topic, "data": b"{}"},
        "time_zone": "Etc/UTC",
    }


def slots(runs: Sequence[DueRun]) -> list[tuple[str, datetime | None]]:
    """Names and slots, which is what most tests are about."""
    return [(run.schedule.name, run.slot) for run in runs]


def test_schedules_are_listed_by_name(store: Store) -> None:
    assert store.schedules.list() == [HOURLY, OFTEN, DAILY]


def test_a_paused_schedule_says_so_until_it_is_resumed(store: Store) -> None:
    for _ in range(2):
        store.schedules.pause("training")
        assert [s.name for s in store.schedules.list() if s.paused] == ["training"]
    for _ in range(2):
        store.schedules.resume("training")
        assert not [s for s in store.schedules.list() if s.paused]


def test_run_now_runs_once_each_time_even_when_paused(store: Store) -> None:
    store.schedules.pause("training")
    for name in ("training", "insights", "training"):
        store.schedules.run_now(name)
    assert store.runs() == ["training", "insights", "training"]


@pytest.mark.parametrize("name", ["reports", "", "../jobs/training", "Training", "a/b", "é"])
def test_a_schedule_that_is_not_there_is_named_with_those_that_are(store: Store, name: str) -> None:
    for action in (store.schedules.pause, store.schedules.resume, store.schedules.run_now):
        with pytest.raises(ScheduleMissing, match="known: insights, publications, training") as e:
            action(name)
        assert repr(name) in str(e.value)
    assert store.runs() == []


def test_nothing_is_due_before_the_first_slot(local: sqlite.SqliteSchedules) -> None:
    local.declare(THREE)
    assert local.due(NOON + timedelta(minutes=4, seconds=59)) == []


def test_each_slot_is_due_once(local: sqlite.SqliteSchedules) -> None:
    local.declare([HOURLY])
    assert local.due(NOON + HOUR) == [DueRun(HOURLY, slot=NOON + HOUR)]
    assert local.due(NOON + HOUR) == []
    assert local.due(NOON + 1.9 * HOUR) == []
    assert local.due(NOON + 2.1 * HOUR) == [DueRun(HOURLY, slot=NOON + 2 * HOUR)]


def test_a_machine_asleep_for_a_day_gets_one_slot_each(local: sqlite.SqliteSchedules) -> None:
    local.declare(THREE)
    morning = NOON + timedelta(hours=24, minutes=3)
    assert slots(local.due(morning)) == [
        ("insights", NOON + 24 * HOUR),
        ("publications", NOON + 24 * HOUR),
        ("training", NOON + 14 * HOUR),
    ]


def test_what_was_given_stays_given_after_a_restart(
    local: sqlite.SqliteSchedules, tmp_path: Path, clock: Clock
) -> None:
    local.declare([HOURLY])
    local.run_now("insights")
    assert len(local.due(NOON + HOUR)) == 2
    clock.at = NOON + HOUR
    again = open_local(tmp_path, clock)
    again.declare([HOURLY])
    assert again.due(NOON + HOUR) == []
    again.run_now("insights")
    third = open_local(tmp_path, clock)
    third.declare([HOURLY])
    assert slots(third.due(NOON + 2 * HOUR)) == [
        ("insights", NOON + 2 * HOUR),
        ("insights", None),
    ]


def test_a_clock_that_goes_back_gives_no_slot_again(local: sqlite.SqliteSchedules) -> None:
    local.declare([HOURLY])
    assert len(local.due(NOON + 5 * HOUR)) == 1
    for hours in (2, 3, 4, 5):
        assert local.due(NOON + hours * HOUR) == []
    assert slots(local.due(NOON + 6 * HOUR)) == [("insights", NOON + 6 * HOUR)]


def test_a_clock_that_was_years_ahead_does_not_silence_a_schedule(
    local: sqlite.SqliteSchedules, caplog: pytest.LogCaptureFixture
) -> None:
    local.declare([HOURLY])
    assert len(local.due(NOON.replace(year=2099))) == 1
    assert local.due(NOON + HOUR) == []
    assert "went back from 2099" in caplog.text
    assert slots(local.due(NOON + 2 * HOUR)) == [("insights", NOON + 2 * HOUR)]


def test_the_slots_of_a_pause_are_not_made_up_for(
    local: sqlite.SqliteSchedules, clock: Clock
) -> None:
    local.declare([HOURLY])
    local.pause("insights")
    assert local.due(NOON + 3 * HOUR) == []
    clock.at = NOON + 3.5 * HOUR
    local.resume("insights")
    assert local.due(NOON + 3.9 * HOUR) == []
    assert slots(local.due(NOON + 4 * HOUR)) == [("insights", NOON + 4 * HOUR)]


def test_resuming_what_runs_loses_no_slot(local: sqlite.SqliteSchedules, clock: Clock) -> None:
    local.declare([HOURLY])
    clock.at = NOON + 1.5 * HOUR
    local.resume("insights")
    assert slots(local.due(clock.at)) == [("insights", NOON + HOUR)]


def test_declaring_again_adds_updates_and_removes_but_keeps_pauses(
    local: sqlite.SqliteSchedules, clock: Clock
) -> None:
    local.declare([HOURLY, DAILY])
    local.pause("insights")
    local.run_now("training")
    changed = Schedule("insights", "*/10 * * * *", "insights-wanted")
    for _ in range(2):
        local.declare([changed, OFTEN])
    paused = Schedule("insights", "*/10 * * * *", "insights-wanted", paused=True)
    assert local.list() == [paused, OFTEN]
    local.declare([changed, OFTEN, DAILY])
    assert slots(local.due(NOON + HOUR)) == [("publications", NOON + HOUR)]


def test_a_schedule_can_be_declared_paused(local: sqlite.SqliteSchedules) -> None:
    local.declare([Schedule("insights", "0 * * * *", "insights-due", paused=True)])
    assert local.due(NOON + HOUR) == []
    local.resume("insights")
    local.declare([Schedule("insights", "0 * * * *", "insights-due", paused=True)])
    assert local.list() == [HOURLY]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (Schedule("reports", "61 * * * *", "t"), r"'61 \* \* \* \*'"),
        (Schedule("Reports/..", "0 * * * *", "t"), r"'Reports/\.\.'"),
        (DAILY, "'training' is declared twice"),
    ],
)
def test_a_wrong_declaration_changes_nothing(
    local: sqlite.SqliteSchedules, wrong: Schedule, message: str
) -> None:
    local.declare([HOURLY])
    with pytest.raises(ConfigError, match=message):
        local.declare([DAILY, wrong])
    assert local.list() == [HOURLY]


def test_requests_have_ids_of_their_own_and_no_slot(local: sqlite.SqliteSchedules) -> None:
    local.declare([HOURLY])
    local.run_now("insights")
    local.run_now("insights")
    runs = local.due(NOON)
    assert [(run.schedule, run.slot) for run in runs] == [(HOURLY, None)] * 2
    assert len({run.request_id for run in runs} - {None}) == 2
    assert local.due(NOON) == []


def take_every_slot(folder: str, together: threading.Barrier) -> list[str]:
    """What one process gets that asks at the same moments as another one."""
    local, given = open_local(Path(folder), Clock()), []
    for minute in range(0, 91, 5):
        together.wait(30)
        due = local.due(NOON + timedelta(minutes=minute))
        given += [f"{run.schedule.name} {run.slot or run.request_id}" for run in due]
    return given


def test_two_processes_never_get_the_same_run(
    local: sqlite.SqliteSchedules, tmp_path: Path
) -> None:
    local.declare(THREE)
    for _ in range(5):
        local.run_now("training")
    processes = multiprocessing.get_context("spawn")
    with processes.Manager() as manager, processes.Pool(2) as pool:
        asked = (str(tmp_path), manager.Barrier(2))
        answers = [pool.apply_async(take_every_slot, asked) for _ in range(2)]
        given = [run for answer in answers for run in answer.get(60)]
    assert len(given) == len(set(given)) == 18 + 1 + 5
    assert f"insights {NOON + HOUR}" in given
    assert {f"publications {NOON + n * HOUR / 12}" for n in range(1, 19)} <= set(given)


def test_a_moment_without_a_time_zone_is_refused(local: sqlite.SqliteSchedules) -> None:
    local.declare([HOURLY])
    with pytest.raises(ValueError, match="no time zone"):
        local.due(datetime(2026, 11, 21, 13))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "schedules.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(ConfigError, match=r"schedules\.db"):
        sqlite.connect(f"sqlite://{tmp_path}/schedules.db", Options())


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.integers(-170, 2000), min_size=1, max_size=8))
def test_on_any_clock_slots_only_grow_and_the_newest_is_given(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    local = open_local(tmp_path_factory.mktemp("schedules"), Clock())
    local.declare([HOURLY])
    now, given = NOON, [NOON]
    for minutes in steps:
        now += timedelta(minutes=minutes)
        newest = now.replace(minute=0)
        due = [run.slot for run in local.due(now)]
        assert due == ([newest] if newest > given[-1] else [])
        given += [slot for slot in due if slot]


@pytest.mark.parametrize(
    ("code", "error", "way_out"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, ConfigError, "roles/cloudscheduler"),
        (grpc.StatusCode.INVALID_ARGUMENT, ConfigError, "check the URL"),
        (grpc.StatusCode.FAILED_PRECONDITION, ConfigError, "neither enabled nor paused"),
        (grpc.StatusCode.UNAVAILABLE, RetryLater, "does not answer"),
        (grpc.StatusCode.INTERNAL, RetryLater, "does not answer"),
    ],
)
def test_what_google_answers_becomes_our_error(
    google: Store,
    monkeypatch: pytest.MonkeyPatch,
    code: grpc.StatusCode,
    error: type[PipelineError],
    way_out: str,
) -> None:
    monkeypatch.setattr(cloud_scheduler, "RETRY_SECONDS", 0.3)
    methods = ("ListJobs", "PauseJob", "ResumeJob", "RunJob")
    google.google.failures = dict.fromkeys(methods, code)
    google.google.jobs[f"{PARENT}/jobs/training"].state = scheduler_v1.Job.State.DISABLED
    actions: list[Callable[[], object]] = [
        google.schedules.list,
        lambda: google.schedules.pause("training"),
        lambda: google.schedules.resume("training"),
        lambda: google.schedules.run_now("training"),
    ]
    for action in actions:
        with pytest.raises(error, match=way_out):
            action()


def test_a_run_is_asked_for_once_even_when_the_answer_is_lost(google: Store) -> None:
    google.google.failures = {"RunJob": grpc.StatusCode.UNAVAILABLE}
    with pytest.raises(RetryLater):
        google.schedules.run_now("training")
    assert google.google.calls.count("RunJob") == 1


def test_jobs_that_are_not_ours_are_left_out(
    google: Store, caplog: pytest.LogCaptureFixture
) -> None:
    other = scheduler_v1.Job(name=f"{PARENT}/jobs/ping", http_target={"uri": "https://x.test"})
    berlin = scheduler_v1.Job(job_of(Schedule("berlin", "0 2 * * *", "t")))
    berlin.time_zone = "Europe/Berlin"
    google.google.jobs |= {other.name: other, berlin.name: berlin}
    assert google.schedules.list() == [HOURLY, OFTEN, DAILY]
    assert "berlin runs by the clock of Europe/Berlin" in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "scheduler://project",
        "scheduler://project/",
        "scheduler:///europe-west1",
        "scheduler://project/europe-west1/jobs",
        "scheduler://project/europe-west1?endpoint=example.com:443",
    ],
)
def test_a_url_that_names_no_region_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"expected scheduler://PROJECT/REGION"):
        cloud_scheduler.connect(url, Options())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite://:memory:", "file://schedules.db"])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"expected sqlite://FILE"):
        sqlite.connect(url, Options())


def test_without_credentials_the_way_to_get_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        cloud_scheduler.connect("scheduler://project/europe-west1", Options())
