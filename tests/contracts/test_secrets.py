"""Every secret store keeps the same promises, and no value ever leaves through an error."""

import logging
import os
import stat
import subprocess
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc
import pytest

from shared.adapters.secrets import file, secret_manager
from shared.errors import ConfigError, PipelineError, RetryLater, SecretMissing
from shared.ports import Options, Secrets
from tests.support.secret_manager_server import (
    SecretManagerState,
    running_secret_manager_server,
)

CANARY = "canary-4f1d-never-shown"


@pytest.fixture
def state() -> SecretManagerState:
    """What the Secret Manager of this test holds."""
    return SecretManagerState()


@pytest.fixture
def google(state: SecretManagerState) -> Iterator[Secrets]:
    """The adapter for Secret Manager, on a server of this test."""
    with running_secret_manager_server(state) as address:
        yield secret_manager.connect(f"secret-manager://project?endpoint={address}", Options())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the file adapter of this test keeps its files."""
    return tmp_path / "deep" / "secrets"


@pytest.fixture
def disk(folder: Path) -> Secrets:
    """The file adapter."""
    return file.connect(f"file://{folder}", Options())


@pytest.fixture(params=["disk", "google"])
def store(request: pytest.FixtureRequest) -> Secrets:
    """Every adapter in turn."""
    adapter: Secrets = request.getfixturevalue(request.param)
    return adapter


@pytest.mark.parametrize("value", ["x", "größe 🎬", " two\nlines\r\n", "a" * 65_536, "\0"])
def test_a_value_comes_back_exactly_as_it_was_put(store: Secrets, value: str) -> None:
    store.put("meta-token", value)
    assert store.get("meta-token") == value


def test_the_newest_value_is_read(store: Secrets) -> None:
    for value in ("first", "second", "third"):
        store.put("meta-token", value)
    assert store.get("meta-token") == "third"


def test_a_missing_secret_says_how_to_set_it(store: Secrets) -> None:
    with pytest.raises(SecretMissing, match=r"'meta-token'.*(printf|gcloud secrets create)"):
        store.get("meta-token")


def test_a_deleted_secret_is_missing_and_can_be_put_again(store: Secrets) -> None:
    store.put("meta-token", "old")
    store.delete("meta-token")
    with pytest.raises(SecretMissing):
        store.get("meta-token")
    store.put("meta-token", "new")
    assert store.get("meta-token") == "new"


def test_deleting_what_is_not_there_does_nothing(store: Secrets) -> None:
    store.delete("meta-token")
    store.put("other", "kept")
    store.delete("meta-token")
    assert store.get("other") == "kept"


def test_one_tenant_never_reads_or_deletes_what_another_wrote(store: Secrets) -> None:
    acme, other = store.for_tenant("acme"), store.for_tenant("acme-shop")
    acme.put("shop-token", "of acme")
    other.put("token", "of acme-shop")
    with pytest.raises(SecretMissing):
        other.get("shop-token")
    with pytest.raises(SecretMissing):
        acme.get("token")
    with pytest.raises(SecretMissing):
        store.get("shop-token")
    other.delete("shop-token")
    assert (acme.get("shop-token"), other.get("token")) == ("of acme", "of acme-shop")


@pytest.mark.parametrize(
    "name", ["", "../token", "a/b", "A", "a_b", ".", "a.b", "a\n", "é", "a" * 101, "a/versions/1"]
)
def test_a_name_that_is_not_one_is_refused(store: Secrets, name: str) -> None:
    actions: list[Callable[[], object]] = [
        lambda: store.get(name),
        lambda: store.put(name, CANARY),
        lambda: store.delete(name),
    ]
    for action in actions:
        with pytest.raises(ConfigError, match="expected 1 to 100") as caught:
            action()
        assert CANARY not in str(caught.value)


@pytest.mark.parametrize("tenant_id", ["", "..", "-a", "a/b", "a_b", "A", "a\n", "a" * 64])
def test_a_tenant_that_is_not_one_is_refused(store: Secrets, tenant_id: str) -> None:
    with pytest.raises(ConfigError, match="tenant"):
        store.for_tenant(tenant_id)


@pytest.mark.parametrize("value", ["", CANARY + "\udc80", CANARY + "x" * 65_536])
def test_a_value_that_no_store_takes_is_refused_unseen(store: Secrets, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        store.put("meta-token", value)
    assert CANARY not in everything_said(caught.value)
    with pytest.raises(SecretMissing):
        store.get("meta-token")


def test_a_value_is_in_no_log_line_and_no_repr(
    store: Secrets, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        google_logger = logging.getLogger("google")
        google_logger.setLevel(logging.DEBUG)
        google_logger.addHandler(caplog.handler)
        try:
            store.put("meta-token", CANARY)
            assert store.get("meta-token") == CANARY
        finally:
            google_logger.removeHandler(caplog.handler)
            google_logger.setLevel(logging.NOTSET)
    said = [record.getMessage() + repr(record.__dict__) for record in caplog.records]
    printed = capfd.readouterr()
    assert CANARY not in "".join(said) + repr(store) + printed.out + printed.err
    assert "Y2FuYXJ5LTRmMWQ" not in "".join(said) + printed.out + printed.err


def test_readers_beside_a_writer_see_only_whole_values(store: Secrets) -> None:
    values = [str(digit) * 20_000 for digit in range(8)]
    store.put("meta-token", values[0])
    with ThreadPoolExecutor(3) as threads:
        reads = [threads.submit(store.get, "meta-token") for _ in range(20)]
        writes = [threads.submit(store.put, "meta-token", value) for value in values]
        seen = {read.result() for read in reads}
        for write in writes:
            write.result()
    assert seen <= set(values)


def everything_said(problem: BaseException) -> str:
    """All that a log could show of an exception, with what is chained to it."""
    chain: list[BaseException] = []
    link: BaseException | None = problem
    while link is not None:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    shown = "".join(traceback.format_exception(problem))
    return shown + "".join(f"{link!s}{link!r}{link.__dict__}" for link in chain)


def mode_of(path: Path) -> int:
    """The permission bits of a path."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_files_are_private_under_every_umask(disk: Secrets, folder: Path, umask: int) -> None:
    folder.parent.mkdir()
    before = os.umask(umask)
    try:
        disk.put("meta-token", "value")
    finally:
        os.umask(before)
    assert mode_of(folder) == mode_of(folder / "local") == 0o700
    assert [entry.name for entry in (folder / "local").iterdir()] == ["meta-token"]
    assert mode_of(folder / "local" / "meta-token") == 0o600


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o660, 0o666, 0o601])
def test_a_file_that_others_reach_is_refused_until_it_is_private(
    disk: Secrets, folder: Path, mode: int
) -> None:
    disk.put("meta-token", CANARY)
    path = folder / "local" / "meta-token"
    path.chmod(mode)
    with pytest.raises(ConfigError, match=f"chmod 600 {path}") as caught:
        disk.get("meta-token")
    assert CANARY not in everything_said(caught.value)
    path.chmod(0o600)
    assert disk.get("meta-token") == CANARY


