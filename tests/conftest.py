"""Fixtures that many tests share: emulators, one per test run."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support.emulators import EmulatorMissing, running_emulator

# A busy machine is slow, and that is no failure of the code.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[str]:
    """`host:port` of Google's Pub/Sub emulator."""
    yield from emulator_or_skip("pubsub")


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """`host:port` of Google's Firestore emulator."""
    yield from emulator_or_skip("firestore")


def emulator_or_skip(name: str) -> Iterator[str]:
    """A running emulator; skips with the reason where it is not installed."""
    try:
        with running_emulator(name) as address:
            yield address
    except EmulatorMissing as missing:
        pytest.skip(str(missing))
