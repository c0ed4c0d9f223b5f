"""Settings to App: the only importer of adapters."""

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

from shared import logs
from shared.config import JobCall, Settings, read_job_call, read_settings
from shared.errors import ConfigError
from shared.ports import LEASE_MARGIN_SECONDS, Adapters, App, Options

ADAPTERS = {
    "files": {"file": "disk", "gs": "gcs"},
    "bus": {"sqlite": "sqlite", "pubsub": "pubsub"},
    "documents": {"sqlite": "sqlite", "firestore": "firestore"},
    "secrets": {"file": "file", "secret-manager": "secret_manager"},
    "alerts": {"console": "console"},
    "schedules": {"sqlite": "sqlite", "scheduler": "cloud_scheduler"},
    "jobs": {"process": "process", "run": "cloud_run"},
    "tables": {"duckdb": "duckdb", "bigquery": "bigquery"},
}


def build_app(settings: Settings) -> App:
    """An App on the adapters that the settings name; each is made when it is first used."""
    options = Options(
        retry_min_seconds=settings.retry_min_seconds,
        retry_max_seconds=settings.retry_max_seconds,
        max_delivery_attempts=settings.max_delivery_attempts,
        lease_seconds=settings.stage_timeout_seconds + LEASE_MARGIN_SECONDS,
        local_url=f"http://127.0.0.1:{settings.local_port}",
        environment=settings.environment,
    )
    makers = {port: _maker(port, getattr(settings, port), options) for port in ADAPTERS}
    return App(
        Adapters(**makers),
        settings.limits,
        tenant_id=settings.tenant_id,
        now=options.now,
        lease_seconds=options.lease_seconds,
        push_max_bytes=settings.push_max_bytes,
        inline_seconds=settings.inline_seconds,
        job_timeout_seconds=settings.job_timeout_seconds,
    )


def _maker(port: str, url: str, options: Options) -> Callable[[], Any]:
    made: list[Any] = []
    lock = Lock()

    def make() -> Any:
        with lock:
            if not made:
                made.append(connect())
            return made[0]

    def connect() -> Any:
        scheme = url.partition("://")[0]
        technology = ADAPTERS[port].get(scheme)
        if technology is None:
            known = ", ".join(f"{known}://" for known in ADAPTERS[port])
            raise ConfigError(f"GEMINIVIDEO_{port.upper()}={url!r}: expected one of {known}")
        return import_module(f"shared.adapters.{port}.{technology}").connect(url, options)

    return make


_app: App | None = None


def app() -> App:
    """This process's App, made from the environment when it is first asked for."""
    global _app
    if _app is None:
        settings = read_settings()
        logs.set_up_logging(settings.log_format, settings.log_level, settings.google_project)
        _app = build_app(settings)
    return _app


def job_call() -> JobCall:
    """What this process was started with, when it is a job's; raises ConfigError otherwise."""
    return read_job_call()


def use(other: App | None) -> None:
    """Let this process use another App; None: the one of the environment again."""
    global _app
    _app = other
