"""Reads functions/stages.yaml, the pipeline on one page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field

from shared.ports import Schedule

ROOT = Path(__file__).resolve().parent.parent
STAGES_FILE = ROOT / "functions" / "stages.yaml"
DEAD_LETTERS = "dead-lettered"

Topic = Annotated[str, Field(pattern=r"^[a-z]+(-[a-z]+)*$")]


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
    uses: list[Literal["files", "tables"]] = ["files"]


class StagesFile(BaseModel):
    """The whole file: stages by name."""

    stages: dict[Annotated[str, Field(pattern=r"^[a-z]+(_[a-z]+)*$")], Stage]


def read_stages(file: Path = STAGES_FILE) -> Mapping[str, Stage]:
    """Every stage by name, in the order of the file; raises pydantic.ValidationError."""
    return StagesFile(stages=yaml.safe_load(file.read_text())).stages


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


def chain_from(stages: Mapping[str, Stage], topic: str) -> list[str]:
    """The stages that follow from one topic, in order: what an upload goes through."""
    names: list[str] = []
    topics = [topic]
    while topics:
        takers = [name for name, stage in stages.items() if stage.takes == topics[0]]
        names += [name for name in takers if name not in names]
        topics = topics[1:] + [emitted for name in takers for emitted in stages[name].emits]
    return names
