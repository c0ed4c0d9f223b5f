"""One HTTP server for every function, the status page and signed files, on this machine only."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from scripts.stages import ROOT

OWN_NAMES = ("127.0.0.1", "localhost")
DOORS = ("/push/", "/score/", "/variations")
"""Where a request makes something happen."""
WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class OnlyThisMachine:
    """Answers nobody who came here by another name, and lets no web page push or post."""

    def __init__(self, app: WsgiApp) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Pass on one request, or refuse it."""
        named = environ.get("HTTP_HOST", "").rsplit(":", 1)[0] in OWN_NAMES
        # A browser tells the page that a request comes from; Pub/Sub and scripts have none.
        forged = "HTTP_ORIGIN" in environ and environ["PATH_INFO"].startswith(DOORS)
        if named and not forged:
            return self._app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain")])
        return [b"this stack is for this machine only"]


class QuietHandler(WSGIRequestHandler):
    """Serves without a log line for each request: the functions log what matters."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing."""


def function_apps(names: Iterable[str], folder: Path = ROOT / "functions") -> dict[str, WsgiApp]:
    """Each function as functions-framework serves it in the cloud, by its path `/push/<name>`."""
    return {
        f"/push/{name}": functions_framework.create_app(  # type: ignore[no-untyped-call]
            target=name, source=str(folder / name / "main.py"), signature_type="http"
        )
        for name in names
    }


class Server:
    """A threaded server on the loopback address; port 0 takes any free one."""

    def __init__(self, page: WsgiApp, mounts: Mapping[str, WsgiApp], port: int) -> None:
        app = OnlyThisMachine(DispatcherMiddleware(page, dict(mounts)))
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", port, app, threaded=True, request_handler=QuietHandler
        )
        self._thread = Thread(target=self._server.serve_forever, name="server", daemon=True)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests."""
        self._server.shutdown()
        self._server.server_close()
