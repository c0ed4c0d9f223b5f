"""Settings to App: the only importer of adapters."""

from collections.abc import Callable
from importlib import import_module
from threading import Lock
from typing import Any

from shared import logs
from shared.app import LEASE_MARGIN_SECONDS, Adapters, App
from shared.config import JobCall, Settings, read_job_call, read_settings
from shared.errors import ConfigError
from shared.ports import Options

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
COUNCIL = {
    "gemini": "language.gemini",
    "claude": "language.claude",
    "openai": "language.openai",
    "video-intelligence": "video_intelligence.google",
}
HEURISTIC = "heuristic"
"""The judge of the domain itself: it sits in every council, so its scheme asks for no other."""


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
    judges, annotators = _council_makers(settings.council, options)
    return App(
        Adapters(
            **makers,
            judges=judges,
            annotators=annotators,
            copywriters=_copywriter_maker(settings.copywriter, options),
        ),
        settings.limits,
        settings.council_rules,
        settings.tools,
        tenant_id=settings.tenant_id,
        now=options.now,
        lease_seconds=options.lease_seconds,
        push_max_bytes=settings.push_max_bytes,
        inline_seconds=settings.inline_seconds,
        job_timeout_seconds=settings.job_timeout_seconds,
        creative_rules=settings.creative_rules,
    )


def _maker(port: str, url: str, options: Options) -> Callable[[], Any]:
    def connect() -> Any:
        scheme = url.partition("://")[0]
        technology = ADAPTERS[port].get(scheme)
        if technology is None:
            known = ", ".join(f"{known}://" for known in ADAPTERS[port])
            raise ConfigError(f"GEMINIVIDEO_{port.upper()}={url!r}: expected one of {known}")
        return import_module(f"shared.adapters.{port}.{technology}").connect(url, options)

    return _made_once(connect)


def _made_once(connect: Callable[[], Any]) -> Callable[[], Any]:
    made: list[Any] = []
    lock = Lock()

    def make() -> Any:
        with lock:
            if not made:
                made.append(connect())
            return made[0]

    return make


def _council_makers(urls: str, options: Options) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """How the models and the annotators that a comma-separated list names are made."""

    def maker(wanted: str) -> Callable[[], Any]:
        def connect() -> list[Any]:
            return [
                import_module(f"shared.adapters.{technology}").connect(url, options)
                for url, technology in _council_places(urls)
                if technology.startswith(wanted)
            ]

        return _made_once(connect)

    return maker("language."), maker("video_intelligence.")


def _copywriter_maker(url: str, options: Options) -> Callable[[], Any]:
    """How the language model that writes copy is made; an empty URL makes none."""

    def connect() -> list[Any]:
        technology = COUNCIL.get(url.partition("://")[0], "")
        if url and not technology.startswith("language."):
            known = ", ".join(f"{s}://" for s, t in COUNCIL.items() if t.startswith("language."))
            raise ConfigError(f"GEMINIVIDEO_COPYWRITER={url!r}: expected one of {known}MODEL")
        return [import_module(f"shared.adapters.{technology}").connect(url, options)] if url else []

    return _made_once(connect)


def _council_places(urls: str) -> list[tuple[str, str]]:
    """Each judge's URL and adapter; raises ConfigError for a scheme that is none of ours."""
    places: list[tuple[str, str]] = []
    for url in (part.strip() for part in urls.split(",")):
        scheme, separator, _ = url.partition("://")
        if separator and scheme in COUNCIL:
            places.append((url, COUNCIL[scheme]))
            if [u.partition("?")[0] for u, _ in places].count(url.partition("?")[0]) > 1:
                raise ConfigError(f"GEMINIVIDEO_COUNCIL={urls!r}: {url!r} is named twice")
        elif url != f"{HEURISTIC}://":
            known = ", ".join(f"{known}://" for known in (HEURISTIC, *COUNCIL))
            raise ConfigError(f"GEMINIVIDEO_COUNCIL={url!r}: expected some of {known}")
    return places


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
