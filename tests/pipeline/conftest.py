"""A whole pipeline in this process: every function behind a real server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from scripts.local.server import Server, function_apps
from scripts.stages import read_stages
from shared import bootstrap
from shared.app import App


def nothing_here(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The page of a server that has none."""
    start_response("404 Not Found", [])
    return [b""]


@pytest.fixture
def serve() -> Iterator[Callable[[App], str]]:
    """Serves every function with an App; returns the address."""
    servers: list[Server] = []

    def start(app: App) -> str:
        bootstrap.use(app)
        server = Server(nothing_here, function_apps(read_stages()), 0)
        server.start()
        servers.append(server)
        return server.url

    yield start
    for server in servers:
        server.stop()
    bootstrap.use(None)
