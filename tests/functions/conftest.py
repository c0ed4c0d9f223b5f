"""An App on local adapters for stages that are called as plain functions."""

from pathlib import Path

import pytest

from shared.app import App
from tests.support.apps import Clock, local_app


@pytest.fixture
def app(tmp_path: Path) -> App:
    """This test's App, its clock standing still."""
    return local_app(tmp_path / "local", Clock())
