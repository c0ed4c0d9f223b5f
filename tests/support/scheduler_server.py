"""A small Cloud Scheduler: it keeps jobs, answers the real client, and can be told to fail."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.cloud.scheduler_v1 import types

SERVICE = "google.cloud.scheduler.v1.CloudScheduler"
PAGE_SIZE = 2
"""Small, so that every test of a list turns a page."""

ENABLED, PAUSED = types.Job.State.ENABLED, types.Job.State.PAUSED


@dataclass
class SchedulerState:
    """What the server holds: jobs by name, the runs it was asked for, the failures to show."""

    jobs: dict[str, Any] = field(default_factory=dict)
    runs: list[str] = field(default_factory=list)
    failures: dict[str, grpc.StatusCode] = field(default_factory=dict)
    """Method name -> the status that it answers with from now on."""
    calls: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A new enabled job; ALREADY_EXISTS when there is one."""
        job = request.job
        if not job.name.startswith(f"{request.parent}/jobs/"):
            _fail(context, grpc.StatusCode.INVALID_ARGUMENT, f"{job.name} is not in the parent")
        if job.name in self.jobs:
            _fail(context, grpc.StatusCode.ALREADY_EXISTS, f"{job.name} already exists")
        job.state, job.time_zone = ENABLED, job.time_zone or "UTC"
        self.jobs[job.name] = job
        return job

    def list_jobs(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One page of the parent's jobs, in no promised order: newest first."""
        names = [name for name in reversed(self.jobs) if name.startswith(f"{request.parent}/jobs/")]
        start = int(request.page_token or 0)
        end = start + PAGE_SIZE
        return types.ListJobsResponse(
            jobs=[self.jobs[name] for name in names[start:end]],
            next_page_token=str(end) if end < len(names) else "",
        )

    def get_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One job."""
        if request.name not in self.jobs:
            _fail(context, grpc.StatusCode.NOT_FOUND, f"Job {request.name} not found")
        return self.jobs[request.name]

    def pause_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Only an enabled job can be paused."""
        return self._move(request, context, ENABLED, PAUSED)

    def resume_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Only a paused job can be resumed."""
        return self._move(request, context, PAUSED, ENABLED)

    def run_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        """Keeps that the job was asked to run."""
        job = self.get_job(request, context)
        self.runs.append(job.name)
        return job

    def _move(self, request: Any, context: grpc.ServicerContext, source: int, target: int) -> Any:
        job = self.get_job(request, context)
        if job.state != source:
            _fail(context, grpc.StatusCode.FAILED_PRECONDITION, f"Job is {job.state.name}")
        job.state = target
        return job


@dataclass(frozen=True)
class _Method:
    """How one call is answered, and how its messages are read and written."""

    answer: Callable[[SchedulerState, Any, grpc.ServicerContext], Any]
    request: Any
    response: Any = types.Job


METHODS = {
    "CreateJob": _Method(SchedulerState.create_job, types.CreateJobRequest),
    "ListJobs": _Method(SchedulerState.list_jobs, types.ListJobsRequest, types.ListJobsResponse),
    "GetJob": _Method(SchedulerState.get_job, types.GetJobRequest),
    "PauseJob": _Method(SchedulerState.pause_job, types.PauseJobRequest),
    "ResumeJob": _Method(SchedulerState.resume_job, types.ResumeJobRequest),
    "RunJob": _Method(SchedulerState.run_job, types.RunJobRequest),
}


def _handler_of(state: SchedulerState, name: str) -> grpc.RpcMethodHandler:
    method = METHODS[name]

    def call(request: Any, context: grpc.ServicerContext) -> Any:
        with state.lock:
            state.calls.append(name)
            if name in state.failures:
                _fail(context, state.failures[name], f"{name} was told to fail")
            return method.answer(state, request, context)

    return grpc.unary_unary_rpc_method_handler(
        call, method.request.deserialize, method.response.serialize
    )


def _fail(context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> NoReturn:
    context.abort(code, text)
    raise AssertionError("abort returned")


@contextmanager
def running_scheduler_server(state: SchedulerState | None = None) -> Iterator[str]:
    """`host:port` of a server that is stopped at the end of the context."""
    with ThreadPoolExecutor(max_workers=4) as threads:
        kept = state or SchedulerState()
        handlers = {name: _handler_of(kept, name) for name in METHODS}
        generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
        server = grpc.server(threads, handlers=[generic])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
