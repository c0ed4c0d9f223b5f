"""What only Cloud Storage can do wrong: lost answers, refusals, cuts, and keys held elsewhere."""

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from google.auth.credentials import AnonymousCredentials, Credentials
from google.cloud.storage import Client, _signing

from shared.adapters.files import gcs
from shared.adapters.files.gcs import UPLOAD_CHUNK_BYTES, GcsFiles
from shared.errors import ConfigError, Conflict, FileMissing, RetryLater
from shared.ports import Options
from tests.support.file_stores import BUCKET, private_key, request
from tests.support.storage_objects import Fault, StorageServer
from tests.support.storage_server import running_storage, running_storage_server

BIG = bytes(range(256)) * 80_000


@pytest.fixture
def announced() -> list[dict[str, Any]]:
    return []


@pytest.fixture
def storage(announced: list[dict[str, Any]]) -> Iterator[StorageServer]:
    public_key = private_key().public_key()
    with running_storage(
        on_finalize=announced.append, public_key=public_key, buckets=[BUCKET]
    ) as server:
        yield server


@pytest.fixture
def files(storage: StorageServer, monkeypatch: pytest.MonkeyPatch) -> GcsFiles:
    monkeypatch.setattr(gcs, "RETRY_SECONDS", 4.0)
    return gcs.connect(f"gs://{BUCKET}?endpoint={storage.url}", Options())


@pytest.mark.parametrize(
    "url",
    ["gs://", "s3://bucket", "gs://bucket/folder", "gs://bucket?endpoint=http://example.com"],
)
def test_a_url_that_is_not_a_bucket_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected gs://BUCKET"):
        gcs.connect(url, Options())


def test_each_new_object_is_announced_as_a_bucket_announces_it(
    files: GcsFiles, announced: list[dict[str, Any]]
) -> None:
    stored = files.for_tenant("mine").write("uploads/a.mp4", b"a")
    assert [one["name"] for one in announced] == ["uploads/mine/a.mp4"]
    assert announced[0]["generation"] == stored.generation
    assert (announced[0]["size"], announced[0]["crc32c"]) == ("1", stored.crc32c)


