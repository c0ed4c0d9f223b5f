"""What only Firestore's documents have: Google's errors, told as ours."""

from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud.firestore_v1 import Client, WriteBatch

from shared.adapters.documents import firestore
from shared.adapters.documents.firestore import FirestoreDocuments
from shared.adapters.documents.rules import QueryInvalid
from shared.errors import ConfigError, Conflict, DocumentInvalid, PipelineError, RetryLater
from shared.ports import ABSENT, Merge, Options, Put, Where, Write


@pytest.fixture
def documents(firestore_emulator: str, monkeypatch: pytest.MonkeyPatch) -> FirestoreDocuments:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    return firestore.connect("firestore://error-test", Options())


@pytest.mark.parametrize(
    "url", ["firestore://", "firestore:///db", "sqlite://x", "firestore://a/b/c"]
)
def test_a_url_without_a_project_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="expected firestore://PROJECT"):
        firestore.connect(url, Options())


def test_each_database_of_a_project_is_its_own(documents: FirestoreDocuments) -> None:
    other = firestore.connect("firestore://error-test/second", Options())
    other.put("assets", "a", {"n": 1})
    assert documents.get("assets", "a") is None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (exceptions.Aborted, Conflict),
        (exceptions.AlreadyExists, Conflict),
        (exceptions.ServiceUnavailable, RetryLater),
        (exceptions.DeadlineExceeded, RetryLater),
        (exceptions.ResourceExhausted, RetryLater),
        (exceptions.InternalServerError, RetryLater),
        (exceptions.Unknown, RetryLater),
        (exceptions.PermissionDenied, ConfigError),
        (exceptions.Unauthenticated, ConfigError),
        (exceptions.NotFound, ConfigError),
        (exceptions.InvalidArgument, DocumentInvalid),
    ],
)
def test_errors_of_a_commit_are_told_as_ours(
    documents: FirestoreDocuments,
    monkeypatch: pytest.MonkeyPatch,
    theirs: type[exceptions.GoogleAPICallError],
    ours: type[PipelineError],
) -> None:
    def fail(self: WriteBatch, **patience: Any) -> None:
        raise theirs("as Google says it")

    monkeypatch.setattr(WriteBatch, "commit", fail)
    with pytest.raises(ours, match="as Google says it") as caught:
        documents.put("assets", "a", {})
    assert type(caught.value) is ours


@pytest.mark.parametrize("theirs", [exceptions.FailedPrecondition, exceptions.NotFound])
def test_a_precondition_lost_in_a_race_is_a_conflict(
    documents: FirestoreDocuments,
    monkeypatch: pytest.MonkeyPatch,
    theirs: type[exceptions.GoogleAPICallError],
) -> None:
    version = documents.put("assets", "raced", {})
    attempts = []

    def fail(self: WriteBatch, **patience: Any) -> None:
        attempts.append(1)
        raise theirs("not that version")

    monkeypatch.setattr(WriteBatch, "commit", fail)
    with pytest.raises(Conflict, match="not that version"):
        documents.put("assets", "raced", {}, expect=version)
    assert len(attempts) == firestore.ATTEMPTS


def test_contention_passes_unseen(
    documents: FirestoreDocuments, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, aborted = WriteBatch.commit, [1, 2, 3]

    def contended(self: WriteBatch, **patience: Any) -> object:
        if aborted and aborted.pop():
            raise exceptions.Aborted("too much contention")  # type: ignore[no-untyped-call]
        return commit(self, **patience)

    monkeypatch.setattr(WriteBatch, "commit", contended)
    documents.put("assets", "contended", {"n": 1}, expect=ABSENT)
    documents.commit([Merge("assets", "contended", increments={"n": 1})])
    found = documents.get("assets", "contended")
    assert found is not None
    assert found.data == {"n": 2}


@pytest.mark.parametrize(
    ("write", "repeated"),
    [(Put("assets", "r", {}), True), (Merge("assets", "r", increments={"n": 1}), False)],
)
def test_an_addition_is_never_sent_again_when_its_answer_got_lost(
    documents: FirestoreDocuments,
    monkeypatch: pytest.MonkeyPatch,
    write: Write,
    repeated: bool,
) -> None:
    asked: list[object] = []
    commit = WriteBatch.commit

    def watched(self: WriteBatch, **patience: Any) -> object:
        asked.append(patience["retry"])
        return commit(self, **patience)

    monkeypatch.setattr(WriteBatch, "commit", watched)
    documents.commit([write])
    assert [retry is not None for retry in asked] == [repeated]


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (exceptions.FailedPrecondition, ConfigError),
        (exceptions.NotFound, ConfigError),
        (exceptions.InvalidArgument, QueryInvalid),
        (exceptions.ServiceUnavailable, RetryLater),
    ],
)
def test_errors_of_a_query_are_told_as_ours(
    documents: FirestoreDocuments,
    monkeypatch: pytest.MonkeyPatch,
    theirs: type[exceptions.GoogleAPICallError],
    ours: type[PipelineError],
) -> None:
    def fail(self: object, *args: object, **patience: Any) -> None:
        raise theirs("the query requires an index")

    monkeypatch.setattr("google.cloud.firestore_v1.query.Query.stream", fail)
    with pytest.raises(ours, match="index"):
        documents.query("assets", [Where("v", "==", 1)])


def test_an_unreachable_server_is_given_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setattr(firestore, "TIMEOUT_SECONDS", 0.5)
    documents = firestore.connect("firestore://nobody", Options())
    with pytest.raises(RetryLater, match="Firestore"):
        documents.get("assets", "a")
    with pytest.raises(RetryLater, match="Firestore"):
        documents.put("assets", "a", {})
    with pytest.raises(RetryLater, match="Firestore"):
        documents.query("assets")


def test_one_client_serves_every_tenant(documents: FirestoreDocuments) -> None:
    clients: set[Client] = {documents._client, documents.for_tenant("other")._client}
    assert len(clients) == 1
