"""Jobs as processes of this machine that outlive whoever starts them; their state lies in files."""

import fcntl
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from shared.adapters.jobs import rules
from shared.errors import ConfigError, RetryLater
from shared.events import Message
from shared.ports import ExecutionState, Options

ROOT = Path(__file__).resolve().parents[3]
SUPERVISOR = "shared.adapters.jobs.supervisor"
DEFAULT_FOLDER = ".local/jobs"
START_SECONDS = 60.0
LEAST_SLOTS = 2
"""How many jobs run at once at least: a short one must not wait behind a batch of long ones."""
KEPT_DAYS = 7.0
MOST_KEPT = 100
KEPT_SECONDS = 3600.0
"""How long an ended execution is kept whatever their number: whoever watches must see its end."""


def connect(url: str, options: Options) -> "ProcessJobs":
    """Jobs whose executions are kept in `process://FOLDER`; `process://` is .local/jobs."""
    scheme, _, name = url.partition("://")
    if scheme != "process" or "?" in name:
        raise ConfigError(f"{url!r}: expected process:// or process://FOLDER")
    folder = Path(name or DEFAULT_FOLDER).absolute()
    return ProcessJobs(folder, ROOT / "containers", options.environment)


class ProcessJobs:
    """Runs `<containers>/<job>/main.py` with the memory, time and retries of its jobs.yaml.

    An execution is a folder: `status.json`, `lock` (held while its supervisor lives), `log`, and
    `cancel` once somebody wants it to end. Ended executions are deleted after a week, or sooner
    when there are more than a hundred of a job.
    """

    def __init__(self, folder: Path, containers: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._containers = containers
        self._environment = environment

    def start(self, name: str, message: Message) -> str:
        """Start a job, return when its supervisor has taken over; raises JobMissing, JobInvalid."""
        declared = self._declared()
        rules.check_name(name, declared)
        text = rules.call_text(message)
        id = secrets.token_hex(8)
        place = self._folder / name / id
        try:
            place.mkdir(parents=True)
            self._hand_over(place, self._task(name, id, text, declared[name]))
        except (OSError, subprocess.SubprocessError) as problem:
            raise RetryLater(f"job {name!r} could not be started: {problem}") from problem
        _forget_old(self._folder / name)
        return f"{name}/{id}"

    def state(self, execution: str) -> ExecutionState:
        """How far an execution is; one whose supervisor died has failed."""
        place = self._place(execution)
        status = _status(place)
        if status is None:
            reason = "there is no such execution on this machine"
            return ExecutionState(execution, "unknown", reason=reason)
        if status["state"] == "running" and not _is_held(place):
            # It may have ended between the two looks.
            status = _status(place) or status
            if status["state"] == "running":
                status |= {"state": "failed", "reason": "died without a word"}
        return ExecutionState(
            execution,
            status["state"],
            started_at=_moment(status["started_at"]),
            ended_at=_moment(status["ended_at"]),
            attempt=status["attempt"],
            reason=status["reason"],
        )

    def cancel(self, execution: str) -> None:
        """Ask the supervisor to end the job: SIGTERM, ten seconds later SIGKILL."""
        place = self._place(execution)
        if place.is_dir():
            (place / "cancel").touch()

    def _declared(self) -> dict[str, dict[str, Any]]:
        import yaml

        page = self._containers / "jobs.yaml"
        try:
            return dict(yaml.safe_load(page.read_text()) or {})
        except (OSError, yaml.YAMLError, ValueError) as problem:
            raise ConfigError(f"{page}: {problem}") from problem

    def _task(self, name: str, id: str, text: str, job: Mapping[str, Any]) -> dict[str, Any]:
        ours = {
            rules.MESSAGE_VARIABLE: text,
            rules.EXECUTION_VARIABLE: id,
            rules.TIMEOUT_VARIABLE: str(job["timeout_seconds"]),
        }
        return {
            "command": [sys.executable, str(self._containers / name / "main.py")],
            "environment": {**self._own_environment(), **ours},
            "timeout_seconds": job["timeout_seconds"],
            "retries": job["retries"],
            "memory_bytes": job["memory_mib"] * 1024 * 1024,
            "stop_seconds": rules.STOP_SECONDS,
            "slots": max(LEAST_SLOTS, (os.cpu_count() or 1) // 2),
            "slots_folder": str(self._folder / ".slots"),
        }

    def _own_environment(self) -> dict[str, str]:
        path = ":".join([str(ROOT), *(entry for entry in sys.path if entry)])
        return {**self._environment, "PYTHONPATH": path}

    def _hand_over(self, place: Path, task: Mapping[str, Any]) -> None:
        with (place / "log").open("ab") as log:
            subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
                [sys.executable, "-m", SUPERVISOR, str(place)],
                input=json.dumps(task).encode(),
                env=self._own_environment(),
                stdout=log,
                stderr=log,
                timeout=START_SECONDS,
                check=True,
            )

    def _place(self, execution: str) -> Path:
        name, id = rules.parts_of(execution)
        return self._folder / name / id


def _status(place: Path) -> dict[str, Any] | None:
    try:
        status: dict[str, Any] = json.loads((place / "status.json").read_text())
    except FileNotFoundError:
        return None
    return status


def _forget_old(folder: Path) -> None:
    """Delete what has ended long ago of one job, with its log."""
    ended = sorted((-at, place) for place in folder.iterdir() if (at := _ended_at(place)))
    for number, (at, place) in enumerate(ended):
        age_seconds = time.time() + at
        crowded = number >= MOST_KEPT and age_seconds > KEPT_SECONDS
        if crowded or age_seconds > KEPT_DAYS * 86_400:
            shutil.rmtree(place, ignore_errors=True)


def _ended_at(place: Path) -> float | None:
    """When an execution last wrote its status, by the file's time; None while it runs."""
    try:
        return None if _is_held(place) else (place / "status.json").stat().st_mtime
    except FileNotFoundError:
        # It is about to begin, or somebody else deletes it.
        return None


def _is_held(place: Path) -> bool:
    """Whether the supervisor lives: its lock is gone with it, however it ends."""
    with (place / "lock").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
