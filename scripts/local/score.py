"""`POST /score/storyboard`: a plan in, scores and prediction out, as JSON.

The laptop's door only: in the cloud the API service will answer it, behind its sign-in.
"""

import json
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from shared.app import App
from shared.domain.scoring.storyboard import MAX_BYTES, read_storyboard
from shared.errors import PipelineError, Rejected
from shared.storyboards import score_and_keep

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class ScoreDoor:
    """A WSGI app, to be mounted at `/score`."""

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path != "/storyboard":
            return _told(404, "not_found", "there is only /score/storyboard")
        if request.method != "POST":
            return _told(405, "method_not_allowed", "send the storyboard with POST")
        if request.content_length is None or request.content_length > MAX_BYTES:
            return _told(413, "body_too_large", f"Content-Length must say at most {MAX_BYTES}")
        try:
            card = score_and_keep(read_storyboard(request.get_data(), "storyboard"), self._app)
        except PipelineError as problem:
            status = 400 if isinstance(problem, Rejected) else 503
            return _told(status, problem.code, str(problem))
        return Response(card.model_dump_json(), 200, HEADERS, mimetype="application/json")


def _told(status: int, code: str, message: str) -> Response:
    body = json.dumps({"error": {"code": code, "message": message}})
    return Response(body, status, HEADERS, mimetype="application/json")