def test_a_folder_that_others_may_write_to_is_refused_and_left_as_it_is(
    disk: Secrets, folder: Path
) -> None:
    disk.put("meta-token", "value")
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match=f"chmod 700 {folder}"):
        disk.get("meta-token")
    with pytest.raises(ConfigError, match="choose another folder"):
        disk.put("meta-token", "other")
    assert mode_of(folder) == 0o777


def test_the_command_in_the_error_sets_a_secret_that_can_be_read(disk: Secrets) -> None:
    with pytest.raises(SecretMissing) as caught:
        disk.get("meta-token")
    command = str(caught.value).partition("type it in: ")[2]
    subprocess.run(["bash", "-c", command], input=b"typed\n", check=True)
    assert disk.get("meta-token") == "typed"


def test_a_pipe_or_a_folder_in_place_of_a_secret_is_refused(disk: Secrets, folder: Path) -> None:
    disk.put("other", "value")
    os.mkfifo(folder / "local" / "meta-token", 0o600)
    with pytest.raises(ConfigError, match="expected a file"):
        disk.get("meta-token")
    (folder / "local" / "folder").mkdir()
    for action in (disk.get, disk.delete):
        with pytest.raises(ConfigError, match="expected a file"):
            action("folder")


def test_bytes_that_are_not_text_are_refused_unseen(disk: Secrets, folder: Path) -> None:
    disk.put("meta-token", "value")
    (folder / "local" / "meta-token").write_bytes(CANARY.encode() + b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        disk.get("meta-token")
    assert CANARY not in everything_said(caught.value)


def test_a_write_that_fails_leaves_the_old_value_and_nothing_else(
    disk: Secrets, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk.put("meta-token", "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(RetryLater, match="No space left"):
            disk.put("meta-token", "new")
    assert disk.get("meta-token") == "old"
    assert [entry.name for entry in (folder / "local").iterdir()] == ["meta-token"]


@pytest.mark.parametrize(
    ("code", "error", "way_out"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, ConfigError, "roles/secretmanager"),
        (grpc.StatusCode.UNAUTHENTICATED, ConfigError, "roles/secretmanager"),
        (grpc.StatusCode.INVALID_ARGUMENT, ConfigError, "check the project"),
        (grpc.StatusCode.UNAVAILABLE, RetryLater, "does not answer"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, RetryLater, "does not answer"),
        (grpc.StatusCode.INTERNAL, RetryLater, "does not answer"),
    ],
)
def test_what_google_answers_becomes_our_error_without_the_value(
    google: Secrets,
    state: SecretManagerState,
    monkeypatch: pytest.MonkeyPatch,
    code: grpc.StatusCode,
    error: type[PipelineError],
    way_out: str,
) -> None:
    monkeypatch.setattr(secret_manager, "RETRY_SECONDS", 0.3)
    google.put("meta-token", "value")
    methods = ("AccessSecretVersion", "AddSecretVersion", "DeleteSecret", "CreateSecret")
    state.failures = dict.fromkeys(methods, code)
    actions: list[Callable[[], object]] = [
        lambda: google.get("meta-token"),
        lambda: google.put("meta-token", CANARY),
        lambda: google.delete("meta-token"),
    ]
    for action in actions:
        with pytest.raises(error, match=way_out) as caught:
            action()
        assert CANARY not in everything_said(caught.value)
    del state.failures["AddSecretVersion"]
    with pytest.raises(error, match=way_out):
        google.put("not-there-yet", CANARY)


def test_a_short_outage_is_waited_out(google: Secrets, state: SecretManagerState) -> None:
    google.put("meta-token", "value")
    state.failures = {"AccessSecretVersion": grpc.StatusCode.UNAVAILABLE}
    with ThreadPoolExecutor(1) as thread:
        reading = thread.submit(google.get, "meta-token")
        while state.calls.count("AccessSecretVersion") < 2:
            assert not reading.done()
        state.failures = {}
        assert reading.result() == "value"


def test_a_damaged_answer_is_read_again_later(google: Secrets, state: SecretManagerState) -> None:
    google.put("meta-token", "value")
    state.corrupt = True
    with pytest.raises(RetryLater, match="checksum"):
        google.get("meta-token")


def test_a_disabled_version_is_named_as_such(google: Secrets, state: SecretManagerState) -> None:
    google.put("meta-token", "value")
    state.disabled = set(state.secrets)
    with pytest.raises(ConfigError, match="disabled or destroyed"):
        google.get("meta-token")


def test_a_secret_without_a_version_is_missing(google: Secrets, state: SecretManagerState) -> None:
    state.secrets["projects/project/secrets/local_meta-token"] = []
    with pytest.raises(SecretMissing, match="versions add"):
        google.get("meta-token")


def test_two_first_writers_both_succeed(google: Secrets, state: SecretManagerState) -> None:
    name = "projects/project/secrets/local_meta-token"
    state.before["CreateSecret"] = lambda: state.secrets.update({name: [b"of the other"]})
    google.put("meta-token", "ours")
    assert state.secrets[name] == [b"of the other", b"ours"]


def test_a_secret_deleted_while_it_is_written_is_written_later(
    google: Secrets, state: SecretManagerState
) -> None:
    def delete_before_the_second_try() -> None:
        state.before["AddSecretVersion"] = state.secrets.clear

    state.before["CreateSecret"] = delete_before_the_second_try
    with pytest.raises(RetryLater, match="deleted while"):
        google.put("meta-token", CANARY)
    google.put("meta-token", "ours")
    assert google.get("meta-token") == "ours"


@pytest.mark.parametrize(
    "url",
    [
        "secret-manager://",
        "secret-manager:project",
        "secret-manager://project/other",
        "secret-manager://project?endpoint=example.com:443",
        "secret-manager://project?endpoint=127.0.0.1",
    ],
)
def test_a_url_that_names_no_project_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"expected secret-manager://PROJECT"):
        secret_manager.connect(url, Options())


@pytest.mark.parametrize("url", ["file://", "disk://folder", "folder"])
def test_a_url_that_names_no_folder_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"expected file://FOLDER"):
        file.connect(url, Options())


def test_without_credentials_the_way_to_get_them_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with pytest.raises(ConfigError, match="gcloud auth application-default login"):
        secret_manager.connect("secret-manager://project", Options())
