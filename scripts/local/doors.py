"""Doors of the local stack: JSON in by POST, JSON out, and refusals that say the way out.

The laptop's only: in the cloud the API service will answer them, behind its sign-in.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.wrappers import Request, Response

from shared.app import App
from shared.creation import keep_as_next_run, keep_concept, plan_concept, planned_event
from shared.domain.creative.concept import MAX_BYTES, read_concept
from shared.errors import PipelineError, Rejected
from shared.score_models import MAX_STORYBOARD_BYTES

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
PLAN_SHOWN = {"concept_id", "variations", "selected", "notes", "model_version"}


class VideoIdInvalid(Rejected):
    """What is no id of a video."""


class JsonDoor:
    """A WSGI app that answers POST at one path below where it is mounted.

    400 names what does not fit, 413 the most bytes that are taken, 503 asks to come again.
    """

    def __init__(self, path: str, most_bytes: int, answer: Callable[[Request], str]) -> None:
        self._path, self._most_bytes, self._answer = path, most_bytes, answer

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._respond(Request(environ))(environ, start_response)

    def _respond(self, request: Request) -> Response:
        if request.path.rstrip("/") != self._path:
            return _refused(404, "not_found", f"there is only {request.script_root}{self._path}")
        if request.method != "POST":
            return _refused(405, "method_not_allowed", "send it with POST, as JSON")
        if request.content_length is None or request.content_length > self._most_bytes:
            most = f"Content-Length must say at most {self._most_bytes}"
            return _refused(413, "body_too_large", most)
        try:
            body = self._answer(request)
        except PipelineError as problem:
            status = 400 if isinstance(problem, Rejected) else 503
            return _refused(status, problem.code, str(problem))
        return Response(body, 200, HEADERS, mimetype="application/json")


def score_door(app: App) -> JsonDoor:
    """`POST /score/storyboard`: a plan in, scores and prediction out."""

    def answer(request: Request) -> str:
        # Only who scores waits for numpy and the models; the stack starts without them.
        from shared.domain.scoring.storyboard import read_storyboard
        from shared.storyboards import score_and_keep

        storyboard = read_storyboard(request.get_data(), "storyboard")
        return score_and_keep(storyboard, app).model_dump_json()

    return JsonDoor("/storyboard", MAX_STORYBOARD_BYTES, answer)


def variations_door(app: App) -> JsonDoor:
    """`POST /variations`: a concept in, its plan out.

    `?video_id=` names the footage, a video that was uploaded before; with `?render=true` the
    selected ones are rendered by the stack, and `/concept/<concept_id>` shows how far they are.
    """

    def answer(request: Request) -> str:
        concept = read_concept(request.get_data(), "the concept")
        wanted = keep_concept(concept, app, _video_id(request))
        plan, path = keep_as_next_run(plan_concept(wanted, app), app)
        if request.args.get("render") == "true":
            app.bus.publish([planned_event(plan, path, app).to_message({})])
        return plan.model_dump_json(include=PLAN_SHOWN)

    return JsonDoor("", MAX_BYTES, answer)


def _video_id(request: Request) -> str | None:
    video_id = request.args.get("video_id")
    if video_id is not None and not re.fullmatch("[0-9a-f]{32}", video_id):
        raise VideoIdInvalid(f"video_id={video_id[:40]!r}: expected 32 hexadecimal digits")
    return video_id


def _refused(status: int, code: str, message: str) -> Response:
    body = json.dumps({"error": {"code": code, "message": message}})
    return Response(body, status, HEADERS, mimetype="application/json")
