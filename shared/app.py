"""What a stage is handed: every port, limited to one tenant; and the job it may ask for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from shared.events import LOCAL_TENANT, Event
from shared.models import CouncilRules, CreativeRules, InferenceTools, Limits
from shared.ports import (
    Alerts,
    Bus,
    Documents,
    Files,
    Jobs,
    LanguageModel,
    Schedules,
    Secrets,
    Tables,
    VideoAnnotator,
    utc_now,
)

LEASE_MARGIN_SECONDS = 60
READING_SHARE = 0.8
"""Of the time that work has, how much may go into reading a video."""


@dataclass(frozen=True)
class StartJob:
    """What a stage returns when a job is to do the work of an event."""

    job: str
    event: Event


@dataclass(frozen=True)
class Adapters:
    """How each port is made; nothing is built before it is used."""

    files: Callable[[], Files]
    documents: Callable[[], Documents]
    bus: Callable[[], Bus]
    secrets: Callable[[], Secrets]
    alerts: Callable[[], Alerts]
    schedules: Callable[[], Schedules]
    jobs: Callable[[], Jobs]
    tables: Callable[[], Tables]
    judges: Callable[[], Sequence[LanguageModel]] = tuple
    annotators: Callable[[], Sequence[VideoAnnotator]] = tuple
    copywriters: Callable[[], Sequence[LanguageModel]] = tuple


def _ignore_progress(fraction: float, step: str) -> None:
    """Progress nobody asked for."""


@dataclass(frozen=True)
class App:
    """What a stage may use, already limited to the tenant of the event it handles."""

    adapters: Adapters
    limits: Limits
    council_rules: CouncilRules = field(default_factory=CouncilRules)
    tools: InferenceTools = field(default_factory=InferenceTools)
    tenant_id: str = LOCAL_TENANT
    now: Callable[[], datetime] = utc_now
    lease_seconds: float = 600.0
    """How long an event belongs to the stage that claimed it."""
    push_max_bytes: int = 14_000_000
    inline_seconds: float = 300.0
    """Work that is expected to take longer than this is done by a job."""
    job_timeout_seconds: float = 3000.0
    """How long one attempt of a job may take."""
    progress: Callable[[float, str], None] = _ignore_progress
    """Tell how far the work is: a fraction 0-1 and the name of the step."""
    creative_rules: CreativeRules = field(default_factory=CreativeRules)

    def for_tenant(self, tenant_id: str) -> "App":
        """The same app, seen by one tenant."""
        return replace(self, tenant_id=tenant_id)

    def for_job(self) -> "App":
        """The same app with the time that a job has instead of a stage's."""
        limits = self.limits.model_copy(
            update={"deadline_seconds": READING_SHARE * self.job_timeout_seconds}
        )
        lease_seconds = self.job_timeout_seconds + LEASE_MARGIN_SECONDS
        return replace(self, limits=limits, lease_seconds=lease_seconds)

    @cached_property
    def files(self) -> Files:
        """This tenant's files."""
        return self.adapters.files().for_tenant(self.tenant_id)

    @cached_property
    def documents(self) -> Documents:
        """This tenant's documents."""
        return self.adapters.documents().for_tenant(self.tenant_id)

    @cached_property
    def secrets(self) -> Secrets:
        """This tenant's secrets."""
        return self.adapters.secrets().for_tenant(self.tenant_id)

    @property
    def bus(self) -> Bus:
        """The queue; its messages carry their tenant."""
        return self.adapters.bus()

    @property
    def alerts(self) -> Alerts:
        """Who is told of trouble."""
        return self.adapters.alerts()

    @property
    def schedules(self) -> Schedules:
        """The timed events."""
        return self.adapters.schedules()

    @property
    def jobs(self) -> Jobs:
        """Where long work is done; its messages carry their tenant."""
        return self.adapters.jobs()

    @cached_property
    def tables(self) -> Tables:
        """This tenant's tables."""
        return self.adapters.tables().for_tenant(self.tenant_id)

    @cached_property
    def judges(self) -> Sequence[LanguageModel]:
        """The language models of the council, asked with this tenant's keys."""
        return [judge.with_secrets(self.secrets) for judge in self.adapters.judges()]

    @property
    def annotators(self) -> Sequence[VideoAnnotator]:
        """What measures a video for the council."""
        return self.adapters.annotators()

    @cached_property
    def copywriter(self) -> LanguageModel | None:
        """What writes copy, asked with this tenant's key; None unless the settings name one."""
        found = self.adapters.copywriters()
        return found[0].with_secrets(self.secrets) if found else None
