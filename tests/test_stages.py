"""stages.yaml, the folders, the functions and the event classes tell one story."""

import inspect
import typing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scripts.stages import ROOT, Job, Stage, chain_from, read_jobs, read_stages
from shared.adapters.schedules.rules import next_slot
from shared.app import StartJob
from shared.events import Event, JobsDue, UploadFinalized
from shared.handler import first_annotation
from tests.support.stages import load_main, work_of

STAGES = read_stages()
JOBS = read_jobs()


def emitted_topics(annotation: object) -> set[str]:
    """The topics in a return annotation: one event, several, or none."""
    if isinstance(annotation, type) and issubclass(annotation, Event):
        return {annotation.topic()}
    return {topic for part in typing.get_args(annotation) for topic in emitted_topics(part)}


def starts_a_job(annotation: object) -> bool:
    """Whether a return annotation says that the work may be handed to a job."""
    return annotation is StartJob or any(map(starts_a_job, typing.get_args(annotation)))


def test_every_folder_is_a_stage_and_every_stage_a_folder() -> None:
    """Nothing is deployed that is not on the page, and nothing is on the page that is not there."""
    folders = {path.parent.name for path in (ROOT / "functions").glob("*/main.py")}
    assert folders == set(STAGES)


@pytest.mark.parametrize("name", STAGES)
def test_the_signature_is_the_contract(name: str) -> None:
    """First annotation = the topic taken, return annotation = the topics emitted."""
    work = work_of(name)
    assert first_annotation(work).topic() == STAGES[name].takes
    returned = typing.get_type_hints(work)["return"]
    assert emitted_topics(returned) == set(STAGES[name].emits)
    assert starts_a_job(returned) == (STAGES[name].starts is not None)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_is_started_by_the_stage_of_its_name(name: str) -> None:
    """So people see one line for both, and the job takes what the page says."""
    assert STAGES[name].starts == name
    work = inspect.unwrap(getattr(load_main(name, "containers"), name))
    assert first_annotation(work).topic() == JOBS[name].takes
    assert emitted_topics(typing.get_type_hints(work)["return"]) == set(JOBS[name].emits)


def test_every_job_that_is_started_is_on_the_page_and_has_its_folder() -> None:
    """A job without an entry would be found missing when the first long video comes."""
    assert {stage.starts for stage in STAGES.values() if stage.starts} == set(JOBS)
    for name in JOBS:
        inside = {path.name for path in (ROOT / "containers" / name).iterdir()}
        assert inside - {"__pycache__"} == {"Dockerfile", "main.py"}
    folders = {path.parent.name for path in (ROOT / "containers").glob("*/main.py")}
    assert set(JOBS) <= folders


@pytest.mark.parametrize("name", JOBS)
def test_an_image_holds_what_its_entry_says(name: str) -> None:
    """Its own requirements with hashes, the library, its main, and no root."""
    text = (ROOT / "containers" / name / "Dockerfile").read_text()
    assert f"COPY requirements/{JOBS[name].requirements}.txt requirements.txt" in text
    assert "--require-hashes" in text
    assert f"COPY containers/{name}/main.py main.py" in text
    assert "\nUSER job\n" in text


@pytest.mark.parametrize("name", ["Paint", "job_paint"])
def test_a_name_that_no_job_can_have_is_refused(name: str, tmp_path: Path) -> None:
    """The ledger keeps a job's record beside that of the stage of its name."""
    text = (ROOT / "containers" / "jobs.yaml").read_text().replace("\nanalyze:", f"\n{name}:")
    (tmp_path / "jobs.yaml").write_text(text)
    with pytest.raises(ValueError, match=name):
        read_jobs(tmp_path / "jobs.yaml")


def test_a_schedule_and_its_event_agree_on_the_slots() -> None:
    """The event rounds its time of publication to what cron means."""
    cron = STAGES["watch_jobs"].schedule
    assert cron is not None
    slot = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
    for _ in range(300):
        following = next_slot(cron, slot)
        assert (following - slot).total_seconds() == JobsDue.every_seconds
        assert following.timestamp() % JobsDue.every_seconds == 0
        slot = following


def test_what_a_job_emits_goes_on_from_the_stage_that_starts_it() -> None:
    """A stage that emits nothing itself is not the end of the chain."""
    spare = STAGES["analyze"].model_dump()
    stages = {
        **STAGES,
        "infer": Stage(**{**spare, "takes": "video-analyzed", "emits": [], "starts": "infer"}),
        "score": Stage(**{**spare, "takes": "video-inferred", "emits": [], "starts": None}),
    }
    job = JOBS["analyze"].model_copy(
        update={"takes": "video-analyzed", "emits": ["video-inferred"]}
    )
    jobs: dict[str, Job] = {**JOBS, "infer": job}
    chain = chain_from(stages, UploadFinalized.topic(), jobs)
    assert chain == ["ingest", "analyze", "infer", "score"]


@pytest.mark.parametrize("name", STAGES)
def test_a_stage_folder_holds_nothing_but_its_main(name: str) -> None:
    """What is worth a file of its own belongs to shared/."""
    inside = {path.name for path in (ROOT / "functions" / name).iterdir()}
    assert inside - {"__pycache__"} == {"main.py"}


@pytest.mark.parametrize("name", STAGES)
def test_the_requirements_are_there_and_hashed(name: str) -> None:
    """Every line that names a package pins it and is followed by hashes."""
    text = (ROOT / "requirements" / f"{STAGES[name].requirements}.txt").read_text()
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert packages
    assert all("==" in line and line.endswith("\\") for line in packages)
    assert text.count("--hash=sha256:") >= len(packages)


def test_a_topic_is_spelled_by_its_event_class() -> None:
    """A stage can only take and emit what the vocabulary knows."""
    known = {event.topic() for event in Event.__subclasses__()}
    used = {stage.takes for stage in STAGES.values()}
    used |= {topic for stage in STAGES.values() for topic in stage.emits}
    used |= {topic for job in JOBS.values() for topic in (job.takes, *job.emits)}
    assert used <= known


def test_an_upload_goes_from_ingest_to_the_verdict() -> None:
    """The chain that people see follows from the page alone."""
    chain = chain_from(STAGES, UploadFinalized.topic())
    assert chain == ["ingest", "analyze", "infer", "score", "council", "index_patterns"]


def test_an_unknown_key_is_refused(tmp_path: Path) -> None:
    """A misspelt setting of a stage must not be ignored in silence."""
    text = (ROOT / "functions" / "stages.yaml").read_text().replace("memory_mib", "memory_mb", 1)
    (tmp_path / "stages.yaml").write_text(text)
    with pytest.raises(ValueError, match="memory_mb"):
        read_stages(tmp_path / "stages.yaml")
