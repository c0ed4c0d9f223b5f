"""The whole product in one process: functions, queue, uploads folder and schedules."""

import logging
import signal
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from threading import Thread
from typing import cast

from scripts.local.deliver import start_deliverers
from scripts.local.doors import score_door, variations_door
from scripts.local.lock import HOME, announce, only_one
from scripts.local.page import StatusPage
from scripts.local.server import Server, WsgiApp, function_apps
from scripts.local.uploads import UploadsWatcher
from scripts.stages import DEAD_LETTERS, Stage, read_stages, schedules_of, subscription_of
from shared import bootstrap, jobs, ledger
from shared.adapters.bus.sqlite import SqliteBus
from shared.adapters.documents.sqlite import SqliteDocuments
from shared.adapters.files.disk import DiskFiles
from shared.adapters.files.signed import signed_files_app
from shared.adapters.jobs.process import ProcessJobs
from shared.adapters.schedules.rules import DueRun
from shared.adapters.schedules.sqlite import SqliteSchedules
from shared.app import App
from shared.config import Settings
from shared.errors import ConfigError, PipelineError
from shared.events import Message

log = logging.getLogger("geminivideo.local")

STOP_SECONDS = 3.0


@dataclass(frozen=True)
class LocalStack:
    """A running stack: its App and the address of its status page."""

    app: App
    url: str
    uploads: Path


@contextmanager
def running_stack(settings: Settings, home: Path = HOME) -> Iterator[LocalStack]:
    """Everything started; stopped again at the end of the context.

    Raises AlreadyRunning when this folder has a stack, ConfigError when a port is not local.
    """
    with ExitStack() as stack:
        lock = stack.enter_context(only_one(home))
        # The check for writers holds a file lease for an instant; breaking one sends this signal.
        signal.signal(signal.SIGIO, signal.SIG_IGN)
        settings = choose_port(settings)
        app = bootstrap.build_app(settings)
        bootstrap.use(app)
        stages = read_stages()
        prepare(app, stages)
        files = cast(DiskFiles, app.adapters.files())
        mounts: dict[str, WsgiApp] = function_apps(stages)
        mounts["/variations"] = variations_door(app)
        mounts["/files"] = signed_files_app(files, max_bytes=settings.max_upload_bytes)
        mounts["/score"] = score_door(app)
        server = Server(StatusPage(app, stages), mounts, settings.local_port)
        server.start()
        stack.callback(server.stop)
        stopping = Flag()
        uploads = files.root / "uploads"
        threads: list[Thread] = [
            UploadsWatcher(app, files, settings.local_uploads_quiet_seconds, stopping),
            ScheduleRunner(app, cast(SqliteSchedules, app.schedules), stopping),
        ]
        for thread in threads:
            thread.start()
        threads += start_deliverers(
            app.bus, stages, server.url, stopping, count=settings.local_workers
        )
        stack.callback(stop, threads, stopping)
        announce(lock, server.url)
        (uploads / app.tenant_id).mkdir(parents=True, exist_ok=True)
        yield LocalStack(app, server.url, uploads / app.tenant_id)


def choose_port(settings: Settings) -> Settings:
    """The settings with a port that is free: the wished one when possible."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.local_port))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        return settings.model_copy(update={"local_port": probe.getsockname()[1]})


def prepare(app: App, stages: Mapping[str, Stage]) -> None:
    """What Terraform does in the cloud, and what the death of an earlier stack left behind."""
    bus, documents, schedules = app.bus, app.adapters.documents(), app.schedules
    local = (
        isinstance(bus, SqliteBus)
        and isinstance(documents, SqliteDocuments)
        and isinstance(schedules, SqliteSchedules)
        and isinstance(app.adapters.files(), DiskFiles)
        and isinstance(app.jobs, ProcessJobs)
    )
    if not local:
        raise ConfigError(
            "the local stack runs on local adapters: unset GEMINIVIDEO_FILES, _BUS, _DOCUMENTS, "
            "_SCHEDULES and _JOBS, or give each a file://, sqlite:// or process:// URL"
        )
    for name, stage in stages.items():
        dead_letters = None if stage.takes == DEAD_LETTERS else DEAD_LETTERS
        if not stage.http:
            cast(SqliteBus, bus).subscribe(
                subscription_of(name), stage.takes, dead_letter_topic=dead_letters
            )
    cast(SqliteBus, bus).recover()
    cast(SqliteSchedules, schedules).declare(schedules_of(stages))
    for tenant_id in documents.tenants():
        freed = ledger.free_leases(app.for_tenant(tenant_id))
        restarted = jobs.restart_dead(app.for_tenant(tenant_id))
        if freed or restarted:
            count = freed + restarted
            log.info("%s interrupted steps of tenant %s go on", count, tenant_id)


def stop(threads: list[Thread], stopping: Flag) -> None:
    """Take nothing new; what is still running goes on at the next start."""
    stopping.set()
    for thread in threads:
        thread.join(STOP_SECONDS / len(threads))


class ScheduleRunner(Thread):
    """Publishes the event of each schedule whose time has come."""

    def __init__(self, app: App, schedules: SqliteSchedules, stopping: Flag) -> None:
        super().__init__(name="schedules", daemon=True)
        self._app, self._schedules, self._stopping = app, schedules, stopping
        self._pending: list[Message] = []

    def run(self) -> None:
        """Look once a second until told to stop."""
        while not self._stopping.wait(1.0):
            try:
                self.look()
            except PipelineError as problem:
                log.warning("the schedules cannot be run now: %s", problem)

    def look(self) -> None:
        """Publish what is due; each names its slot or request, and waits until that succeeds."""
        self._pending += [self._message(run) for run in self._schedules.due(self._app.now())]
        if self._pending:
            self._app.bus.publish(self._pending)
            self._pending = []

    def _message(self, run: DueRun) -> Message:
        attributes = {"schedule": run.schedule.name, "tenant_id": self._app.tenant_id}
        if run.slot is not None:
            attributes["slot"] = run.slot.isoformat()
        if run.request_id is not None:
            attributes["request_id"] = run.request_id
        return Message(run.schedule.topic, b"{}", attributes)
