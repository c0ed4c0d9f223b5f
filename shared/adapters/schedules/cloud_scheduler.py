"""Schedules in Google Cloud Scheduler: jobs that publish to Pub/Sub, named after the schedule."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.adapters.rules import google_place
from shared.adapters.schedules import rules
from shared.errors import ConfigError, PipelineError, RetryLater
from shared.ports import Options, Schedule

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPIError
    from google.api_core.retry import Retry
    from google.cloud.scheduler_v1 import CloudSchedulerClient, Job

LOGGER = logging.getLogger("geminivideo.schedules")
CALL_SECONDS = 10.0
RETRY_SECONDS = 5.0
"""How long a call is repeated here before the caller is told to come back later."""

READ_ROLE = "roles/cloudscheduler.viewer"
WRITE_ROLE = "roles/cloudscheduler.admin"


def connect(url: str, options: Options) -> "CloudSchedules":
    """Schedules in `scheduler://PROJECT/REGION`.

    `?endpoint=127.0.0.1:PORT` talks to a test server on this machine, in plain text.
    """
    place = google_place(url, "scheduler://PROJECT/REGION")
    return CloudSchedules(_client(place.endpoint), place.project, place.region)


def _client(endpoint: str) -> "CloudSchedulerClient":
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.scheduler_v1 import CloudSchedulerClient

    if endpoint:
        import grpc

        transport = CloudSchedulerClient.get_transport_class("grpc")
        return CloudSchedulerClient(transport=transport(channel=grpc.insecure_channel(endpoint)))
    try:
        return CloudSchedulerClient()
    except DefaultCredentialsError as problem:
        raise ConfigError(
            "Cloud Scheduler: no Google credentials; run: gcloud auth application-default login"
        ) from problem


class CloudSchedules:
    """Terraform declares the jobs; this lists, pauses, resumes and starts them."""

    def __init__(self, client: "CloudSchedulerClient", project: str, region: str) -> None:
        self._client = client
        self._parent = f"projects/{project}/locations/{region}"

    def list(self) -> Sequence[Schedule]:
        """Every job that publishes to Pub/Sub by a UTC clock, by name; others are not ours."""
        with self._google_errors("", READ_ROLE):
            jobs = list(
                self._client.list_jobs(
                    request={"parent": self._parent}, retry=_retry(), timeout=CALL_SECONDS
                )
            )
        ours = [_schedule(job) for job in jobs if job.pubsub_target.topic_name and _in_utc(job)]
        return sorted(ours, key=lambda schedule: schedule.name)

    def pause(self, name: str) -> None:
        """Stop a job until resumed; raises ScheduleMissing."""
        from google.cloud.scheduler_v1 import Job

        self._bring(name, self._client.pause_job, Job.State.PAUSED)

    def resume(self, name: str) -> None:
        """Let a job run again; raises ScheduleMissing."""
        from google.cloud.scheduler_v1 import Job

        self._bring(name, self._client.resume_job, Job.State.ENABLED)

    def run_now(self, name: str) -> None:
        """Let a job publish once, now, paused or not; raises ScheduleMissing."""
        request = {"name": self._path(name)}
        with self._google_errors(name, WRITE_ROLE):
            # Not repeated: an answer that got lost would become a second run.
            self._client.run_job(request=request, retry=None, timeout=CALL_SECONDS)

    def _bring(self, name: str, call: Callable[..., Any], state: int) -> None:
        from google.api_core.exceptions import FailedPrecondition

        request = {"name": self._path(name)}
        with self._google_errors(name, WRITE_ROLE):
            try:
                call(request=request, retry=_retry(), timeout=CALL_SECONDS)
            except FailedPrecondition:
                # Google refuses to pause what is paused; for the port that is no trouble.
                job = self._client.get_job(request=request, retry=_retry(), timeout=CALL_SECONDS)
                if job.state != state:
                    raise

    def _path(self, name: str) -> str:
        if not rules.is_name(name):
            raise rules.missing(name, self.list())
        return f"{self._parent}/jobs/{name}"

    @contextmanager
    def _google_errors(self, name: str, role: str) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPIError, NotFound

        try:
            yield
        except NotFound as problem:
            if not name:
                raise ConfigError(f"{self._parent}: no such project or region") from problem
            raise rules.missing(name, self.list()) from problem
        except GoogleAPIError as problem:
            raise self._ours(problem, name, role) from problem

    def _ours(self, problem: "GoogleAPIError", name: str, role: str) -> PipelineError:
        from google.api_core import exceptions

        what = f"schedule {name!r} in {self._parent}" if name else f"schedules in {self._parent}"
        said = getattr(problem, "reason", None) or type(problem).__name__
        if isinstance(problem, exceptions.Forbidden | exceptions.Unauthorized):
            return ConfigError(f"{what}: not permitted ({said}); this account needs {role}")
        if isinstance(problem, exceptions.FailedPrecondition):
            return ConfigError(f"{what}: neither enabled nor paused; look at it, deploy it again")
        if isinstance(problem, exceptions.BadRequest):
            return ConfigError(f"{what}: Google refuses the request ({said}); check the URL")
        return RetryLater(f"{what}: Cloud Scheduler does not answer ({said})")


def _schedule(job: "Job") -> Schedule:
    from google.cloud.scheduler_v1 import Job

    return Schedule(
        name=job.name.rsplit("/", 1)[-1],
        cron=job.schedule,
        topic=job.pubsub_target.topic_name.rsplit("/", 1)[-1],
        paused=job.state == Job.State.PAUSED,
    )


def _in_utc(job: "Job") -> bool:
    # The API fills an absent time zone in as UTC.
    if job.time_zone in ("", "UTC", "Etc/UTC"):
        return True
    LOGGER.warning("job %s runs by the clock of %s, not UTC: left out", job.name, job.time_zone)
    return False


def _retry() -> "Retry":
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    return Retry(
        if_exception_type(ServiceUnavailable), initial=0.1, maximum=1.0, timeout=RETRY_SECONDS
    )
