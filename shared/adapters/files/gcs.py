"""Files in Google Cloud Storage: every write names the generation it replaces, 0 for none."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self
from urllib.parse import parse_qs, urlsplit

from shared.adapters.files import rules
from shared.errors import ConfigError, Conflict, FileMissing, PipelineError, RetryLater
from shared.events import LOCAL_TENANT
from shared.ports import FileInfo, Options

if TYPE_CHECKING:
    from google.cloud.storage import Blob, Bucket, Client

UPLOAD_CHUNK_BYTES = 8 << 20
"""What one request of a resumable upload carries; only this much is ever in memory."""
CALL_SECONDS = (10.0, 60.0)
"""To connect, and between two bytes."""
RETRY_SECONDS = 60.0
"""How long a call is repeated here before the message goes back to the queue."""
TRIES = 20
"""How many races one call may lose against others who write the same path."""
SIGN_SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def connect(url: str, options: Options) -> "GcsFiles":
    """Files of the tenant `local` in `gs://BUCKET`.

    `?endpoint=http://127.0.0.1:PORT` talks to a test server without credentials, as the SDK does
    where STORAGE_EMULATOR_HOST is set.
    """
    parts = urlsplit(url)
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0]
    local = urlsplit(endpoint).hostname in ("127.0.0.1", "localhost")
    if parts.scheme != "gs" or not parts.netloc or parts.path or (endpoint and not local):
        raise ConfigError(
            f"{url!r}: expected gs://BUCKET, for tests with ?endpoint=http://127.0.0.1:PORT"
        )
    return GcsFiles(_client(endpoint), parts.netloc, LOCAL_TENANT)


def _client(endpoint: str) -> "Client":
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.storage import Client

    if endpoint:
        return Client(
            project=None,
            client_options={"api_endpoint": endpoint},
            use_auth_w_custom_endpoint=False,
        )
    try:
        # No call here needs a project, and asking for one can need the network.
        return Client(project=None)
    except DefaultCredentialsError as problem:
        raise ConfigError(
            "Cloud Storage: no Google credentials; run: gcloud auth application-default login"
        ) from problem


class GcsFiles:
    """A tenant's `area/rest` is the object `area/<tenant>/rest` of one bucket."""

    def __init__(
        self, client: "Client", bucket: str, tenant_id: str, *, credentials: Any = None
    ) -> None:
        self._client = client
        self._bucket_name = bucket
        self._tenant_id = rules.check_tenant(tenant_id)
        self._credentials = credentials

    def __repr__(self) -> str:
        return f"GcsFiles({self._bucket_name!r}, {self._tenant_id!r})"

    def for_tenant(self, tenant_id: str) -> Self:
        """The same bucket, seen by one tenant."""
        return type(self)(self._client, self._bucket_name, tenant_id, credentials=self._credentials)

    def info(self, path: str) -> FileInfo | None:
        """What is known of a file; None when there is none."""
        blob = self._blob(path)
        try:
            with self._errors(path, "storage.objects.get"):
                blob.reload(timeout=CALL_SECONDS, retry=_retry())
        except FileMissing:
            return None
        return _info(path, blob)

    def read(self, path: str) -> bytes:
        """The whole content; raises FileMissing, or FileCorrupt when it is not what was stored."""
        content = io.BytesIO()
        self._download(path, None, content)
        return content.getvalue()

    def write(
        self, path: str, content: bytes | Path, *, content_type: str = "", once: bool = False
    ) -> FileInfo:
        """Store bytes, or a local file in chunks of 8 MiB; raises Conflict after 20 lost races."""
        content_type = rules.content_type_of(path, content_type)
        for _ in range(TRIES):
            stored = self.info(path)
            if once and stored is not None:
                return stored
            generation = 0 if stored is None else int(stored.generation)
            try:
                return self._upload(path, content, content_type, generation)
            except Conflict:
                # Perhaps our own: its answer got lost and the SDK sent it again.
                stored = self.info(path)
                if stored is not None and rules.checksum_of(content) == stored.crc32c:
                    return stored
        raise Conflict(f"{path!r}: others wrote it {TRIES} times while it was written; try again")

    def copy(self, source: str, target: str, *, generation: str | None = None) -> FileInfo:
        """Copy inside the bucket, once; raises FileMissing when `source` is not at `generation`."""
        found = self._found(source, generation)
        blob, token = self._blob(target), None
        try:
            with self._errors(target, "storage.objects.create"):
                while True:
                    token, _, _ = blob.rewrite(
                        self._blob(source),
                        token=token,
                        if_generation_match=0,
                        if_source_generation_match=int(found.generation),
                        timeout=CALL_SECONDS,
                        retry=_retry(),
                    )
                    if token is None:
                        return _info(target, blob)
        except Conflict:
            # Either the target is there, or the source changed under our hands.
            stored = self.info(target)
            self._found(source, generation)
            if stored is None:
                raise
            return stored

    @contextmanager
    def local_copy(self, path: str, *, generation: str | None = None) -> Iterator[Path]:
        """A temporary file, checked by CRC32C and removed at the end; raises FileMissing."""
        with tempfile.TemporaryDirectory(prefix="geminivideo-") as folder:
            local = Path(folder) / "file"
            with local.open("wb") as file:
                self._download(path, generation, file)
            yield local

    def list(self, prefix: str) -> Iterator[FileInfo]:
        """Every file whose path starts with `prefix`, in order of path."""
        rules.check_prefix(prefix)
        area, slash, rest = prefix.partition("/")
        for whole in [area] if slash else self._areas(area):
            if rules.is_area(whole):
                yield from self._list(f"{whole}/{self._tenant_id}/{rest}")

    def delete(self, path: str) -> None:
        """Remove a file; nothing happens when there is none."""
        for _ in range(TRIES):
            stored = self.info(path)
            if stored is None:
                return
            try:
                with self._errors(path, "storage.objects.delete"):
                    # With its generation a repeated call cannot remove what came after it.
                    self._blob(path).delete(
                        if_generation_match=int(stored.generation),
                        timeout=CALL_SECONDS,
                        retry=_retry(),
                    )
                return
            except FileMissing:
                return
            except Conflict:
                continue
        raise Conflict(f"{path!r}: others wrote it {TRIES} times while it was deleted; try again")

    def sign(self, path: str, method: Literal["GET", "PUT"], *, expires_seconds: int = 3600) -> str:
        """A V4 signed URL; raises ConfigError when these credentials cannot sign."""
        life = timedelta(seconds=rules.check_expiry(expires_seconds))
        blob = self._blob(path)
        with self._errors(path, "iam.serviceAccounts.signBlob (Service Account Token Creator)"):
            return str(
                blob.generate_signed_url(
                    version="v4", expiration=life, method=method, **self._signer()
                )
            )

    def _signer(self) -> dict[str, Any]:
        """What signs: a key of our own, or IAM in the name of the service account we run as."""
        import google.auth
        from google.auth.credentials import Signing
        from google.auth.transport.requests import Request

        if self._credentials is None:
            self._credentials = google.auth.default(scopes=[SIGN_SCOPE])[0]
        credentials = self._credentials
        if isinstance(credentials, Signing):
            return {"credentials": credentials}
        if not credentials.valid:
            credentials.refresh(Request())
        email = getattr(credentials, "service_account_email", None)
        if not email:
            raise ConfigError(
                "these Google credentials cannot sign URLs; run: gcloud auth application-default "
                "login --impersonate-service-account=ACCOUNT"
            )
        return {
            "credentials": credentials,
            "service_account_email": email,
            "access_token": credentials.token,
        }

    def _blob(self, path: str, *, generation: int | None = None) -> "Blob":
        name = rules.stored_name(self._tenant_id, path)
        return self._bucket.blob(name, chunk_size=UPLOAD_CHUNK_BYTES, generation=generation)

    @property
    def _bucket(self) -> "Bucket":
        return self._client.bucket(self._bucket_name)

    def _found(self, path: str, generation: str | None) -> FileInfo:
        info = self.info(path)
        if info is None or generation not in (None, info.generation):
            meant = "" if generation is None else f" at generation {generation}"
            raise FileMissing(f"{path!r} of tenant {self._tenant_id!r} is not there{meant}")
        return info

    def _upload(
        self, path: str, content: bytes | Path, content_type: str, generation: int
    ) -> FileInfo:
        blob = self._blob(path)
        with rules.opened(content) as stream:
            size_bytes = stream.seek(0, 2)
            stream.seek(0)
            with self._errors(path, "storage.objects.create", missing="bucket"):
                blob.upload_from_file(
                    stream,
                    size=size_bytes,
                    content_type=content_type,
                    if_generation_match=generation,
                    checksum="crc32c",
                    timeout=CALL_SECONDS,
                    retry=_retry(),
                )
        return _info(path, blob)

    def _download(self, path: str, generation: str | None, file: BinaryIO) -> None:
        for _ in range(TRIES):
            found = self._found(path, generation)
            # The SDK checks no sum when it had to go on in the middle of a download.
            checked = rules.Crc32c(file)
            blob = self._blob(path, generation=int(found.generation))
            blob.chunk_size = None
            try:
                with self._errors(path, "storage.objects.get"):
                    blob.download_to_file(
                        checked,
                        raw_download=True,
                        checksum=None,
                        timeout=CALL_SECONDS,
                        retry=_retry(),
                    )
            except FileMissing:
                # Replaced since we looked: look again, unless exactly this one was asked for.
                file.seek(0)
                file.truncate()
                continue
            rules.check_bytes(path, checked.text, found.crc32c)
            return
        raise RetryLater(f"{path!r} changes faster than it can be read")

    def _areas(self, beginning: str) -> Iterator[str]:
        with self._errors(beginning, "storage.objects.list", missing="bucket"):
            found = self._client.list_blobs(
                self._bucket_name,
                prefix=beginning,
                delimiter="/",
                timeout=CALL_SECONDS,
                retry=_retry(),
            )
            for _ in found:
                pass
        for name in sorted(found.prefixes):
            yield name.removesuffix("/")

    def _list(self, beginning: str) -> Iterator[FileInfo]:
        with self._errors(beginning, "storage.objects.list", missing="bucket"):
            found = self._client.list_blobs(
                self._bucket_name, prefix=beginning, timeout=CALL_SECONDS, retry=_retry()
            )
            for blob in found:
                area, _, rest = blob.name.split("/", 2)
                if rules.is_path(path := f"{area}/{rest}"):
                    yield _info(path, blob)

    @contextmanager
    def _errors(self, path: str, permission: str, *, missing: str = "file") -> Iterator[None]:
        from google.api_core.exceptions import GoogleAPIError
        from google.auth.exceptions import GoogleAuthError
        from requests import RequestException
        from urllib3.exceptions import HTTPError

        try:
            yield
        except (GoogleAPIError, GoogleAuthError, RequestException, HTTPError) as problem:
            raise self._ours(problem, path, permission, missing) from problem
        except (ConnectionError, TimeoutError) as problem:
            raise RetryLater(f"{path!r}: Cloud Storage cannot be reached: {problem}") from problem

    def _ours(self, problem: Exception, path: str, permission: str, missing: str) -> PipelineError:
        from google.api_core import exceptions as google
        from google.auth.exceptions import GoogleAuthError, TransportError
        from google.cloud.storage.exceptions import DataCorruption

        what = f"{path!r} of tenant {self._tenant_id!r} in gs://{self._bucket_name}"
        said = str(problem)[:300]
        if isinstance(problem, google.NotFound):
            if missing == "bucket" or "bucket does not exist" in said:
                return ConfigError(f"{what}: there is no such bucket; create it, or mend the URL")
            return FileMissing(f"{what} is not there")
        if isinstance(problem, google.PreconditionFailed):
            return Conflict(f"{what}: somebody else wrote it")
        denied = isinstance(problem, google.Forbidden | google.Unauthorized)
        if denied or "PERMISSION_DENIED" in said:
            return ConfigError(f"{what}: {permission} is not granted: {said}")
        if isinstance(problem, DataCorruption):
            return rules.FileCorrupt(f"{what}: {said}")
        if isinstance(problem, google.ClientError) and problem.code not in (408, 429):
            return ConfigError(f"{what}: Cloud Storage refuses this: {said}")
        if isinstance(problem, GoogleAuthError) and not isinstance(problem, TransportError):
            return ConfigError(f"{what}: the Google credentials do not work: {said}")
        return RetryLater(f"{what}: Cloud Storage does not answer as it should: {said}")


def _info(path: str, blob: "Blob") -> FileInfo:
    return FileInfo(
        path=path,
        size_bytes=int(blob.size),
        generation=str(blob.generation),
        crc32c=blob.crc32c,
        content_type=blob.content_type or rules.UNKNOWN_TYPE,
        updated_at=blob.updated,
    )


def _retry() -> Any:
    """The SDK's own list of what may be repeated (429, 5xx, lost connections), for a while."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    return DEFAULT_RETRY.with_delay(initial=0.5, maximum=8.0, multiplier=2.0).with_timeout(
        RETRY_SECONDS
    )
