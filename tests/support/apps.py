"""Apps for tests: the local adapters in a folder of their own, and a clock that a test can turn."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared import bootstrap
from shared.app import App
from shared.config import Settings


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time now."""
        return self.moment

    def pass_seconds(self, seconds: float) -> None:
        """Let time go by."""
        self.moment += timedelta(seconds=seconds)


def local_settings(folder: Path, **others: Any) -> Settings:
    """Settings whose every port lies in one folder."""
    urls = {
        "files": f"file://{folder}/files",
        "bus": f"sqlite://{folder}/bus.db",
        "documents": f"sqlite://{folder}/documents.db",
        "secrets": f"file://{folder}/secrets",
        "schedules": f"sqlite://{folder}/schedules.db",
        "jobs": f"process://{folder}/jobs",
        "tables": f"duckdb://{folder}/tables",
    }
    return Settings(**{**urls, "log_format": "text", **others})


def local_app(folder: Path, clock: Clock | None = None, **settings: Any) -> App:
    """An App on local adapters; with a clock, leases and stamps follow it."""
    app = bootstrap.build_app(local_settings(folder, **settings))
    return replace(app, now=clock) if clock else app