@pytest.mark.parametrize("kind", ["refuse", "drop"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_short_trouble_is_waited_out(
    files: GcsFiles, storage: StorageServer, kind: Any, method: str
) -> None:
    storage.faults.append(Fault(kind, left=1, method=method))
    files.write("uploads/a", b"a")
    assert files.read("uploads/a") == b"a"
    files.delete("uploads/a")
    assert files.info("uploads/a") is None
    assert storage.faults[0].left == 0


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_long_trouble_goes_back_to_the_queue(
    files: GcsFiles, storage: StorageServer, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(gcs, "RETRY_SECONDS", 0.2)
    files.write("uploads/a", b"a")
    storage.faults.append(Fault("refuse", left=1000, status=status))
    for use in (
        lambda: files.info("uploads/a"),
        lambda: files.read("uploads/a"),
        lambda: files.write("uploads/b", b""),
        lambda: files.copy("uploads/a", "videos/a"),
        lambda: files.delete("uploads/a"),
        lambda: [*files.list("")],
    ):
        with pytest.raises(RetryLater, match="does not answer as it should"):
            use()


def test_a_dead_server_goes_back_to_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "RETRY_SECONDS", 0.2)
    with running_storage_server() as url:
        files = gcs.connect(f"gs://{BUCKET}?endpoint={url}", Options())
    with pytest.raises(RetryLater):
        files.read("uploads/a")


def test_a_refusal_names_the_permission(files: GcsFiles, storage: StorageServer) -> None:
    storage.faults.append(Fault("refuse", left=1000, status=403))
    for use, permission in (
        (lambda: files.info("uploads/a"), "storage.objects.get"),
        (lambda: [*files.list("uploads/")], "storage.objects.list"),
    ):
        with pytest.raises(ConfigError, match=f"{permission} is not granted"):
            use()
    storage.faults[:] = [Fault("refuse", left=1000, status=403, method="POST")]
    with pytest.raises(ConfigError, match=r"storage\.objects\.create is not granted"):
        files.write("uploads/a", b"a")
    storage.faults[:] = [Fault("refuse", left=1000, status=401)]
    with pytest.raises(ConfigError, match="the Google credentials do not work"):
        files.info("uploads/a")


def test_a_missing_bucket_is_a_setting_to_mend(storage: StorageServer) -> None:
    files = gcs.connect(f"gs://not-there?endpoint={storage.url}", Options())
    for use in (
        lambda: files.write("uploads/a", b"a"),
        lambda: files.info("uploads/a"),
        lambda: [*files.list("")],
    ):
        with pytest.raises(ConfigError, match="no such bucket"):
            use()


@pytest.mark.parametrize("once", [True, False])
@pytest.mark.parametrize("content", [b"small", BIG])
def test_a_write_whose_answer_is_lost_is_one_generation(
    files: GcsFiles,
    storage: StorageServer,
    announced: list[dict[str, Any]],
    content: bytes,
    once: bool,
) -> None:
    method = "POST" if content == b"small" else "PUT"
    storage.faults.append(Fault("lose", left=1, method=method))
    stored = files.write("uploads/a", content, once=once)
    assert [one["generation"] for one in announced] == [stored.generation]
    assert files.read("uploads/a") == content


def test_a_large_file_goes_up_in_chunks_and_survives_troubles_on_the_way(
    files: GcsFiles, storage: StorageServer, tmp_path: Path
) -> None:
    local = tmp_path / "large"
    local.write_bytes(BIG)
    for kind in ("refuse", "drop", "lose"):
        storage.faults.append(Fault(kind, left=1, method="PUT"))
    stored = files.write("uploads/a", local)
    assert files.read("uploads/a") == BIG
    assert stored.size_bytes == len(BIG)
    sent = [size for method, _, size in storage.requests if method == "PUT"]
    assert max(sent) == UPLOAD_CHUNK_BYTES < len(BIG)


def test_a_download_that_is_cut_goes_on_where_it_stopped_and_is_still_checked(
    files: GcsFiles, storage: StorageServer
) -> None:
    files.write("uploads/a", BIG)
    storage.requests.clear()
    storage.faults.append(Fault("cut", left=3, method="GET"))
    with files.local_copy("uploads/a") as copy:
        assert copy.read_bytes() == BIG
    storage.corrupt(BUCKET, "uploads/local/a")
    storage.faults.append(Fault("cut", left=3, method="GET"))
    with pytest.raises(RetryLater, match="CRC32C"), files.local_copy("uploads/a"):
        pass


def test_a_file_that_is_replaced_between_look_and_read_is_looked_at_again(
    files: GcsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = files.write("uploads/a", b"old")
    look = files.info
    replaced: list[str] = []

    def look_then_replace(path: str) -> Any:
        info = look(path)
        if not replaced:
            replaced.append(path)
            gcs.GcsFiles.write(files.for_tenant("local"), path, b"newer")
        return info

    monkeypatch.setattr(files, "info", look_then_replace)
    assert files.read("uploads/a") == b"newer"
    with pytest.raises(FileMissing), files.local_copy("uploads/a", generation=old.generation):
        pass


def test_a_copy_takes_as_many_calls_as_the_bucket_wants(
    files: GcsFiles, storage: StorageServer, announced: list[dict[str, Any]]
) -> None:
    files.write("uploads/a", b"a", content_type="video/x-own")
    storage.rewrite_steps = 4
    assert files.copy("uploads/a", "videos/a").content_type == "video/x-own"
    assert files.read("videos/a") == b"a"
    assert len(announced) == 2


def test_a_source_that_changes_during_a_copy_is_not_copied(
    files: GcsFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = files.write("uploads/a", b"old")
    found = files._found
    monkeypatch.setattr(files, "_found", lambda *_: old)
    files.write("uploads/a", b"new")
    with pytest.raises(Conflict):
        files.copy("uploads/a", "videos/a")
    monkeypatch.setattr(files, "_found", found)
    assert files.info("videos/a") is None


def test_a_long_listing_comes_in_pages_and_leaves_out_what_is_no_path(
    files: GcsFiles, storage: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.support.storage_server.PAGE_ITEMS", 3)
    paths = [f"uploads/{number}" for number in range(8)]
    for path in paths:
        files.write(path, b"")
    bucket = Client(
        project=None,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": storage.url},
    ).bucket(BUCKET)
    for strange in ("uploads/local/", "uploads/local//x", "uploads/local/a/../b", "uploads/x"):
        bucket.blob(strange).upload_from_string(b"")
    for prefix in ("", "upl", "uploads/"):
        assert [info.path for info in files.list(prefix)] == paths


class CloudRunCredentials(Credentials):
    """What the metadata server gives: a token and an account, and no key."""

    def __init__(self, account: str = "run@test.iam.gserviceaccount.com") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._account = account
        self.service_account_email = "default"

    def refresh(self, request: Any) -> None:
        """The account's real name comes with its first token."""
        self.token = "token-of-the-account"
        self.service_account_email = self._account


def test_without_a_key_iam_signs_in_the_name_of_the_account(
    files: GcsFiles, storage: StorageServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def sign_blob(message: str, token: str, account: str, *_: object) -> str:
        asked.append((token, account))
        signature = private_key().sign(message.encode(), padding.PKCS1v15(), hashes.SHA256())
        return base64.b64encode(signature).decode()

    monkeypatch.setattr(_signing, "_sign_message", sign_blob)
    signer = GcsFiles(files._client, BUCKET, "local", credentials=CloudRunCredentials())
    files.write("uploads/é a", b"a")
    assert request("GET", signer.sign("uploads/é a", "GET"))[:2] == (200, b"a")
    assert asked == [("token-of-the-account", "run@test.iam.gserviceaccount.com")]


@pytest.mark.parametrize(
    ("said", "error", "match"),
    [
        ('{"code": 403, "status": "PERMISSION_DENIED"}', ConfigError, "signBlob"),
        ("502 Bad Gateway", RetryLater, "does not answer"),
    ],
)
def test_a_refusal_of_iam_is_told_apart_from_its_troubles(
    files: GcsFiles, monkeypatch: pytest.MonkeyPatch, said: str, error: type, match: str
) -> None:
    from google.auth.exceptions import TransportError

    def refuse(*_: object) -> str:
        problem: Exception = TransportError(  # type: ignore[no-untyped-call]
            f"Error calling the IAM signBytes API: {said}"
        )
        raise problem

    monkeypatch.setattr(_signing, "_sign_message", refuse)
    signer = GcsFiles(files._client, BUCKET, "local", credentials=CloudRunCredentials())
    with pytest.raises(error, match=match):
        signer.sign("uploads/a", "GET")


def test_credentials_of_a_person_cannot_sign_and_the_way_out_is_said(files: GcsFiles) -> None:
    person = CloudRunCredentials(account="")
    signer = GcsFiles(files._client, BUCKET, "local", credentials=person)
    with pytest.raises(ConfigError, match="impersonate-service-account"):
        signer.sign("uploads/a", "GET")


def test_importing_the_adapter_does_not_import_the_sdk() -> None:
    code = "import sys, shared.adapters.files.gcs; print('google.cloud.storage' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert said.stdout == b"False\n"
