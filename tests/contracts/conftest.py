"""Fixtures that the contract tests of one port share."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from shared.adapters.documents import firestore, sqlite
from shared.ports import Documents, Options
from tests.support.documents import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "firestore"])
def everyone(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clock: Clock,
) -> Iterator[Documents]:
    """A store on each technology, as `connect` makes it."""
    if request.param == "sqlite":
        yield sqlite.connect(f"sqlite://{tmp_path}/documents.db", Options(now=clock))
        return
    address = request.getfixturevalue("firestore_emulator")
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", address)
    yield firestore.connect("firestore://contract-test", Options(now=clock))


@pytest.fixture
def documents(everyone: Documents) -> Documents:
    """The store seen by a tenant that no other test has."""
    return everyone.for_tenant(f"t{uuid4().hex}")
