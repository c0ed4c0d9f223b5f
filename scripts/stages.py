"""Reads functions/stages.yaml, the pipeline on one page, and containers/jobs.yaml, its jobs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from shared.ports import Schedule

ROOT = Path(__file__).resolve().parent.parent
STAGES_FILE = ROOT / "functions" / "stages.yaml"
JOBS_FILE = ROOT / "containers" / "jobs.yaml"
DEAD_LETTERS = "dead-lettered"

Topic = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]


def _no_place_of_a_job(name: str) -> str:
    if name.startswith("job_"):
        raise ValueError(f"{name!r}: a name that begins with job_ is a job's place in the ledger")
    return name


Name = Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$"), AfterValidator(_no_place_of_a_job)]


class Stage(BaseModel):
    """One entry of stages.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    takes: Topic
    emits: list[Topic]
    requirements: str
    memory_mib: int = Field(ge=128)
    cpu: int = Field(ge=1, le=8)
    timeout_seconds: int = Field(ge=30, le=570, description="a push is acknowledged within 600 s")
    max_instances: int = Field(ge=1)
    does: str
    schedule: str | None = None
    http: bool = False
    uses: list[Literal["files", "jobs", "tables", "council", "copywriter"]] = ["files"]
    starts: Name | None = None


class StagesFile(BaseModel):
    """The whole file: stages by name."""

    stages: dict[Name, Stage]


class Job(BaseModel):
    """One entry of jobs.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    takes: Topic
    emits: list[Topic]
    requirements: str
    memory_mib: int = Field(ge=512)
    cpu: int = Field(ge=1, le=8)
    timeout_seconds: int = Field(ge=30, le=3000)
    retries: int = Field(ge=0, le=10)
    does: str
    gpu: bool = False
    uses: list[Literal["files"]] = ["files"]


class JobsFile(BaseModel):
    """The whole file: jobs by name."""

    jobs: dict[Name, Job]


def read_stages(file: Path = STAGES_FILE) -> Mapping[str, Stage]:
    """Every stage by name, in the order of the file; raises pydantic.ValidationError."""
    return StagesFile(stages=yaml.safe_load(file.read_text())).stages


def read_jobs(file: Path = JOBS_FILE) -> Mapping[str, Job]:
    """Every job by name, in the order of the file; raises pydantic.ValidationError."""
    return JobsFile(jobs=yaml.safe_load(file.read_text())).jobs


def subscription_of(stage_name: str) -> str:
    """The stage's name in the cloud: hyphens for underscores."""
    return stage_name.replace("_", "-")


def schedules_of(stages: Mapping[str, Stage]) -> list[Schedule]:
    """The schedules that the stages declare."""
    return [
        Schedule(subscription_of(name), stage.schedule, stage.takes)
        for name, stage in stages.items()
        if stage.schedule
    ]


def chain_from(
    stages: Mapping[str, Stage], topic: str, jobs: Mapping[str, Job] | None = None
) -> list[str]:
    """The stages that follow from one topic, in order: what an upload goes through.

    A job stands in the place of the stage that starts it: what it emits, that stage leads to.
    """
    known = read_jobs() if jobs is None else jobs
    names: list[str] = []
    topics = [topic]
    while topics:
        takers = [name for name, stage in stages.items() if stage.takes == topics[0]]
        names += [name for name in takers if name not in names]
        topics = topics[1:] + [
            emitted for name in takers for emitted in _leads_to(stages[name], known)
        ]
    return names


def _leads_to(stage: Stage, jobs: Mapping[str, Job]) -> list[str]:
    started = jobs[stage.starts].emits if stage.starts else []
    return [*stage.emits, *(topic for topic in started if topic not in stage.emits)]
