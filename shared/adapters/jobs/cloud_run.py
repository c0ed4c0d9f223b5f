"""Jobs on Cloud Run: one execution of the deployed job, its event as an override."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from shared.adapters.jobs import rules
from shared.adapters.rules import google_place
from shared.errors import ConfigError, JobMissing, PipelineError, RetryLater
from shared.events import Message
from shared.ports import ExecutionState, Options

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPIError
    from google.api_core.retry import Retry
    from google.cloud.run_v2 import Execution, ExecutionsClient, JobsClient

CALL_SECONDS = 20.0
RETRY_SECONDS = 5.0
"""How long a question is repeated here before the caller is told to come back later."""


def connect(url: str, options: Options) -> "CloudRunJobs":
    """Jobs in `run://PROJECT/REGION`, named like ours with hyphens for underscores.

    `?endpoint=127.0.0.1:PORT` talks to a test server on this machine, in plain text.
    """
    place = google_place(url, "run://PROJECT/REGION")
    jobs, executions = _clients(place.endpoint)
    return CloudRunJobs(jobs, executions, f"projects/{place.project}/locations/{place.region}")


def _clients(endpoint: str) -> "tuple[JobsClient, ExecutionsClient]":
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.run_v2 import ExecutionsClient, JobsClient

    if endpoint:
        import grpc

        channel = grpc.insecure_channel(endpoint)
        return (
            JobsClient(transport=JobsClient.get_transport_class("grpc")(channel=channel)),
            ExecutionsClient(
                transport=ExecutionsClient.get_transport_class("grpc")(channel=channel)
            ),
        )
    try:
        return JobsClient(), ExecutionsClient()
    except DefaultCredentialsError as problem:
        raise ConfigError(
            "Cloud Run: no Google credentials; run: gcloud auth application-default login"
        ) from problem


class CloudRunJobs:
    """Terraform declares the jobs with their memory, time and retries; this runs them."""

    def __init__(self, jobs: "JobsClient", executions: "ExecutionsClient", parent: str) -> None:
        self._jobs = jobs
        self._executions = executions
        self._parent = parent

    def start(self, name: str, message: Message) -> str:
        """Start a job with its event; raises JobMissing, JobInvalid, RetryLater."""
        from google.cloud.run_v2 import EnvVar, RunJobRequest

        rules.check_name(name)
        event = EnvVar(name=rules.MESSAGE_VARIABLE, value=rules.call_text(message))
        request = RunJobRequest(
            name=self._job(name),
            overrides=RunJobRequest.Overrides(
                container_overrides=[RunJobRequest.Overrides.ContainerOverride(env=[event])]
            ),
        )
        with self._google_errors(f"job {name!r}", "run.jobs.runWithOverrides"):
            # Not repeated: an answer that got lost would become a second execution.
            operation = self._jobs.run_job(request=request, retry=None, timeout=CALL_SECONDS)
        return f"{name}/{operation.metadata.name.rsplit('/', 1)[-1]}"

    def state(self, execution: str) -> ExecutionState:
        """How far an execution is; `unknown` when Cloud Run has none of that name."""
        request = {"name": self._path(execution)}
        try:
            with self._google_errors(execution, "run.executions.get"):
                found = self._executions.get_execution(
                    request=request, retry=_retry(), timeout=CALL_SECONDS
                )
        except JobMissing:
            reason = f"Cloud Run has no such execution in {self._parent}"
            return ExecutionState(execution, "unknown", reason=reason)
        return _state(execution, found)

    def cancel(self, execution: str) -> None:
        """Stop an execution; nothing happens when it has ended."""
        from google.api_core.exceptions import FailedPrecondition, NotFound

        request = {"name": self._path(execution)}
        with self._google_errors(execution, "run.executions.cancel"):
            try:
                self._executions.cancel_execution(
                    request=request, retry=_retry(), timeout=CALL_SECONDS
                )
            except (FailedPrecondition, NotFound):
                return

    def _job(self, name: str) -> str:
        return f"{self._parent}/jobs/{rules.cloud_name(name)}"

    def _path(self, execution: str) -> str:
        name, id = rules.parts_of(execution)
        return f"{self._job(name)}/executions/{id}"

    @contextmanager
    def _google_errors(self, what: str, permission: str) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPIError, NotFound

        try:
            yield
        except NotFound as problem:
            raise JobMissing(f"no {what} in {self._parent}; deploy it first") from problem
        except GoogleAPIError as problem:
            raise self._ours(problem, what, permission) from problem

    def _ours(self, problem: "GoogleAPIError", what: str, permission: str) -> PipelineError:
        from google.api_core import exceptions

        said = getattr(problem, "reason", None) or type(problem).__name__
        where = f"{what} in {self._parent}"
        if isinstance(problem, exceptions.Forbidden | exceptions.Unauthorized):
            return ConfigError(f"{where}: not permitted ({said}); this account needs {permission}")
        if isinstance(problem, exceptions.FailedPrecondition):
            return RetryLater(f"{where}: cannot be run now ({said}); is its image there?")
        if isinstance(problem, exceptions.BadRequest):
            return ConfigError(f"{where}: Google refuses the request ({said}); check the URL")
        return RetryLater(f"{where}: Cloud Run does not answer, or has no room ({said})")


def _state(execution: str, found: "Execution") -> ExecutionState:
    tasks = found.task_count or 1
    if not found.completion_time:
        state = "running"
    elif found.succeeded_count >= tasks:
        state = "succeeded"
    else:
        state = "cancelled" if found.cancelled_count else "failed"
    began = bool(found.start_time)
    return ExecutionState(
        execution,
        state,  # type: ignore[arg-type]
        started_at=_moment(found.start_time),
        ended_at=_moment(found.completion_time),
        attempt=found.retried_count + 1 if began else 0,
        reason="" if state == "succeeded" else _reason(found),
    )


def _reason(found: "Execution") -> str:
    said = [condition.message for condition in found.conditions if condition.message]
    return said[-1] if said else ""


def _moment(stamp: Any) -> Any:
    return stamp or None


def _retry() -> "Retry":
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    return Retry(
        if_exception_type(ServiceUnavailable), initial=0.1, maximum=1.0, timeout=RETRY_SECONDS
    )
