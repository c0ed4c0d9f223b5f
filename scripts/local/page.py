"""The status page: what every video is going through, and the reports."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from werkzeug.wrappers import Request, Response

from scripts.stages import Stage, chain_from
from shared.app import App
from shared.errors import FileMissing
from shared.events import UploadFinalized
from shared.report import read_report
from shared.status import list_status

PAGE = Path(__file__).with_name("page.html")
PARTS = {
    "json": "application/json",
    "contact.jpg": "image/jpeg",
    "timeline.svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class StatusPage:
    """A WSGI app: `/` the page, `/status.json` the list, `/report/<video_id>.json` one report.

    Its pictures lie beside it: `/report/<video_id>.contact.jpg` and `.timeline.svg`.
    """

    def __init__(self, app: App, stages: Mapping[str, Stage]) -> None:
        self._app, self._chain = app, chain_from(stages, UploadFinalized.topic())

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        return self._answer(Request(environ))(environ, start_response)

    def _answer(self, request: Request) -> Response:
        if request.path == "/":
            return Response(PAGE.read_text(), 200, HEADERS, mimetype="text/html")
        if request.path == "/status.json":
            return self._status()
        if request.path.startswith("/report/"):
            return self._report(request.path.removeprefix("/report/"))
        return Response("not found", 404, HEADERS)

    def _status(self) -> Response:
        assets = list_status(self._app, self._chain)
        body = json.dumps([asset.model_dump(mode="json") for asset in assets])
        return Response(body, 200, HEADERS, mimetype="application/json")

    def _report(self, name: str) -> Response:
        asked = re.fullmatch(r"([0-9a-f]{32})\.(json|contact\.jpg|timeline\.svg)", name)
        asset = self._app.documents.get("assets", asked[1]) if asked else None
        if asked is None or asset is None or "report_path" not in asset.data:
            return Response("there is no report yet", 404, HEADERS)
        if asked[2] == "json":
            body = json.dumps(read_report(self._app, asked[1]))
            return Response(body, 200, HEADERS, mimetype=PARTS["json"])
        path = asset.data["report_path"].removesuffix("json") + asked[2]
        try:
            content = self._app.files.read(path)
        except FileMissing:
            return Response("the report has no such part", 404, HEADERS)
        return Response(content, 200, HEADERS, mimetype=PARTS[asked[2]])
