"""A small Secret Manager: it keeps state, answers the real client, and can be told to fail."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import google_crc32c
import grpc
from google.cloud.secretmanager_v1 import types

SERVICE = "google.cloud.secretmanager.v1.SecretManagerService"


@dataclass
class SecretManagerState:
    """What the server holds: versions by secret name, and the failures it was asked for."""

    secrets: dict[str, list[bytes]] = field(default_factory=dict)
    disabled: set[str] = field(default_factory=set)
    failures: dict[str, grpc.StatusCode] = field(default_factory=dict)
    """Method name -> the status that it answers with from now on."""
    corrupt: bool = False
    """Answers carry other bytes than their checksum says."""
    calls: list[str] = field(default_factory=list)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """Method name -> what happens once, just before it: another process, for races."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def create_secret(self, request: Any, context: grpc.ServicerContext) -> Any:
        """A secret without a version; ALREADY_EXISTS when there is one."""
        name = f"{request.parent}/secrets/{request.secret_id}"
        if name in self.secrets:
            _fail(context, grpc.StatusCode.ALREADY_EXISTS, f"{name} already exists")
        if "automatic" not in request.secret.replication:
            _fail(context, grpc.StatusCode.INVALID_ARGUMENT, "replication is required")
        self.secrets[name] = []
        return types.Secret(name=name)

    def add_secret_version(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The next version; INVALID_ARGUMENT when the checksum is not that of the data."""
        versions = self._versions(request.parent, context)
        data = request.payload.data
        if request.payload.data_crc32c != google_crc32c.value(data):
            _fail(context, grpc.StatusCode.INVALID_ARGUMENT, f"checksum of {data!r}")
        versions.append(data)
        return types.SecretVersion(name=f"{request.parent}/versions/{len(versions)}")

    def access_secret_version(self, request: Any, context: grpc.ServicerContext) -> Any:
        """The newest version; no other alias is served."""
        name, _, alias = request.name.partition("/versions/")
        versions = self._versions(name, context)
        if alias != "latest" or not versions:
            _fail(context, grpc.StatusCode.NOT_FOUND, f"{request.name} not found")
        if name in self.disabled:
            _fail(context, grpc.StatusCode.FAILED_PRECONDITION, f"{name} is in DISABLED state")
        checksum = google_crc32c.value(versions[-1])
        data = versions[-1] + b"?" if self.corrupt else versions[-1]
        return types.AccessSecretVersionResponse(
            name=f"{name}/versions/{len(versions)}",
            payload=types.SecretPayload(data=data, data_crc32c=checksum),
        )

    def delete_secret(self, request: Any, context: grpc.ServicerContext) -> None:
        """Forgets a secret with all its versions."""
        self._versions(request.name, context)
        del self.secrets[request.name]

    def _versions(self, name: str, context: grpc.ServicerContext) -> list[bytes]:
        if name not in self.secrets:
            _fail(context, grpc.StatusCode.NOT_FOUND, f"Secret [{name}] not found")
        return self.secrets[name]


@dataclass(frozen=True)
class _Method:
    """How one call is answered, and how its messages are read and written."""

    answer: Callable[[SecretManagerState, Any, grpc.ServicerContext], Any]
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]


METHODS = {
    "CreateSecret": _Method(
        SecretManagerState.create_secret,
        types.CreateSecretRequest.deserialize,
        types.Secret.serialize,
    ),
    "AddSecretVersion": _Method(
        SecretManagerState.add_secret_version,
        types.AddSecretVersionRequest.deserialize,
        types.SecretVersion.serialize,
    ),
    "AccessSecretVersion": _Method(
        SecretManagerState.access_secret_version,
        types.AccessSecretVersionRequest.deserialize,
        types.AccessSecretVersionResponse.serialize,
    ),
    "DeleteSecret": _Method(
        SecretManagerState.delete_secret,
        types.DeleteSecretRequest.deserialize,
        lambda nothing: b"",
    ),
}


def _handler_of(state: SecretManagerState, name: str) -> grpc.RpcMethodHandler:
    method = METHODS[name]

    def call(request: Any, context: grpc.ServicerContext) -> Any:
        state.before.pop(name, lambda: None)()
        with state.lock:
            state.calls.append(name)
            if name in state.failures:
                # Like a server that quotes the request in its answer.
                _fail(context, state.failures[name], f"told to fail: {request}")
            return method.answer(state, request, context)

    return grpc.unary_unary_rpc_method_handler(call, method.read, method.write)


def _fail(context: grpc.ServicerContext, code: grpc.StatusCode, text: str) -> NoReturn:
    context.abort(code, text)
    raise AssertionError("abort returned")


@contextmanager
def running_secret_manager_server(state: SecretManagerState | None = None) -> Iterator[str]:
    """`host:port` of a server that is stopped at the end of the context."""
    with ThreadPoolExecutor(max_workers=4) as threads:
        kept = state or SecretManagerState()
        handlers = {name: _handler_of(kept, name) for name in METHODS}
        generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
        server = grpc.server(threads, handlers=[generic])
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            yield f"127.0.0.1:{port}"
        finally:
            server.stop(grace=None).wait()
