"""A door for concepts: POST /variations plans fifty variations and answers with them."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from scripts.local.page import HEADERS
from shared.app import App
from shared.creation import keep_as_next_run, keep_concept, plan_concept, planned_event
from shared.domain.creative.concept import MAX_BYTES, read_concept
from shared.errors import ConfigError, Rejected, RetryLater


class VideoIdInvalid(Rejected):
    """What is no id of a video."""


class VariationsDoor:
    """A WSGI app: a concept as JSON -> `{"concept_id", "variations", "selected", "notes"}`.

    `?video_id=` names the footage, a video that was uploaded before; with `?render=true` the
    selected ones are rendered by the stack, and `/concept/<concept_id>` shows how far they are.
    400 names the field that does not fit. It must be told that the body is JSON: a page of
    somebody else cannot send that here without asking, and is not allowed to.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.method != "POST":
            return self._refuse("method_not_allowed", "POST a concept as JSON", 405)
        if request.mimetype != "application/json":
            return self._refuse("not_json", "send it with Content-Type: application/json", 415)
        if (request.content_length or 0) > MAX_BYTES:
            return self._refuse("too_large", f"a concept has at most {MAX_BYTES} bytes", 413)
        try:
            body = _planned(request, self._app)
        except Rejected as problem:
            return self._refuse(problem.code, str(problem), 400)
        except RetryLater as problem:
            return self._refuse(problem.code, str(problem), 503)
        except ConfigError as problem:
            return self._refuse(problem.code, str(problem), 500)
        return Response(body, 200, HEADERS, mimetype="application/json")

    def _refuse(self, code: str, reason: str, status: int) -> Response:
        body = json.dumps({"error": code, "reason": reason})
        return Response(body, status, HEADERS, mimetype="application/json")


def _planned(request: Request, app: App) -> str:
    concept, video_id = read_concept(request.get_data(), "the concept"), _footage(request)
    plan, path = keep_as_next_run(plan_concept(keep_concept(concept, app, video_id), app), app)
    if request.args.get("render") == "true":
        app.bus.publish([planned_event(plan, path, app).to_message({})])
    shown = {"concept_id", "variations", "selected", "notes", "model_version"}
    return plan.model_dump_json(include=shown)


def _footage(request: Request) -> str | None:
    video_id = request.args.get("video_id")
    if video_id is not None and not re.fullmatch("[0-9a-f]{32}", video_id):
        raise VideoIdInvalid(f"video_id={video_id[:40]!r}: expected 32 hexadecimal digits")
    return video_id
