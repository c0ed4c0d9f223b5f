"""A small Cloud Run: it keeps jobs and executions, runs their containers as processes here."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import grpc
from google.cloud.run_v2 import types
from google.longrunning import operations_pb2

JOBS, EXECUTIONS = "google.cloud.run.v2.Jobs", "google.cloud.run.v2.Executions"


@dataclass(frozen=True)
class DeployedJob:
    """What Terraform would have deployed."""

    main: Path
    environment: Mapping[str, str]
    timeout_seconds: float
    retries: int


@dataclass
class RunState:
    """Jobs and executions by their full names, and the failures to show."""

    jobs: dict[str, DeployedJob] = field(default_factory=dict)
    executions: dict[str, Any] = field(default_factory=dict)
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    failures: dict[str, grpc.StatusCode] = field(default_factory=dict)
    """Method name -> the status that it answers with from now on."""
    calls: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def run_job(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A new execution; it begins at once, in a thread of its own."""
        job = self.jobs.get(request.name)
        if job is None:
            _fail(context, grpc.StatusCode.NOT_FOUND, f"Resource {request.name} not found")
        short = request.name.rsplit("/", 1)[-1]
        name = f"{request.name}/executions/{short}-{len(self.executions):05x}"
        execution = types.Execution(name=name, job=request.name, task_count=1, create_time=_now())
        self.executions[name] = execution
        self.requests.append(request)
        overridden = {
            variable.name: variable.value
            for container in request.overrides.container_overrides
            for variable in container.env
        }
        threading.Thread(target=self._work, args=(job, execution, overridden), daemon=True).start()
        operation = operations_pb2.Operation(name=f"operations/{short}")
        operation.metadata.Pack(types.Execution.pb(execution))
        return operation

    def get_execution(self, request: Any, context: grpc.ServicerContext) -> Any:
        """One execution."""
        if request.name not in self.executions:
            _fail(context, grpc.StatusCode.NOT_FOUND, f"Resource {request.name} not found")
        return self.executions[request.name]

    def cancel_execution(self, request: Any, context: grpc.ServicerContext) -> Any:
        """SIGTERM to the container; FAILED_PRECONDITION when the execution has ended."""
        execution = self.get_execution(request, context)
        if execution.completion_time:
            _fail(context, grpc.StatusCode.FAILED_PRECONDITION, "Execution has completed")
        execution.cancelled_count = 1
        if request.name in self.processes:
            self.processes[request.name].terminate()
        operation = operations_pb2.Operation(name="operations/cancel")
        operation.metadata.Pack(types.Execution.pb(execution))
        return operation

    def stop(self) -> None:
        """Leave no process behind."""
        for process in self.processes.values():
            process.kill()
            process.wait()

    def _work(self, job: DeployedJob, execution: Any, overridden: Mapping[str, str]) -> None:
        short = execution.name.rsplit("/", 1)[-1]
        execution.start_time = _now()
        said = ""
        for attempt in range(job.retries + 1):
            execution.retried_count = attempt
            said = self._attempt(job, execution, {**overridden, **_platform(short, attempt)})
            if not said or execution.cancelled_count:
                break
        with self.lock:
            execution.succeeded_count, execution.failed_count = (0, 1) if said else (1, 0)
            if execution.cancelled_count:
                execution.succeeded_count, execution.failed_count = 0, 0
            execution.conditions = [types.Condition(type_="Completed", message=said)]
            execution.completion_time = _now()

    def _attempt(self, job: DeployedJob, execution: Any, variables: Mapping[str, str]) -> str:
        environment = {**os.environ, **job.environment, **variables}
        process = subprocess.Popen(
            [sys.executable, str(job.main)], env=environment, stderr=subprocess.DEVNULL
        )
        self.processes[execution.name] = process
        try:
            status = process.wait(job.timeout_seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            return "The task exceeded its timeout"
        return "" if status == 0 else f"The container exited with status {status}"


def _platform(short: str, attempt: int) -> dict[str, str]:
    return {"CLOUD_RUN_EXECUTION": short, "CLOUD_RUN_TASK_ATTEMPT": str(attempt)}


@dataclass(frozen=True)
class _Method:
    """How one call is answered, and how its messages are read and written."""

    answer: Callable[[RunState, Any, grpc.ServicerContext], Any]
    request: Any
    response: Callable[[Any], bytes]


def _operation(operation: operations_pb2.Operation) -> bytes:
    return bytes(operation.SerializeToString())


METHODS = {
    JOBS: {"RunJob": _Method(RunState.run_job, types.RunJobRequest, _operation)},
    EXECUTIONS: {
        "GetExecution": _Method(
            RunState.get_execution, types.GetExecutionRequest, types.Execution.serialize
        ),
        "CancelExecution": _Method(
            RunState.cancel_execution, types.CancelExecutionRequest, _operation
        ),
    },
}


def _handler_of(state: RunState, name: str, method: _Method) -> grpc.RpcMethodHandler:
    def call(request: Any, context: grpc.ServicerContext) -> Any:
        with state.lock:
            state.calls.append(name)
            if name in state.failures:
                _fail(context, state.failures[name], f"{name} was told to fail")
            return method.answer(state, request, context)

    return grpc.unary_unary_rpc_method_handler(call, method.request.deserialize, method.response)


def _fail(context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> NoReturn:
    context.abort(code, text)
    raise AssertionError("abort returned")


def _now() -> datetime:
    return datetime.now(UTC)


@contextmanager
def running_run_server(state: RunState) -> Iterator[str]:
    """`host:port` of a server that is stopped, with its containers, at the end of the context."""
    with ThreadPoolExecutor(max_workers=4) as threads:
        generic = [
            grpc.method_handlers_generic_handler(
                service, {name: _handler_of(state, name, one) for name, one in methods.items()}
            )
            for service, methods in METHODS.items()
        ]
        server = grpc.server(threads, handlers=generic)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
            state.stop()
