"""Secrets in Google Secret Manager, one secret per tenant and name."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from shared.adapters.rules import google_place
from shared.adapters.secrets.rules import (
    check_name,
    check_tenant,
    decode_value,
    encode_value,
    secret_id,
)
from shared.errors import ConfigError, PipelineError, RetryLater, SecretMissing
from shared.events import LOCAL_TENANT
from shared.ports import Options

if TYPE_CHECKING:
    from google.api_core.exceptions import GoogleAPIError
    from google.api_core.retry import Retry
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

CALL_SECONDS = 10.0
RETRY_SECONDS = 5.0
"""How long a call is repeated here before the message goes back to the queue."""

READ_ROLE = "roles/secretmanager.secretAccessor"
WRITE_ROLE = "roles/secretmanager.admin"


def connect(url: str, options: Options) -> "SecretManagerSecrets":
    """Secrets of the tenant `local` in `secret-manager://PROJECT`.

    `?endpoint=127.0.0.1:PORT` talks to a test server on this machine, in plain text.
    """
    place = google_place(url, "secret-manager://PROJECT")
    return SecretManagerSecrets(_client(place.endpoint), place.project, LOCAL_TENANT)


def _client(endpoint: str) -> "SecretManagerServiceClient":
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.secretmanager_v1 import SecretManagerServiceClient

    # At DEBUG the client logs whole requests and answers, and these hold the values.
    logging.getLogger("google.cloud.secretmanager_v1").setLevel(logging.WARNING)
    if endpoint:
        import grpc

        transport = SecretManagerServiceClient.get_transport_class("grpc")
        channel = grpc.insecure_channel(endpoint)
        return SecretManagerServiceClient(transport=transport(channel=channel))
    try:
        return SecretManagerServiceClient()
    except DefaultCredentialsError as problem:
        raise ConfigError(
            "Secret Manager: no Google credentials; run: gcloud auth application-default login"
        ) from problem


class SecretManagerSecrets:
    """A put is a new version, a get reads the newest; both are checked by CRC32C."""

    def __init__(self, client: "SecretManagerServiceClient", project: str, tenant_id: str) -> None:
        self._client = client
        self._project = project
        self._tenant_id = check_tenant(tenant_id)

    def __repr__(self) -> str:
        return f"SecretManagerSecrets({self._project!r}, {self._tenant_id!r})"

    def for_tenant(self, tenant_id: str) -> Self:
        """The same project, seen by one tenant."""
        return type(self)(self._client, self._project, tenant_id)

    def get(self, name: str) -> str:
        """The newest value; raises SecretMissing, or ConfigError when that version is disabled."""
        import google_crc32c

        request = {"name": f"{self._path(name)}/versions/latest"}
        with self._google_errors(name, READ_ROLE):
            answer = self._client.access_secret_version(
                request=request, retry=_retry(), timeout=CALL_SECONDS
            )
        content = answer.payload.data
        if google_crc32c.value(content) != answer.payload.data_crc32c:
            raise RetryLater(f"secret {name!r}: the answer does not match its checksum")
        return decode_value(name, content)

    def put(self, name: str, value: str) -> None:
        """Store a new version, in a new secret when there is none."""
        from google.api_core.exceptions import NotFound

        content = encode_value(name, value)
        with self._google_errors(name, WRITE_ROLE):
            try:
                self._add_version(name, content)
            except NotFound:
                self._create(name)
                self._add_first_version(name, content)

    def delete(self, name: str) -> None:
        """Forget every version; nothing happens when there is none."""
        from google.api_core.exceptions import NotFound

        request = {"name": self._path(name)}
        with self._google_errors(name, WRITE_ROLE):
            try:
                self._client.delete_secret(request=request, retry=_retry(), timeout=CALL_SECONDS)
            except NotFound:
                return

    def _path(self, name: str) -> str:
        return f"projects/{self._project}/secrets/{secret_id(self._tenant_id, name)}"

    def _create(self, name: str) -> None:
        from google.api_core.exceptions import AlreadyExists

        request = {
            "parent": f"projects/{self._project}",
            "secret_id": secret_id(self._tenant_id, name),
            "secret": {"replication": {"automatic": {}}},
        }
        try:
            self._client.create_secret(request=request, retry=_retry(), timeout=CALL_SECONDS)
        except AlreadyExists:
            # Somebody else was first, or our own answer got lost: a version can be added.
            return

    def _add_version(self, name: str, content: bytes) -> None:
        import google_crc32c

        payload = {"data": content, "data_crc32c": google_crc32c.value(content)}
        self._client.add_secret_version(
            request={"parent": self._path(name), "payload": payload},
            retry=_retry(),
            timeout=CALL_SECONDS,
        )

    def _add_first_version(self, name: str, content: bytes) -> None:
        from google.api_core.exceptions import NotFound

        try:
            self._add_version(name, content)
        except NotFound:
            raise RetryLater(f"secret {name!r} was deleted while it was written") from None

    @contextmanager
    def _google_errors(self, name: str, role: str) -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPIError

        check_name(name)
        try:
            yield
        except GoogleAPIError as problem:
            # Not chained: what a server writes about a request may quote the request.
            raise self._ours(problem, name, role) from None

    def _ours(self, problem: "GoogleAPIError", name: str, role: str) -> PipelineError:
        from google.api_core import exceptions

        what = f"secret {name!r} of tenant {self._tenant_id!r} in project {self._project!r}"
        path, said = secret_id(self._tenant_id, name), _reason(problem)
        if isinstance(problem, exceptions.NotFound):
            command = f"gcloud secrets create {path} --project={self._project} --data-file=-"
            return SecretMissing(
                f"{what} is missing; pipe the value into: {command}"
                f" (when {path} exists without a version: gcloud secrets versions add)"
            )
        if isinstance(problem, exceptions.Forbidden | exceptions.Unauthorized):
            return ConfigError(f"{what}: not permitted ({said}); this account needs {role}")
        if isinstance(problem, exceptions.FailedPrecondition):
            return ConfigError(
                f"{what}: its newest version is disabled or destroyed; enable it or add a new one"
            )
        if isinstance(problem, exceptions.BadRequest):
            return ConfigError(f"{what}: Google refuses the request ({said}); check the project")
        return RetryLater(f"{what}: Secret Manager does not answer ({said})")


def _retry() -> "Retry":
    from google.api_core.exceptions import ServiceUnavailable
    from google.api_core.retry import Retry, if_exception_type

    return Retry(
        if_exception_type(ServiceUnavailable), initial=0.1, maximum=1.0, timeout=RETRY_SECONDS
    )


def _reason(problem: "GoogleAPIError") -> str:
    """`Forbidden, SERVICE_DISABLED`: the class, and Google's machine-readable reason if given."""
    reason = getattr(problem, "reason", None)
    return ", ".join(filter(None, [type(problem).__name__, reason]))
